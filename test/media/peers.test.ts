/** What others make of a channel: ffprobe, ffmpeg, VLC, tstools, srt-live-transmit, and plain sockets. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { complaints, ended, rgb, run, vlc, volume } from "./support/peer.ts";
import { freeUdpPort } from "./support/srtPeer.ts";
import { Station } from "./support/station.ts";
import { trimmed } from "./support/transportFile.ts";
import { assertExactSteps, assertUnbroken, summary, Wire, wireReport } from "./support/wire.ts";
import { mediaDir, temporaryFolder } from "./support/worker.ts";

const recordedSeconds = 13;
const video = { width: 640, height: 360, bitrate: 1200, bFrames: 2 };
const source = { type: "test", width: 640, height: 360 };
const german = { codec: "aac", bitrate: 128, channels: 2, language: "deu" };
const french = { codec: "mp2", bitrate: 128, channels: 2, language: "fra" };

/** Constant rate: two multicast groups, RTP, unicast, SRT. */
const constant = { address: "239.255.7.1", port: 17_001 };
const second = { address: "239.255.7.2", port: 17_002 };
const rtp = { address: "239.255.7.3", port: 17_003 };
/** Variable rate. */
const variable = { address: "239.255.7.4", port: 17_004 };
/** So slow that a datagram lasts longer than many of the sender's ticks. */
const slow = { address: "239.255.7.5", port: 17_005 };

const [videoPid, germanPid, frenchPid] = [256, 257, 258];
const streams = [videoPid, germanPid, frenchPid];

const probed = z.object({
  programs: z.tuple([
    z.object({
      program_num: z.int(),
      pmt_pid: z.int(),
      pcr_pid: z.int(),
      tags: z.object({ service_name: z.string(), service_provider: z.string() }),
      streams: z.array(
        z.object({
          id: z.string(),
          codec_name: z.string(),
          codec_tag: z.string(),
          profile: z.string().optional(),
          width: z.int().optional(),
          height: z.int().optional(),
          has_b_frames: z.int().optional(),
          avg_frame_rate: z.string(),
          sample_rate: z.string().optional(),
          channels: z.int().optional(),
          tags: z.object({ language: z.string() }).optional(),
        }),
      ),
    }),
  ]),
});

/** What ffprobe says of a file, and that it warns of nothing. */
async function probe(file: string): Promise<z.infer<typeof probed>["programs"][0]> {
  const args = ["-v", "warning", "-show_programs", "-show_streams", "-of", "json", file];
  const { stdout, stderr } = await run("ffprobe", args);
  assert.equal(stderr, "");
  return probed.parse(JSON.parse(stdout.toString())).programs[0];
}

/** `tsreport -buffering`, and that it complains of nothing: its complaints begin with `###` and `!!!`. */
async function tsreport(t: TestContext, file: string): Promise<void> {
  const text = (await run("tsreport", ["-buffering", file])).stdout.toString();
  assert.doesNotMatch(text, /^(###|!!!|\?\?\?)/m);
  const gaps = /PCRs found: (\d+), Bad \(>\.1s\) gaps: (\d+), Max gap: (\d+)t/.exec(text);
  assert(gaps !== null, text);
  assert(Number(gaps[1]) > 300 && gaps[2] === "0" && Number(gaps[3]) <= 0.035 * 90_000, gaps[0]);
  const parts = text.split(/^Stream \d+: /m).slice(1);
  assert.equal(parts.length, streams.length);
  for (const [i, part] of parts.entries()) {
    assert.match(part, /duplicate packets: 0$/m);
    const [, smallest, largest] =
      /PCR\/.*DTS:\s+Minimum difference was (-?\d+)t.*\s+Maximum difference was (-?\d+)t/.exec(part) ?? [];
    assert(Number(smallest) > 0, `a unit comes after its decoding time: ${part}`);
    const [, shortest, longest] = /DTS-last DTS: min=(\d+)t, max=(\d+)t/.exec(part) ?? [];
    assert.equal(shortest, longest, part);
    assert.equal(Number(shortest), [3600, 1920, 2160][i]);
    t.diagnostic(`tsreport: PID ${streams[i]} ${smallest}…${largest} ticks ahead of its decoding time`);
  }
}

test("peers accept the stream", { concurrency: true }, async (t) => {
  const folder = await temporaryFolder(t);
  const unicast = { address: "127.0.0.1", port: await freeUdpPort() };
  const [sourcePort, srtPort] = [await freeUdpPort(), await freeUdpPort()];
  await Station.start(t, [
    {
      id: "ch1",
      name: "Constant rate",
      source,
      video,
      audio: [german, french],
      transport: { bitrate: 2000, serviceName: "Télé Größe", providerName: "Žluťoučký kůň" },
      outputs: [
        { type: "udp", id: "main", interface: "lo", ...constant, sourcePort, ttl: 5, dscp: 46 },
        { type: "udp", id: "second", interface: "lo", ...second, ttl: 64, dscp: 0 },
        { type: "rtp", id: "rtp", interface: "lo", ...rtp, ttl: 255, dscp: 34 },
        { type: "udp", id: "unicast", ...unicast, ttl: 7, dscp: 10 },
        { type: "srt", id: "srt", mode: "listener", port: srtPort },
      ],
    },
    {
      id: "ch2",
      name: "Variable rate",
      source,
      video: { ...video, rateControl: "capped-vbr", maxBitrate: 1600 },
      audio: [german, french],
      transport: { mode: "vbr", bitrate: 2400, serviceName: "Πρόγραμμα", providerName: "Первый", programmeNumber: 77 },
      outputs: [{ type: "udp", id: "main", interface: "lo", ...variable }],
    },
    {
      id: "ch3",
      name: "Low rate",
      source: { ...source, width: 160, height: 120 },
      video: { width: 160, height: 120, bitrate: 100 },
      audio: [{ ...french, bitrate: 64, channels: 1 }],
      transport: { bitrate: 300 },
      outputs: [{ type: "udp", id: "main", interface: "lo", ...slow }],
    },
  ]);

  const kinds = [
    { name: "constant", ...constant, programme: 1, service: "Télé Größe", provider: "Žluťoučký kůň" },
    { name: "variable", ...variable, programme: 77, service: "Πρόγραμμα", provider: "Первый" },
  ] as const;
  const files = kinds.map(({ name }) => join(folder, `${name}.ts`));
  const wires = await Promise.all(kinds.map(({ address, port }, i) => Wire.watch(t, address, port, files[i])));
  await Promise.all(wires.map((wire) => wire.watched(recordedSeconds)));
  const reports = await Promise.all(wires.map((wire) => wire.report()));

  for (const [i, { name, programme, service, provider }] of kinds.entries()) {
    const report = reports[i] ?? assert.fail();
    const recorded = files[i] ?? assert.fail();
    const whole = await trimmed(recorded, streams);

    await t.test(`the analyser finds the ${name} rate clean`, (t) => {
      t.diagnostic(summary(report));
      assertUnbroken(report, { gapMs: 40, except: name === "variable" ? ["datagram size"] : [] });
      assertExactSteps(report, videoPid, 3600);
      assertExactSteps(report, germanPid, 1920);
      assertExactSteps(report, frenchPid, 2160);
    });

    await t.test(`ffprobe reads the ${name} rate`, async (t) => {
      const found = await probe(whole);
      assert.equal(found.program_num, programme);
      assert.deepEqual([found.pmt_pid, found.pcr_pid], [4096, videoPid]);
      assert.deepEqual(found.tags, { service_name: service, service_provider: provider });
      const said = found.streams.map(({ id, codec_name, codec_tag, tags }) => [
        ...[Number(id), codec_name, Number(codec_tag), tags?.language],
      ]);
      assert.deepEqual(said, [
        [videoPid, "h264", 0x1b, undefined],
        [germanPid, "aac", 0x0f, "deu"],
        [frenchPid, "mp2", 0x03, "fra"],
      ]);
      const [picture, ...sounds] = found.streams;
      const { width, height, avg_frame_rate, has_b_frames, profile } = picture ?? assert.fail();
      assert.deepEqual([width, height, avg_frame_rate, profile], [640, 360, "25/1", "High"]);
      assert((has_b_frames ?? 0) > 0, "no B frames");
      for (const { sample_rate, channels } of sounds) assert.deepEqual([sample_rate, channels], ["48000", 2]);
      t.diagnostic(`service "${found.tags.service_name}" of "${found.tags.service_provider}", ${said.join("; ")}`);
    });

    await t.test(`ffmpeg decodes the ${name} rate without a warning`, async (t) => {
      assert.equal(await complaints(whole), "");
      const counted = await run("ffprobe", [
        ...["-v", "error", "-count_frames", "-show_entries", "stream=nb_read_frames", "-of", "csv=p=0", whole],
      ]);
      const frames = [...new Set(counted.stdout.toString().trim().split(/\s+/))].map(Number);
      assert((frames[0] ?? 0) >= 250, `only ${frames[0]} pictures`);
      t.diagnostic(`${frames.join(", ")} pictures and sound frames`);
    });

    await t.test(`tstools find no error in the ${name} rate`, async (t) => {
      const info = (await run("tsinfo", [recorded])).stdout.toString();
      assert.match(info, new RegExp(`Program ${programme} -> PID 1000`));
      for (const type of ["1b", "0f", "03"]) assert.match(info, new RegExp(`Stream type ${type} `));
      for (const language of ["deu", "fra"]) assert.match(info, new RegExp(`Languages: ${language}`));
      assert.doesNotMatch(info, /^(###|!!!)/m);
      await tsreport(t, recorded);
    });
  }

  // The peers below receive what is on air now, side by side.
  const low = t.test("a low rate is sent evenly, too", async (t) => {
    const wire = await Wire.watch(t, slow.address, slow.port);
    await wire.watched(3);
    const report = await wire.report();
    t.diagnostic(summary(report));
    assertUnbroken(report, { gapMs: 60 });
    assertExactSteps(report, videoPid, 3600);
  });

  const shown = t.test("VLC shows the test picture and plays the beeps", async (t) => {
    const { snapshots, sound, log } = await vlc(t, constant.address, constant.port, 5);
    const shown = snapshots.at(-1);
    assert(shown !== undefined, log);
    const pixel = await rgb(shown, video.width, video.height);
    // SMPTE colour bars: seven in the upper two thirds, and their counterparts below.
    const bars = [
      [255, 255, 255],
      [255, 255, 0],
      [0, 255, 255],
      [0, 255, 0],
      [255, 0, 255],
      [255, 0, 0],
      [0, 0, 255],
    ];
    const lower = [
      [0, 0, 255],
      [0, 0, 0],
      [255, 0, 255],
      [0, 0, 0],
      [0, 255, 255],
      [0, 0, 0],
      [255, 255, 255],
    ];
    let furthest = 0;
    for (const [row, colours] of [bars, lower].entries()) {
      colours.forEach((colour, i) => {
        const at = pixel(
          Math.round(((i + 0.5) * video.width) / 7),
          Math.round(video.height * (row === 0 ? 0.55 : 0.71)),
        );
        const far = Math.max(...at.map((value, k) => Math.abs(value - (colour[k] ?? 0))));
        furthest = Math.max(furthest, far);
        assert(far < 48, `bar ${i + 1} of row ${row + 1} is ${at}, not ${colour}`);
      });
    }
    const level = await volume(sound);
    assert(level.max > -20, `peak ${level.max} dBFS`);
    t.diagnostic(`${snapshots.length} snapshots, colours off by ≤ ${furthest} of 255, sound peak ${level.max} dBFS`);
  });

  const srt = t.test("srt-live-transmit receives it all", async (t) => {
    const file = join(folder, "srt.ts");
    const url = `srt://127.0.0.1:${srtPort}?mode=caller&transtype=live`;
    const child = spawn("srt-live-transmit", ["-q", "-t:5", "-chunk:1316", url, "file://con"], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    t.after(() => child.kill("SIGKILL"));
    const { stdout } = await ended(child, 20);
    await writeFile(file, stdout);
    const analysed = await run(join(mediaDir, "analyse/analyse"), ["--file", file, "--json"]);
    const report = wireReport
      .pick({ tr101290: true, pcr: true })
      .extend({ skippedBytes: z.int(), errors: z.array(z.unknown()) })
      .parse(JSON.parse(analysed.stdout.toString()));
    t.diagnostic(
      `${(stdout.length / 188).toFixed(0)} packets, ${report.errors.length} errors, PCR ±${report.pcr[0]?.errorNs} ns`,
    );
    assert(stdout.length > (3 * 2_000_000) / 8, `only ${stdout.length} bytes`);
    assert.equal(report.skippedBytes, 0);
    assert.deepEqual(report.errors, []);
    for (const [check, count] of Object.entries(report.tr101290)) assert.equal(count, 0, check);
    assert((report.pcr[0]?.errorNs ?? Infinity) <= 100 && report.pcr[0]?.discontinuities === 0);
  });

  const received = t.test("ffmpeg and the analyser receive RTP", async (t) => {
    const sdp = `v=0\no=- 0 0 IN IP4 127.0.0.1\ns=-\nc=IN IP4 ${rtp.address}/255\nt=0 0\nm=video ${rtp.port} RTP/AVP 33\n`;
    const [description, received] = [join(folder, "rtp.sdp"), join(folder, "rtp.ts")];
    await writeFile(description, sdp);
    const wire = await Wire.watch(t, rtp.address, rtp.port);
    // Copied, as a decoder that joins in the middle complains; copying begins at the first key frame.
    const copied = await run("ffmpeg", [
      ...["-v", "error", "-protocol_whitelist", "file,rtp,udp", "-localaddr", "127.0.0.1", "-i", description],
      ...["-map", "0:v", "-map", "0:a", "-c", "copy", "-t", "5", "-f", "mpegts", received],
    ]);
    const report = await wire.report();
    t.diagnostic(`${summary(report)}; ffmpeg received ${(await stat(received)).size} bytes`);
    assertUnbroken(report, { gapMs: 40 });
    assert.doesNotMatch(copied.stderr, /RTP: (missed|PT)|max delay reached|corrupt/);
    const { stdout } = await run("ffprobe", [
      ...["-v", "error", "-select_streams", "v", "-count_packets", "-show_entries", "stream=nb_read_packets"],
      ...["-of", "csv=p=0", received],
    ]);
    // The five seconds begin with the first sound, a quarter of a second before the picture that is sent beside it;
    // pictures are copied from the first key frame on, up to a GOP later.
    assert(Number.parseInt(stdout.toString(), 10) >= 5 * 25 - 25 - 10, `only ${stdout} pictures`);
  });

  const headers = t.test("all destinations get the same packets, each with its own header", async (t) => {
    const script = fileURLToPath(new URL("support/capture.py", import.meta.url));
    const wanted: { address: string; port: number; dscp: number; ttl: number; sourcePort?: number }[] = [
      { ...constant, dscp: 46, ttl: 5, sourcePort },
      { ...second, dscp: 0, ttl: 64 },
      { ...rtp, dscp: 34, ttl: 255 },
      { ...unicast, dscp: 10, ttl: 7 },
    ];
    const addresses = wanted.map(({ address, port }) => `${address}:${port}`);
    const { stdout } = await run("python3", [script, "3", folder, ...addresses]);
    const seen = stdout.toString().trim().split("\n");
    const captures = await Promise.all(wanted.map((_, i) => payloads(join(folder, `${i}`))));
    for (const [i, { dscp, ttl, sourcePort: from }] of wanted.entries()) {
      const found = z
        .object({ dscp: z.array(z.int()), ttl: z.array(z.int()), sourcePort: z.array(z.int()), datagrams: z.int() })
        .parse(JSON.parse(seen[i] ?? ""));
      t.diagnostic(`${addresses[i]}: ${seen[i]}`);
      assert.deepEqual([found.dscp, found.ttl], [[dscp], [ttl]]);
      if (from !== undefined) assert.deepEqual(found.sourcePort, [from]);
      assert.equal(found.sourcePort.length, 1);
    }
    // RTP has a header of 12 bytes. The sockets were opened one after the other: compared is what all have.
    const stripped = captures.map((datagrams, i) => datagrams.map((d) => d.subarray(i === 2 ? 12 : 0)));
    const all = stripped.map((datagrams) => Buffer.concat(datagrams));
    const start = stripped[3]?.[0] ?? assert.fail("nothing by unicast");
    const aligned = all.map((bytes) => bytes.subarray(bytes.indexOf(start)));
    const length = Math.min(...aligned.map(({ length }) => length));
    assert(length > (2 * 2_000_000) / 8, `only ${length} bytes in common`);
    for (const bytes of aligned) assert(bytes.subarray(0, length).equals(aligned[0]?.subarray(0, length) ?? start));
    t.diagnostic(`${length} bytes the same at ${aligned.length} destinations`);
  });

  await Promise.all([low, shown, srt, received, headers]);
});

/** The datagrams that capture.py wrote. */
async function payloads(file: string): Promise<Buffer[]> {
  const bytes = await readFile(file);
  const found: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const size = bytes.readUInt32BE(at);
    found.push(bytes.subarray(at + 4, at + 4 + size));
    at += 4 + size;
  }
  return found;
}
