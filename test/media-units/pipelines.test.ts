import assert from "node:assert/strict";
import test from "node:test";
import { type ChannelConfig, channel, type DirectSource, defaultConfig, source } from "../../src/config/schema.ts";
import { frameRate } from "../../src/media/codecs.ts";
import { caps, chain, element, fileUri } from "../../src/media/launch.ts";
import { programPipeline, type SourcePipeline, sourcePipeline } from "../../src/media/pipelines.ts";
import { Random } from "../support/random.ts";

const base = defaultConfig("lo").channels[0] as ChannelConfig;

function channelWith(patch: Record<string, unknown>): ChannelConfig {
  return channel.parse({ ...structuredClone(base), ...patch });
}

function pipelineOf(config: unknown, { stamp = false, video = {} } = {}): SourcePipeline {
  const changed = channelWith({ source: config, video });
  return sourcePipeline(changed.source as DirectSource, changed.video, "pc", { stamp });
}

function sourceLaunch(config: unknown, stamp = false): string {
  return pipelineOf(config, { stamp }).launch;
}

/** A launch description as gst_parse_launch takes it apart, with the values of free settings left out. */
function skeleton(launch: string): string[] {
  return launch.split(/\s+/).map((word) => word.replace(/^(uri|device|address|multicast-iface|port)=.*/, "$1="));
}

test("only safe words become values", () => {
  assert.equal(
    element("udpsrc", { address: "239.1.2.3", port: 5, reuse: true }),
    "udpsrc address=239.1.2.3 port=5 reuse=true",
  );
  assert.equal(element("x", { a: undefined, b: "" }), "x");
  assert.equal(caps("video/x-raw", { width: 5, level: undefined, format: "I420" }), "video/x-raw,width=5,format=I420");
  assert.equal(chain("a", undefined, "b"), "a ! b");
  for (const value of ["a b", "a!b", 'a"b', "a'b", "a\\b", "a\tb", "a\nb", "ä", "\0"]) {
    assert.throws(() => element("x", { name: value }), /cannot stand in a launch description/);
    assert.throws(() => caps("video/x-raw", { format: value }), /cannot stand in a launch description/);
  }
  assert.throws(() => element("x", { size: Number.NaN }), /cannot stand/);
});

test("file URIs encode everything but unreserved characters", () => {
  assert.equal(fileUri("/media/a b.ts"), "file:///media/a%20b.ts");
  assert.equal(fileUri("/ä/100%/~x-y_z"), "file:///%C3%A4/100%25/~x-y_z");
  assert.equal(fileUri('/a" ! fakesink name=x \\'), "file:///a%22%20%21%20fakesink%20name%3Dx%20%5C");
});

test("no configuration value can inject an element", () => {
  const random = new Random(20);
  const attacks = [
    " ",
    "!",
    '"',
    "'",
    "\\",
    "\\\\",
    "\t",
    "\n",
    " ! filesink location=/x ",
    "(",
    ")",
    "{",
    ";",
    ".",
    ":",
    "=",
    ",",
    "$",
    "%",
    "ä",
    "\ud800",
    "a",
    "7",
    "/",
  ];
  const hostile = () => Array.from({ length: 1 + random.below(12) }, () => random.pick(attacks)).join("");
  const benign = {
    file: { type: "file", path: "/a" },
    ip: { type: "ip", address: "239.1.1.1", interface: "eth0" },
    capture: { type: "capture", videoDevice: "/dev/video0", audioDevice: "hw:1,0" },
    test: { type: "test" },
  };
  let accepted = 0;
  for (let round = 0; round < 12_000; round++) {
    const kind = random.pick(["file", "ip", "capture", "test"] as const);
    const config: Record<string, unknown> = { ...benign[kind] };
    const fields = Object.keys(config).filter((field) => field !== "type");
    const field = random.pick([...fields, "pattern"]);
    config[field] = random.pick(["", "/", "/dev/", "hw:", "eth"]) + hostile();
    // What the schema refuses never gets here.
    const parsed = source.safeParse(config);
    if (!parsed.success || (kind === "capture" && parsed.data.type === "capture" && parsed.data.audioDevice === ""))
      continue;
    if (kind === "ip" && parsed.data.type === "ip" && parsed.data.interface === "") continue;
    accepted++;
    const launch = sourceLaunch(config);
    assert.deepEqual(skeleton(launch), skeleton(sourceLaunch(benign[kind])), JSON.stringify(config));
    assert.match(launch, /^[\x21-\x7e ]*$/);
    assert.doesNotMatch(launch, /["'\\{}$]/, launch);
  }
  assert.ok(accepted > 500, `only ${accepted} were accepted`);
});

test("the test picture is what is asked for", () => {
  assert.match(
    sourceLaunch({ type: "test" }),
    /^videotestsrc is-live=true pattern=smpte ! video\/x-raw,format=I420,width=1280,height=720,framerate=25\/1 !/,
  );
  assert.match(sourceLaunch({ type: "test" }), / audiotestsrc is-live=true wave=ticks /);
  assert.doesNotMatch(sourceLaunch({ type: "test", sound: false }), /audio/);
  assert.match(sourceLaunch({ type: "test" }, true), /identity name=stamp/);
  assert.doesNotMatch(sourceLaunch({ type: "test" }), /name=stamp/);
});

test("a test picture whose clock is off is made at another pace, and called the nominal one", () => {
  const launch = sourceLaunch({ type: "test", frameRate: "59.94", clockOffset: 100 });
  assert.match(launch, /,framerate=599460539\/10000000 ! capssetter caps=video\/x-raw,framerate=60000\/1001 ! /);
  assert.match(launch, / ! audio\/x-raw,rate=48005 ! capssetter caps=audio\/x-raw,rate=48000 ! /);
});

test("an interlaced test picture has fields of different times", () => {
  const launch = sourceLaunch({ type: "test", interlaced: true, frameRate: "29.97" });
  assert.match(
    launch,
    /framerate=60000\/1001 ! .* ! interlace field-pattern=1:1 top-field-first=true ! video\/x-raw,interlace-mode=interleaved ! identity name=mode/,
  );
});

test("an IP source takes the programme, buffer and interface that are set", () => {
  const udp = sourceLaunch({
    type: "ip",
    address: "239.1.1.1",
    port: 5000,
    interface: "eth1",
    programme: 7,
    latencyMs: 300,
  });
  assert.match(
    udp,
    /^udpsrc address=239\.1\.1\.1 port=5000 multicast-iface=eth1 .* ! tsparse .* ! tsdemux name=demux program-number=7 latency=300 /,
  );
  const rtp = sourceLaunch({ type: "ip", protocol: "rtp", address: "0.0.0.0", port: 5000 });
  assert.match(
    rtp,
    /caps=application\/x-rtp,.*encoding-name=MP2T.* ! rtpjitterbuffer latency=50 ! rtpmp2tdepay ! tsparse/,
  );
  assert.match(rtp, /program-number=-1 /);
  assert.doesNotMatch(rtp, /multicast-iface/);
  assert.equal(pipelineOf({ type: "ip", latencyMs: 900 }).latencyMs, 900);
});

test("files loop, live sources do not", () => {
  const loops = (config: unknown) => pipelineOf(config).loop;
  assert.equal(loops({ type: "file", path: "/a.ts" }), true);
  for (const type of ["test", "ip", "capture"]) assert.equal(loops({ type }), false);
});

test("a capture without an audio device has no sound", () => {
  assert.doesNotMatch(sourceLaunch({ type: "capture" }), /audio/);
  assert.match(
    sourceLaunch({ type: "capture", audioDevice: "hw:1,0" }),
    /alsasrc device=hw:1,0 provide-clock=false slave-method=re-timestamp/,
  );
});

test("every source ends in the programme's picture and in stereo at 48 kHz", () => {
  for (const [width, height, colorimetry] of [
    [1920, 1080, "bt709"],
    [720, 576, "bt601"],
  ] as const) {
    for (const config of [
      { type: "test" },
      { type: "file", path: "/a" },
      { type: "ip" },
      { type: "capture", audioDevice: "hw:0" },
    ]) {
      const { launch } = pipelineOf(config, { video: { width, height } });
      const picture = `video/x-raw,format=I420,width=${width},height=${height},pixel-aspect-ratio=1/1,colorimetry=${colorimetry} ! appsink name=video`;
      assert.ok(launch.includes(`identity name=mode silent=true ! deinterlace mode=auto fields=all`), launch);
      assert.ok(launch.includes(picture), launch);
      assert.ok(
        launch.endsWith("audioconvert ! audio/x-raw,format=S16LE,channels=2,layout=interleaved ! appsink name=audio"),
        launch,
      );
    }
  }
});

test("rockchip pictures are NV12", () => {
  const { launch } = sourcePipeline(base.source as DirectSource, base.video, "rockchip", { stamp: false });
  assert.match(launch, /format=NV12,width=1280,height=720,pixel-aspect-ratio=1\/1/);
  assert.equal(programPipeline(base, "rockchip").format, "NV12");
});

test("the program has a source and a sink for every stream", () => {
  const audio = [
    { codec: "aac", bitrate: 128 },
    { codec: "mp2", bitrate: 192, channels: 1 },
  ];
  const { launch, streams } = programPipeline(channelWith({ audio }), "pc");
  const [video, aac, mp2] = launch.split(/ (?=appsrc)/);
  assert.match(video ?? "", /^appsrc name=video ! x264enc name=venc .* ! appsink name=out0$/);
  assert.match(
    aac ?? "",
    /^appsrc name=audio0 ! .*avenc_aac name=aenc0 bitrate=128000 .*stream-format=adts ! appsink name=out1$/,
  );
  assert.match(
    mp2 ?? "",
    /^appsrc name=audio1 ! .*twolamemp2enc name=aenc1 bitrate=192 mode=mono .* ! appsink name=out2$/,
  );
  assert.deepEqual(streams, [
    { codec: "h264", rate: [25, 1], bitrate: 3_000_000 },
    { codec: "aac", rate: [48000, 1024], bitrate: 128_000 },
    { codec: "mp2", rate: [48000, 1152], bitrate: 192_000 },
  ]);
});

test("frame rates are exact", () => {
  assert.deepEqual(frameRate("23.976"), [24000, 1001]);
  assert.deepEqual(frameRate("29.97"), [30000, 1001]);
  assert.deepEqual(frameRate("59.94"), [60000, 1001]);
  assert.deepEqual(frameRate("50"), [50, 1]);
});
