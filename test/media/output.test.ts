/** `output` between a tap and a real SRT peer: what it sends, and how it stands what peers, tap and users do to it. */
import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import test, { describe, type TestContext } from "node:test";
import { type OutputSpec, outputEvent, outputStats } from "../../src/media/protocol.ts";
import { freeUdpPort, SrtPeer } from "./support/srtPeer.ts";
import { FakeTap } from "./support/tap.ts";
import { NativeWorker, Refused, temporaryFolder } from "./support/worker.ts";

/** libsrt takes a silent peer for dead after this time, ms. */
const idleTimeoutMs = 5100;

interface Rig {
  tap: FakeTap;
  worker: NativeWorker;
  spec: OutputSpec;
}

/** An output with a tap; the spec is for a caller to a free port, not applied yet. */
async function rig(t: TestContext, change: Partial<OutputSpec> = {}, bitrate?: number): Promise<Rig> {
  const folder = await temporaryFolder(t);
  const tap = await FakeTap.serve(t, join(folder, "tap.sock"), bitrate);
  const worker = await NativeWorker.spawn(t, "output", { folder });
  const port = await freeUdpPort();
  const spec: OutputSpec = {
    ...{ channel: "one", id: "srt", tap: tap.path, kind: "srt", mode: "caller", address: "127.0.0.1", port },
    ...{ latencyMs: 300, passphrase: "", streamId: "", ...change },
  };
  return { tap, worker, spec };
}

const inState = (state: string) => (event: { state: string }) => event.state === state;
const stats = async (worker: NativeWorker) => outputStats.parse(await worker.request("stats"));
const residentKiB = (pid: number) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
const count = (pid: number, what: "fd" | "task") => readdirSync(`/proc/${pid}/${what}`).length;

function assertUnbroken(peer: SrtPeer): void {
  assert.equal(peer.received.syncErrors, 0);
  assert.equal(peer.received.continuityErrors, 0);
}

describe("output", { concurrency: 6, timeout: 150_000 }, () => {
  test("calls a listener and sends it every packet", async (t) => {
    const { worker, spec } = await rig(t);
    const peer = new SrtPeer(t, { mode: "listener", port: spec.port });
    assert.deepEqual(await worker.apply(spec), { live: [], rebuilt: [""] });
    const connected = await worker.waitFor(outputEvent, inState("connected"));
    assert.equal(connected.detail, `connected to 127.0.0.1:${spec.port}`);
    await peer.receive(3000);
    assertUnbroken(peer);
    const measured = await worker.waitFor(outputStats, (event) => event.bitrate > 3_600_000);
    assert.ok(measured.bitrate < 4_400_000, `${measured.bitrate} bit/s`);
    assert.equal(measured.peers, 1);
    assert.equal(measured.dropped, 0);
    assert.ok(measured.rttMs > 0);
    const { bytes } = await stats(worker);
    assert.ok(bytes >= peer.received.packets * 188, `${bytes} bytes`);
  });

  test("serves several callers; one that leaves or freezes disturbs none", async (t) => {
    const { worker, spec } = await rig(t, { mode: "listener", address: "0.0.0.0" });
    await worker.apply(spec);
    await worker.waitFor(outputEvent, inState("listening"));
    const callers = Array.from({ length: 3 }, () => new SrtPeer(t, { mode: "caller", port: spec.port }));
    await worker.waitFor(outputEvent, (event) => event.detail === "called by 3 peers");
    await Promise.all(callers.map((caller) => caller.receive(1000)));
    const [leaving, freezing, staying] = callers as [SrtPeer, SrtPeer, SrtPeer];
    await leaving.kill("SIGTERM");
    await worker.waitFor(outputEvent, (event) => /^called by 2 peers; .* closed the connection$/.test(event.detail));
    assertUnbroken(leaving);
    await freezing.kill("SIGSTOP");
    const lost = await worker.waitFor(outputEvent, (event) => event.detail.endsWith("any more"));
    assert.match(lost.detail, /^called by 127\.0\.0\.1:\d+; no answer from 127\.0\.0\.1:\d+ any more$/);
    await staying.receive(1000);
    assertUnbroken(staying);
    assert.equal((await stats(worker)).peers, 1);
  });

  test("refuses a ninth caller", async (t) => {
    const { worker, spec } = await rig(t, { mode: "listener" }, 500_000);
    await worker.apply(spec);
    await worker.waitFor(outputEvent, inState("listening"));
    for (let i = 0; i < 8; i++) new SrtPeer(t, { mode: "caller", port: spec.port });
    await worker.waitFor(outputEvent, (event) => event.detail === "called by 8 peers");
    const ninth = new SrtPeer(t, { mode: "caller", port: spec.port });
    await worker.waitFor(outputEvent, (event) => /refused 127\.0\.0\.1:\d+: too many callers$/.test(event.detail));
    await ninth.kill("SIGTERM");
    assert.equal((await stats(worker)).peers, 8);
  });

  test("encrypts, and says when the passphrases differ: caller", async (t) => {
    const { worker, spec } = await rig(t, { passphrase: "correct-horse-battery" });
    const peer = new SrtPeer(t, { mode: "listener", port: spec.port, passphrase: spec.passphrase });
    await worker.apply({ ...spec, passphrase: "wrong-horse-battery" });
    await worker.waitFor(outputEvent, (event) => event.detail === "refused: wrong passphrase");
    await worker.apply({ ...spec, passphrase: "" });
    await worker.waitFor(outputEvent, (event) => event.detail === "refused: the peer asks for a passphrase");
    assert.deepEqual(await worker.apply(spec), { live: [], rebuilt: ["/passphrase"] });
    await worker.waitFor(outputEvent, inState("connected"));
    await peer.receive(1000);
    assertUnbroken(peer);
  });

  test("encrypts, and says when the passphrases differ: listener", async (t) => {
    const { worker, spec } = await rig(t, { mode: "listener", passphrase: "correct-horse-battery" });
    await worker.apply(spec);
    await worker.waitFor(outputEvent, inState("listening"));
    for (const passphrase of ["wrong-horse-battery", undefined]) {
      const stranger = new SrtPeer(t, { mode: "caller", port: spec.port, ...(passphrase && { passphrase }) });
      await worker.waitFor(outputEvent, (event) => event.detail.endsWith(": passphrase does not match"));
      await stranger.kill("SIGTERM");
      assert.equal(stranger.received.packets, 0);
    }
    const peer = new SrtPeer(t, { mode: "caller", port: spec.port, passphrase: spec.passphrase });
    await worker.waitFor(outputEvent, inState("connected"));
    await peer.receive(1000);
    assertUnbroken(peer);
  });

  test("as a listener accepts callers with its stream id only, as a caller shows its own", async (t) => {
    const { worker, spec } = await rig(t, { mode: "listener", streamId: "one" });
    await worker.apply(spec);
    await worker.waitFor(outputEvent, inState("listening"));
    for (const streamId of ["two", undefined]) {
      const stranger = new SrtPeer(t, { mode: "caller", port: spec.port, ...(streamId && { streamId }) });
      await worker.waitFor(outputEvent, (event) => event.detail.endsWith(": wrong stream id"));
      await stranger.kill("SIGTERM");
      assert.equal(stranger.received.packets, 0);
    }
    const peer = new SrtPeer(t, { mode: "caller", port: spec.port, streamId: spec.streamId });
    await worker.waitFor(outputEvent, inState("connected"));
    await peer.receive(500);
    assertUnbroken(peer);

    const caller = await NativeWorker.spawn(t, "output");
    await caller.apply({ ...spec, mode: "caller", streamId: "two" });
    await caller.waitFor(outputEvent, (event) => event.detail === "refused: the peer does not permit this stream id");
    await caller.apply({ ...spec, mode: "caller" });
    await caller.waitFor(outputEvent, inState("connected"));
  });

  test("comes back to a peer that is killed, 21 cycles, with current data", { timeout: 120_000 }, async (t) => {
    const cycles = async () => {
      const { worker, spec } = await rig(t, {}, 2_000_000);
      await worker.apply(spec);
      let before: number[] = [];
      for (let cycle = 0; cycle < 3; cycle++) {
        const started = process.hrtime.bigint();
        const peer = new SrtPeer(t, { mode: "listener", port: spec.port });
        await worker.waitFor(outputEvent, inState("connected"), 8000);
        await peer.receive(500);
        assertUnbroken(peer);
        const headStartMs = Number((peer.received.firstMade ?? 0n) - started) / 1e6;
        assert.ok(headStartMs > 0, `began with data made ${-headStartMs} ms before the peer was started`);
        if (cycle === 1) before = [count(worker.pid, "fd"), count(worker.pid, "task")];
        await peer.kill("SIGKILL");
        const lost = await worker.waitFor(outputEvent, inState("connecting"), idleTimeoutMs + 3000);
        assert.equal(lost.detail, `no answer from 127.0.0.1:${spec.port} any more`);
      }
      assert.equal((await stats(worker)).reconnects, 2);
      const after = [count(worker.pid, "fd"), count(worker.pid, "task")];
      assert.ok(
        after.every((value, i) => value <= (before[i] ?? 0) + 4),
        `descriptors and threads grew from ${before} to ${after}`,
      );
    };
    await Promise.all(Array.from({ length: 7 }, cycles));
  });

  test("comes back at once to a peer that closes and returns", async (t) => {
    const { worker, spec } = await rig(t);
    await worker.apply(spec);
    for (let cycle = 0; cycle < 3; cycle++) {
      const peer = new SrtPeer(t, { mode: "listener", port: spec.port });
      await worker.waitFor(outputEvent, inState("connected"));
      await peer.receive(200);
      await peer.kill("SIGTERM");
      const lost = await worker.waitFor(outputEvent, inState("connecting"), 1000);
      assert.equal(lost.detail, `127.0.0.1:${spec.port} closed the connection`);
    }
  });

  test("keeps little for a frozen peer, finds out, and comes back", async (t) => {
    const bitrate = 20_000_000;
    const { worker, spec } = await rig(t, {}, bitrate);
    const peer = new SrtPeer(t, { mode: "listener", port: spec.port });
    await worker.apply(spec);
    await worker.waitFor(outputEvent, inState("connected"));
    await peer.receive(10_000);
    const before = residentKiB(worker.pid);
    await peer.kill("SIGSTOP");
    await worker.waitFor(outputStats, (event) => event.dropped > 0);
    await worker.waitFor(outputEvent, inState("connecting"), idleTimeoutMs + 3000);
    const grownKiB = residentKiB(worker.pid) - before;
    const secondsKept = (grownKiB * 1024 * 8) / bitrate;
    assert.ok(secondsKept < 2.5, `${grownKiB} KiB more, ${secondsKept.toFixed(1)} s of the stream`);
    await peer.kill("SIGKILL");
    const next = new SrtPeer(t, { mode: "listener", port: spec.port });
    await worker.waitFor(outputEvent, inState("connected"));
    await next.receive(1000);
    assertUnbroken(next);
  });

  test("calls for ever where nobody answers", async (t) => {
    const { worker, spec } = await rig(t);
    await worker.apply(spec);
    const failed = await worker.waitFor(outputEvent, inState("failed"));
    assert.equal(failed.detail, `no answer from 127.0.0.1:${spec.port}`);
    const peer = new SrtPeer(t, { mode: "listener", port: spec.port });
    await worker.waitFor(outputEvent, inState("connected"));
    await peer.receive(200);
  });

  test("says that a port is in use, and listens once it is free", async (t) => {
    const { worker, spec } = await rig(t, { mode: "listener" });
    const other = createSocket("udp4").bind(spec.port, "127.0.0.1");
    await once(other, "listening");
    await worker.apply(spec);
    const failed = await worker.waitFor(outputEvent, inState("failed"));
    assert.equal(failed.detail, `cannot listen on 127.0.0.1:${spec.port}: another program uses this port`);
    await worker.apply({ ...spec, address: "192.0.2.1" });
    await worker.waitFor(outputEvent, (event) => event.detail.endsWith("this is not an address of the box"));
    other.close();
    await worker.apply(spec);
    await worker.waitFor(outputEvent, inState("listening"));
  });

  test("resolves host names, and says when there is none", async (t) => {
    const { worker, spec } = await rig(t, { address: "localhost" });
    const peer = new SrtPeer(t, { mode: "listener", port: spec.port });
    await worker.apply({ ...spec, address: "no-such-host.invalid" });
    const failed = await worker.waitFor(outputEvent, inState("failed"));
    assert.match(failed.detail, /^no address for no-such-host\.invalid: /);
    await worker.apply(spec);
    await worker.waitFor(outputEvent, inState("connected"));
    await peer.receive(200);
  });

  test("waits for a tap that is away, and keeps the connection meanwhile", async (t) => {
    const { tap, worker, spec } = await rig(t);
    const peer = new SrtPeer(t, { mode: "listener", port: spec.port });
    await worker.apply(spec);
    await worker.waitFor(outputEvent, inState("connected"));
    await peer.receive(500);
    assertUnbroken(peer);
    await tap.goAway();
    const waiting = await worker.waitFor(outputEvent, inState("waiting"));
    assert.equal(waiting.detail, `no transport stream from the channel; connected to 127.0.0.1:${spec.port}`);
    await tap.comeBack();
    await worker.waitFor(outputEvent, inState("connected"), 1000);
    await peer.receive(500);
    tap.disturb();
    await peer.receive(500);
    const { reconnects } = await stats(worker);
    assert.equal(reconnects, 0);
    assert.equal(peer.received.syncErrors, 0);
  });

  test("changes what has to be changed, and nothing at an equal spec", async (t) => {
    const { worker, spec } = await rig(t);
    const peer = new SrtPeer(t, { mode: "listener", port: spec.port });
    await worker.apply(spec);
    await worker.waitFor(outputEvent, inState("connected"));
    await peer.receive(200);
    assert.deepEqual(await worker.apply(spec), { live: [], rebuilt: [] });
    const renamed = { ...spec, channel: "two", id: "srt2" };
    assert.deepEqual(await worker.apply(renamed), { live: ["/channel", "/id"], rebuilt: [] });
    await peer.receive(200);
    assertUnbroken(peer);
    const second = await FakeTap.serve(t, `${spec.tap}2`);
    assert.deepEqual(await worker.apply({ ...renamed, tap: second.path }), { live: [], rebuilt: ["/tap"] });
    await peer.receive(200);
    const port = await freeUdpPort();
    const moved = { ...renamed, tap: second.path, mode: "listener" as const, port, latencyMs: 400 };
    assert.deepEqual(await worker.apply(moved), { live: [], rebuilt: ["/mode", "/port", "/latencyMs"] });
    await worker.waitFor(outputEvent, inState("listening"));
    const caller = new SrtPeer(t, { mode: "caller", port });
    await caller.receive(200);
    assert.deepEqual(await worker.apply({ ...moved, streamId: "x" }), { live: [], rebuilt: ["/streamId"] });
    await worker.waitFor(outputEvent, inState("listening"));
    const known = new SrtPeer(t, { mode: "caller", port, streamId: "x" });
    await known.receive(200);
  });

  test("refuses a bad spec, naming the field, and goes on as before", async (t) => {
    const { worker, spec } = await rig(t);
    const peer = new SrtPeer(t, { mode: "listener", port: spec.port });
    await worker.apply(spec);
    await worker.waitFor(outputEvent, inState("connected"));
    await peer.receive(200);
    const bad: [string, unknown, RegExp][] = [
      ["kind", "rist", /srt.*rist/],
      ["mode", "rendezvous", /caller, listener.*rendezvous/],
      ["channel", "", /1 to 64.*0/],
      ["tap", `/${"x".repeat(107)}`, /107.*108/],
      ["address", "0.0.0.0", /peer's address.*0\.0\.0\.0/],
      ["address", "239.1.2.3", /unicast.*239\.1\.2\.3/],
      ["address", "::1", /host name or an IPv4 address.*::1/],
      ["address", "", /1 to 253/],
      ["port", 0, /1 and 65535.*0/],
      ["port", 65536, /1 and 65535.*65536/],
      ["port", "9000", /whole number/],
      ["latencyMs", 19, /20 and 8000.*19/],
      ["latencyMs", 8001, /20 and 8000.*8001/],
      ["passphrase", "nine char", /10 to 79.*9/],
      ["passphrase", "x".repeat(80), /79.*80/],
      ["passphrase", "contains\ttabulator", /printable ASCII, character 9/],
      ["passphrase", null, /string/],
      ["streamId", "x".repeat(513), /512.*513/],
      ["streamId", "münchen", /printable ASCII/],
      ["id", undefined, /missing/],
    ];
    for (const [field, value, message] of bad) {
      const refusal = await worker.apply({ ...spec, [field]: value }).then(
        () => assert.fail(`${field} ${value} was taken`),
        (error: unknown) => error,
      );
      assert.ok(refusal instanceof Refused, String(refusal));
      assert.equal(refusal.code, "invalid");
      assert.equal(refusal.field, `/${field}`);
      assert.match(refusal.message, message);
    }
    await assert.rejects(worker.request("apply"), { code: "invalid" });
    await assert.rejects(worker.request("keyframe"), { code: "unknown-method" });
    await peer.receive(200);
    assertUnbroken(peer);
  });

  test("ends in good order when asked to, closing the connection", async (t) => {
    const { worker, spec } = await rig(t);
    const peer = new SrtPeer(t, { mode: "listener", port: spec.port });
    await worker.apply(spec);
    await worker.waitFor(outputEvent, inState("connected"));
    await peer.receive(200);
    await worker.request("quit");
    assert.deepEqual(await worker.exited, { code: 0, signal: null });
    await peer.exited;
  });
});
