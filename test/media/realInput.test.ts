/** The main job: pictures and sound as others send and store them go in, and a viewer sees and hears them, in step. */
import assert from "node:assert/strict";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import {
  aac,
  asTransportStream,
  constantRate,
  flashClip,
  h264,
  mjpeg,
  mp2,
  mpeg2,
  pcm,
  recordedClips,
  standardDefinition,
} from "./support/clips.ts";
import { beeps, compare, flashes, lipErrors, movement, pictures, sound } from "./support/content.ts";
import { sendPaced } from "./support/pacedSender.ts";
import { complaints, run, vlc, volume } from "./support/peer.ts";
import { Sender } from "./support/sender.ts";
import { audioPid, audioStep, Station, videoPid, videoStep } from "./support/station.ts";
import { trimmed } from "./support/transportFile.ts";
import { median } from "./support/viewer.ts";
import { assertExactSteps, assertUnbroken, summary, Wire, type WireReport } from "./support/wire.ts";
import { temporaryFolder } from "./support/worker.ts";

const gapMs = 40;
/** The product's promise, and what a picture that must wait for the next frame period may add to a single event. */
const lipSyncMs = 20;
/** Coding and decoding a beep twice moves its onset by about that. */
const measuringMs = 2;
const frameMs = 40;

/** Where channel n of a test is sent. */
class Plan {
  readonly #channels: object[] = [];
  readonly #names: string[] = [];

  constructor(
    readonly t: TestContext,
    /** Third byte of the groups, thousands of the ports. */
    readonly number: number,
  ) {}

  address(n: number): string {
    return `239.255.7.${this.number + n}`;
  }

  port(n: number): number {
    return 17_000 + this.number + n;
  }

  /** Adds a channel of 320×180p25; the first is `ch1`. */
  add(name: string, source: object, more: object = {}): void {
    const n = this.#channels.length;
    this.#names.push(name);
    this.#channels.push({
      id: `ch${n + 1}`,
      name,
      source,
      video: { width: 320, height: 180, bitrate: 600 },
      audio: [{ codec: "aac", bitrate: 128, channels: 2, language: "und" }],
      transport: { bitrate: 1200 },
      outputs: [{ type: "udp", id: "main", address: this.address(n), port: this.port(n), interface: "lo" }],
      ...more,
    });
  }

  /** Adds a channel with an IP input, to which `send` sends from now on. */
  async addLive(name: string, send: (address: string, port: number) => unknown, protocol = "udp"): Promise<void> {
    const n = this.#channels.length;
    const [address, port] = [this.address(n + 100), this.port(n + 100)];
    this.add(name, { type: "ip", protocol, address, port, interface: "lo" });
    await send(address, port);
  }

  /** All on air, recorded for so long: name, station's figures, report and file of each, cut to whole units. */
  async record(seconds: number, meanwhile: () => Promise<void> = async () => {}): Promise<Recorded[]> {
    const folder = await temporaryFolder(this.t);
    const station = await Station.start(this.t, this.#channels);
    const files = this.#names.map((_, n) => join(folder, `${n}.ts`));
    const wires = await Promise.all(files.map((file, n) => Wire.watch(this.t, this.address(n), this.port(n), file)));
    await Promise.all([meanwhile(), ...wires.map((wire) => wire.watched(seconds))]);
    const recorded: Recorded[] = [];
    for (const [n, name] of this.#names.entries()) {
      const { encode, state, workers } = await station.status(`ch${n + 1}`);
      for (const worker of workers) assert.equal(worker.starts, 1, `${name}: ${JSON.stringify(worker)}`);
      recorded.push({ name, state, encode, report: (await wires[n]?.report()) ?? assert.fail(), file: files[n] ?? "" });
    }
    await station.box.stop();
    for (const each of recorded) each.file = await trimmed(each.file, [videoPid, audioPid]);
    return recorded;
  }
}

interface Recorded {
  name: string;
  state: string;
  encode: Awaited<ReturnType<Station["status"]>>["encode"];
  report: WireReport;
  file: string;
}

/** What holds for any source: nothing is seen of it on the wire, and a decoder has nothing to complain of. */
async function assertClean(t: TestContext, { name, state, encode, report, file }: Recorded): Promise<void> {
  const { video, audio, source } = encode ?? assert.fail();
  t.diagnostic(
    `${name}: ${state}, ${source.width}×${source.height} ${source.rate.toFixed(2)} Hz, repeated ${video.repeated} ` +
      `dropped ${video.dropped}, silence ${audio.silence}, drift ${audio.driftPpm.toFixed(0)} ppm, ` +
      `resyncs ${audio.resyncs}, rebuilds ${source.rebuilds}; ${summary(report)}`,
  );
  assertUnbroken(report, { gapMs });
  assertExactSteps(report, videoPid, videoStep);
  assertExactSteps(report, audioPid, audioStep);
  assert.equal(await complaints(file), "", name);
}

const ms = (seconds: number) => seconds * 1000;

/** Of values at equal distances: the median of the slopes between those half of all apart, so that no single jump tells. */
function slope(values: number[]): number {
  const half = values.length >> 1;
  return median(values.slice(half).map((value, i) => (value - (values[i] ?? 0)) / half));
}

/**
 * Lip sync of a recording of a flash clip that has one each `period` seconds: how late the beeps are.
 * @param settled seconds after which it counts
 */
async function assertLipSync(
  t: TestContext,
  recorded: Recorded,
  clip: string,
  { period = 1, settled = 0 } = {},
): Promise<void> {
  const own = lipErrors(await pictures(clip), await sound(clip), period).map(({ error }) => ms(error));
  const seen = await pictures(recorded.file);
  const counted = (seen.times[0] ?? 0) + settled;
  const found = lipErrors(seen, await sound(recorded.file), period);
  const errors = found.filter(({ at }) => at >= counted).map(({ error }) => ms(error) - median(own));
  const mean = errors.reduce((sum, error) => sum + error, 0) / errors.length;
  const [least, most] = [Math.min(...errors), Math.max(...errors)];
  t.diagnostic(
    `${recorded.name}: sound ${mean.toFixed(1)} ms late on average, ${least.toFixed(1)}…${most.toFixed(1)} ms, ` +
      `${errors.length} events, in the clip itself ${median(own).toFixed(1)} ms`,
  );
  assert(Math.abs(mean) <= lipSyncMs + measuringMs, `${recorded.name}: ${mean} ms`);
  assert(Math.max(-least, most) <= lipSyncMs + frameMs + measuringMs, `${recorded.name}: ${errors}`);
}

test("lip sync is kept with every kind of live source", async (t) => {
  const [container, seconds] = ["ts", 45] as const;
  const stereo = { rate: 48_000, channels: 2, coding: aac };
  const mono = { rate: 44_100, channels: 1, coding: mp2 };
  const pal = { rate: "25", coding: h264 };
  const ntsc = { rate: "30000/1001", coding: mpeg2 };
  const options = constantRate;
  const usual = await flashClip({ container, seconds, picture: pal, sound: stereo, options });
  const other = await flashClip({ container, seconds, picture: ntsc, sound: mono, period: 1.001, options });
  const still = { rate: "1", coding: [...h264, "-g", "2"] };
  const slides = await flashClip({ container, seconds, picture: still, sound: stereo, period: 2, options });
  const silent = await flashClip({ container, seconds, picture: pal, options });
  const blind = await flashClip({ container, seconds, sound: stereo, options });

  const plan = new Plan(t, 10);
  const paced =
    (clip: string, ppm = 0) =>
    (address: string, port: number) =>
      sendPaced(t, clip, address, port, ppm);
  await plan.addLive("clock +200 ppm", paced(usual, 200));
  await plan.addLive("clock −200 ppm", paced(usual, -200));
  await plan.addLive("29.97 Hz, 44.1 kHz mono", paced(other));
  await plan.addLive("1 Hz", paced(slides));
  await plan.addLive("picture alone", paced(silent));
  await plan.addLive("sound alone", paced(blind));
  const [fast, late, converted, slide, quiet, dark] = await plan.record(33);
  assert(fast && late && converted && slide && quiet && dark);

  for (const [recorded, ppm] of [
    [fast, 200],
    [late, -200],
  ] as const) {
    await assertClean(t, recorded);
    await assertLipSync(t, recorded, usual);
    // Once it has settled, the sound plays as fast as the sender's clock runs.
    const times = beeps(await sound(recorded.file)).slice(-20);
    const measured = -1e6 * slope(times.map((time, second) => time - second));
    t.diagnostic(`${recorded.name}: the sound's beeps come ${measured.toFixed(0)} ppm faster`);
    assert(Math.abs(measured - ppm) < 190, `${measured} ppm`);
  }
  await assertClean(t, converted);
  await assertLipSync(t, converted, other, { period: 1.001 });
  await assertClean(t, slide);
  // It takes some pictures to know how slow they are.
  await assertLipSync(t, slide, slides, { period: 2, settled: 6 });

  await assertClean(t, quiet);
  assert(flashes(await pictures(quiet.file)).length >= 28, "flashes are missing");
  assert((await volume(quiet.file)).max < -80, "a source without sound is not silent");

  await assertClean(t, dark);
  assert(beeps(await sound(dark.file)).length >= 28, "beeps are missing");
});

test("files of every container are played in a loop", async (t) => {
  const seconds = 5;
  // Flashes come a whole number of frames apart, but at any phase of the 25 Hz that become of them.
  const kinds = [
    { container: "mp4", rate: "25", video: h264, audio: aac, period: 1 },
    { container: "mkv", rate: "30", video: h264, audio: aac, period: 31 / 30 },
    { container: "mov", rate: "24", video: h264, audio: aac, period: 29 / 24 },
    { container: "avi", rate: "25", video: mjpeg, audio: pcm, period: 1 },
    { container: "mpg", rate: "50", video: mpeg2, audio: mp2, period: 51 / 50 },
  ] as const;
  const plan = new Plan(t, 30);
  const clips: string[] = [];
  for (const { container, rate, video, audio, period } of kinds) {
    const sound = { rate: 48_000, channels: 2, coding: audio };
    const path = await flashClip({ container, seconds, picture: { rate, coding: video }, sound, period });
    clips.push(path);
    plan.add(`${container}, ${rate} Hz`, { type: "file", path });
  }
  for (const [i, recorded] of (await plan.record(17)).entries()) {
    const period = kinds[i]?.period ?? 1;
    await assertClean(t, recorded);
    await assertLipSync(t, recorded, clips[i] ?? "", { period });
    const flashed = flashes(await pictures(recorded.file));
    const intervals = flashed.slice(1).map((at, k) => at - (flashed[k] ?? at));
    // From the last flash of one round to the first one of the next.
    const seam = seconds - Math.floor(seconds / period - 1e-6) * period;
    const odd = intervals.filter((each) => ms(Math.min(Math.abs(each - period), Math.abs(each - seam))) > frameMs + 1);
    t.diagnostic(
      `${recorded.name}: ${flashed.length} flashes ${period.toFixed(3)} s apart, at the seam ${seam.toFixed(3)} s`,
    );
    assert(flashed.length > 2 * Math.floor(seconds / period), `only ${flashed.length} flashes`);
    assert.deepEqual(odd, [], `${recorded.name}: flashes are ${intervals} s apart`);
  }
});

test("recorded video, sent live and from files, is re-encoded and played", async (t) => {
  const clips = await recordedClips();
  t.diagnostic(`clips with picture and sound: ${[...clips.keys()].join(", ")}`);
  const clip = (name: string) => clips.get(name) ?? assert.fail(`no ${name}`);
  const cartoon = clip("wannaworktogether.mp4");
  const copied = await asTransportStream(cartoon, 0, ["-c", "copy"]);
  const coded = await asTransportStream(cartoon, 60, standardDefinition);

  const plan = new Plan(t, 50);
  const sent = (clip: string, protocol: "udp" | "rtp") => (address: string, port: number) =>
    new Sender(t, address, port, { clip, protocol }).start(0);
  await plan.addLive("H.264 and AAC 44.1 kHz by UDP", sent(copied, "udp"));
  await plan.addLive("MPEG-2 576i25 and MP2 by RTP", sent(coded, "rtp"), "rtp");
  plan.add("H.264 and AAC file", { type: "file", path: clip("movie-hello.mp4").path });
  plan.add("Theora and Vorbis file", { type: "file", path: clip("movie-hello.ogg").path });

  const played = 20;
  const recordings = await plan.record(23, async () => {
    const watching = run(
      "ffmpeg",
      [
        ...["-v", "error", "-i", `udp://${plan.address(0)}:${plan.port(0)}?localaddr=127.0.0.1&fifo_size=50000`],
        // Its time begins with the sound; pictures begin with the next IDR picture, up to a GOP of one second later.
        ...["-t", `${played + 1}`, "-progress", "-", "-f", "null", "-"],
      ],
      played + 20,
    );
    const shown = await vlc(t, plan.address(0), plan.port(0), played);
    const level = await volume(shown.sound);
    const frames = Number(/.*^frame=(\d+)$/ms.exec((await watching).stdout.toString())?.[1]);
    t.diagnostic(
      `played live for ${played} s: ffmpeg ${frames} pictures; VLC ${shown.snapshots.length} s of pictures, ` +
        `sound ${level.mean} dB (mean) ${level.max} dB (peak)`,
    );
    assert(frames >= played * 25 * 0.95, `ffmpeg: ${frames} pictures in ${played} s`);
    assert(shown.snapshots.length >= played * 0.85, `VLC: ${shown.snapshots.length} snapshots`);
    assert(level.mean > -50, `VLC: ${level.mean} dB`);
  });

  const sources = [{ ...cartoon, path: copied }, { ...cartoon, path: coded }, clip("movie-hello.mp4")];
  for (const [i, recorded] of recordings.entries()) {
    await assertClean(t, recorded);
    const level = await volume(recorded.file);
    assert(level.mean > -50, `${recorded.name}: ${level.mean} dB`);
    const { path, aspect } = sources[i] ?? clip("movie-hello.ogg");
    const [shown, sent] = [await pictures(recorded.file, aspect), await pictures(path, aspect)];
    const changes = `picture changes by ${movement(shown).toFixed(1)}/s of ${movement(sent).toFixed(1)}/s`;
    assert(movement(shown) > movement(sent) / 3, `${recorded.name}: ${changes}`);
    t.diagnostic(`${recorded.name}: ${changes}, sound ${level.mean} dB`);
    // What ffmpeg makes of this one's own sound is no reference.
    if (path.endsWith(".ogg")) continue;
    const out = { seen: shown, heard: await sound(recorded.file) };
    const source = { seen: sent, heard: await sound(path) };
    // A live source is longer than the recording, a file shorter: the piece is of the shorter one.
    const live = i < 2;
    const [piece, whole] = live ? [out, source] : [source, out];
    const start = piece.seen.times[0] ?? 0;
    const [from, to] = live ? [start + 8, start + 20] : [start + 1.5, start + 7];
    const { picture, sound: heard } = compare(piece, whole, from, to);
    const error = ms(heard.delay - picture.delay) * (live ? 1 : -1);
    t.diagnostic(
      `${recorded.name}: sound ${error.toFixed(1)} ms late ` +
        `(likeness of the picture ${picture.likeness.toFixed(2)}, of the sound ${heard.likeness.toFixed(2)})`,
    );
    assert(picture.likeness > 0.6 && heard.likeness > 0.6, "the output does not show and play what was sent");
    // Where little happens in the picture, a single frame's wait tells.
    assert(Math.abs(error) <= lipSyncMs + frameMs / 2, `${recorded.name}: sound ${error} ms late`);
  }
});
