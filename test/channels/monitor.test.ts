import assert from "node:assert/strict";
import test from "node:test";
import { FaultBook } from "../../src/channels/faults.ts";
import { channelState, type Evidence, Monitor, outputUrl } from "../../src/channels/monitor.ts";
import { defaultConfig, output } from "../../src/config/schema.ts";
import { encodeStats, outputStats, transmitStats } from "./support/stats.ts";

const good: Evidence = {
  enabled: true,
  blocked: false,
  encode: "running",
  transmit: "running",
  onAir: true,
  source: "live",
  programme: "live",
  settled: true,
};

const running = { state: "running", lastExit: "", refusal: undefined } as const;

test("the state follows from the evidence", () => {
  const cases: [Partial<Evidence>, string][] = [
    [{}, "live"],
    [{ enabled: false }, "stopped"],
    [{ enabled: false, encode: "failed" }, "stopped"],
    [{ onAir: false }, "starting"],
    [{ transmit: "starting" }, "starting"],
    [{ transmit: "waiting" }, "starting"],
    [{ transmit: "failed", onAir: false }, "failed"],
    [{ encode: "failed", programme: "slate" }, "failed"],
    [{ blocked: true, transmit: null, onAir: false }, "failed"],
    [{ source: "held" }, "held"],
    [{ source: "lost" }, "slate"],
    [{ source: "starting" }, "slate"],
    [{ source: "starting", settled: false }, "starting"],
    [{ encode: "starting", source: "starting" }, "held"],
    [{ encode: "waiting", source: "starting", programme: "hold" }, "held"],
    [{ encode: "waiting", source: "starting", programme: "slate" }, "slate"],
    [{ encode: "starting", programme: "none", settled: false }, "starting"],
    [{ programme: "none" }, "slate"],
  ];
  for (const [change, state] of cases) {
    assert.equal(channelState({ ...good, ...change }), state, JSON.stringify(change));
  }
});

test("a channel is told of changes of its state, with their time", () => {
  let now = new Date("2026-01-01T00:00:00Z");
  const monitor = new Monitor(() => now);
  assert.equal(monitor.update(true, undefined, undefined), true);
  assert.deepEqual([monitor.state, monitor.since], ["starting", "2026-01-01T00:00:00.000Z"]);
  now = new Date("2026-01-01T00:00:02Z");
  monitor.takeTransmit({ ...transmitStats() });
  monitor.takeEncode({ ...encodeStats() });
  assert.equal(monitor.update(true, running, running), true);
  assert.deepEqual([monitor.state, monitor.since], ["live", "2026-01-01T00:00:02.000Z"]);
  now = new Date("2026-01-01T00:00:09Z");
  assert.equal(monitor.update(true, running, running), false);
  assert.equal(monitor.since, "2026-01-01T00:00:02.000Z");
});

test("a lost source is a fault until it is live", () => {
  const monitor = new Monitor();
  const ids = () => monitor.faults().map(({ id, severity }) => `${id} ${severity}`);
  monitor.takeEncode({ event: "source", state: "held", detail: "no frames" });
  assert.deepEqual(ids(), ["source-lost warning"]);
  monitor.takeEncode({ event: "source", state: "lost", detail: "no frames" });
  assert.deepEqual(ids(), ["source-lost error"]);
  assert.match(monitor.faults()[0]?.message ?? "", /no signal from the source: no frames/);
  // A new attempt is no evidence.
  monitor.takeEncode({ event: "source", state: "starting", detail: "" });
  assert.deepEqual(ids(), ["source-lost error"]);
  monitor.takeEncode({ event: "source", state: "live", detail: "" });
  assert.deepEqual(ids(), []);
});

test("a worker that is down is a fault until it runs", () => {
  const monitor = new Monitor();
  const ids = () => monitor.faults().map(({ id }) => id);
  monitor.update(true, { ...running, state: "starting" }, running);
  assert.deepEqual(ids(), [], "the first start is none");
  monitor.update(true, { ...running, state: "waiting", lastExit: "killed by SIGSEGV" }, running);
  assert.match(monitor.faults()[0]?.message ?? "", /The encoder has failed: killed by SIGSEGV/);
  monitor.update(true, { ...running, state: "failed", lastExit: "exit code 6" }, running);
  assert.match(monitor.faults()[0]?.message ?? "", /again and again, .*: exit code 6/);
  assert.equal(monitor.state, "failed");
  monitor.update(true, running, running);
  assert.deepEqual(ids(), []);
});

test("a refused spec is a fault that names the field, until another is taken", () => {
  const monitor = new Monitor();
  const refusal = { field: "/video/width", message: "must be even, is 3" };
  monitor.update(true, { ...running, refusal }, running);
  assert.deepEqual(
    monitor.faults().map(({ id }) => id),
    ["encoder-refused"],
  );
  assert.match(monitor.faults()[0]?.message ?? "", /\/video\/width must be even, is 3/);
  monitor.update(true, running, running);
  assert.deepEqual(monitor.faults(), []);
});

test("counted faults begin with an increase and end after five clean samples", () => {
  let now = new Date(0);
  const faults = new FaultBook(() => now);
  const count = (value: number) => faults.count("x", value, "error", "x");
  count(7);
  assert.equal(faults.has("x"), false, "what was counted before says nothing of now");
  now = new Date(1000);
  count(8);
  assert.equal(faults.has("x"), true);
  for (let i = 0; i < 4; i++) count(8);
  assert.equal(faults.has("x"), true);
  now = new Date(9000);
  count(9);
  assert.equal(faults.list()[0]?.since, "1970-01-01T00:00:01.000Z", "it is the same fault still");
  for (let i = 0; i < 5; i++) count(9);
  assert.equal(faults.has("x"), false);
  count(0);
  assert.equal(faults.has("x"), false, "a worker that was restarted counts from 0");
});

test("late units and failing destinations are faults", () => {
  const monitor = new Monitor();
  const ids = () => monitor.faults().map(({ id }) => id);
  const late = (count: number) =>
    monitor.takeTransmit(
      transmitStats((next) => {
        if (next.programmes[0]) next.programmes[0].late = count;
      }),
    );
  for (const count of [0, 3, 3, 4, 6]) late(count);
  assert.deepEqual(ids(), [], "a change of settings costs units for a moment");
  late(9);
  assert.deepEqual(ids(), ["mux-overflow"]);
  monitor.takeTransmit(
    transmitStats((next) => {
      if (next.destinations[0]) Object.assign(next.destinations[0], { errors: 2, lastError: "Network is unreachable" });
      next.tr101290.pcrAccuracy = 1;
    }),
  );
  assert.deepEqual(
    monitor.faults().map(({ id }) => id),
    ["mux-overflow", "stream-errors", "output-errors:main"],
  );
  assert.match(monitor.faults()[2]?.message ?? "", /Network is unreachable/);
  monitor.reset();
  assert.deepEqual(monitor.faults(), []);
});

test("an output without its peer is a fault of a caller, not of a listener", () => {
  const monitor = new Monitor();
  const ids = () => monitor.faults().map(({ id }) => id);
  assert.equal(monitor.judgeOutput("a", undefined).state, "off");
  assert.equal(monitor.judgeOutput("a", running).state, "connecting");
  assert.deepEqual(ids(), []);
  monitor.takeOutput("a", outputStats({ state: "connecting", detail: "connection refused" }));
  assert.deepEqual(monitor.judgeOutput("a", running), { state: "connecting", detail: "connection refused" });
  assert.deepEqual(ids(), ["output-down:a"]);
  monitor.takeOutput("a", { event: "output", state: "connected", detail: "" });
  assert.equal(monitor.judgeOutput("a", running).state, "connected");
  assert.deepEqual(ids(), []);
  monitor.takeOutput("b", outputStats({ state: "listening", detail: "waits for a caller" }));
  assert.equal(monitor.judgeOutput("b", running).state, "listening");
  assert.equal(monitor.judgeOutput("b", { ...running, state: "waiting", lastExit: "exit code 6" }).state, "error");
  assert.deepEqual(ids(), ["output-down:b"]);
  monitor.forgetOutput("b");
  assert.deepEqual(ids(), []);
});

test("events that are not as the protocol says are refused", () => {
  const monitor = new Monitor();
  assert.throws(() => monitor.takeEncode({ event: "stats" }));
  assert.throws(() => monitor.takeTransmit({ event: "programme", state: "odd" }));
  monitor.takeEncode({ event: "from a later version" });
});

test("addresses are written as players write them", () => {
  const [first] = defaultConfig().channels;
  assert.deepEqual(first?.outputs.map(outputUrl), ["udp://@239.10.0.1:1234"]);
  const url = (config: object) => outputUrl(output.parse(config));
  assert.equal(url({ type: "rtp", id: "a", address: "10.1.2.3", port: 5004 }), "rtp://10.1.2.3:5004");
  assert.equal(url({ type: "srt", id: "a", address: "example.net", port: 9000 }), "srt://example.net:9000?mode=caller");
});
