/** Peers of SRT outputs die, freeze and refuse: the other outputs see nothing of it. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import test, { type TestContext } from "node:test";
import type { OutputStatus } from "../../src/channels/status.ts";
import { freeUdpPort } from "./support/srtPeer.ts";
import { audioPid, audioStep, Station, smallChannel, videoPid, videoStep } from "./support/station.ts";
import { assertExactSteps, assertUnbroken, summary, Wire } from "./support/wire.ts";
import { until } from "./support/worker.ts";

/** srt-live-transmit, counting what it receives. */
class Peer {
  bytes = 0;
  readonly #process: ChildProcess;

  constructor(t: TestContext, url: string) {
    this.#process = spawn("srt-live-transmit", ["-q", "-autoreconnect:no", "-chunk:1316", url, "file://con"], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    this.#process.stdout?.on("data", (data: Buffer) => {
      this.bytes += data.length;
    });
    t.after(() => this.#process.kill("SIGKILL"));
  }

  async receives(): Promise<void> {
    const before = this.bytes;
    await until("data over SRT", () => this.bytes > before + 50_000, 30_000);
  }

  async kill(): Promise<void> {
    const closed = once(this.#process, "close");
    this.#process.kill("SIGKILL");
    await closed;
  }

  signal(signal: "SIGSTOP" | "SIGCONT"): void {
    this.#process.kill(signal);
  }
}

const rounds = 5;
const callers = 4;
const passphrase = "correct-horse-battery";

// SRT takes seconds to notice that a peer is dead, so four outputs go through it side by side: 20 kills in all.
test("SRT peers are killed, frozen, refused", async (t) => {
  const ports = await Promise.all(Array.from({ length: callers }, freeUdpPort));
  const [listenerPort, refusedPort] = [await freeUdpPort(), await freeUdpPort()];
  const srt = { type: "srt", address: "127.0.0.1" };
  const station = await Station.start(t, [
    smallChannel("239.255.6.30", 16_030, {
      outputs: [
        { type: "udp", id: "main", address: "239.255.6.30", port: 16_030, interface: "lo" },
        ...ports.map((port, i) => ({ ...srt, id: `caller${i}`, mode: "caller", port, passphrase })),
        { ...srt, id: "listener", mode: "listener", port: listenerPort },
        { ...srt, id: "refused", mode: "caller", port: refusedPort },
      ],
    }),
  ]);
  const becomes = (id: string, wanted: (output: OutputStatus) => boolean) =>
    station.figures(({ outputs }) => outputs.some((output) => output.id === id && wanted(output)), 30_000);
  const wire = await Wire.watch(t, "239.255.6.30", 16_030);
  for (let round = 0; round < rounds; round++) {
    const peers = [
      ...ports.map((port) => new Peer(t, `srt://127.0.0.1:${port}?mode=listener&passphrase=${passphrase}`)),
      ...ports.map(() => new Peer(t, `srt://127.0.0.1:${listenerPort}?mode=caller`)),
    ];
    await Promise.all(peers.map((peer) => peer.receives()));
    for (const peer of peers) peer.signal("SIGSTOP");
    // Long enough in some rounds for the outputs to give the frozen peers up.
    if (round % 2 === 0) await becomes("caller0", ({ state }) => state !== "connected");
    for (const peer of peers) peer.signal("SIGCONT");
    await Promise.all(peers.map((peer) => peer.kill()));
    for (let i = 0; i < callers; i++) await becomes(`caller${i}`, ({ state }) => state !== "connected");
  }
  const { workers } = await becomes("refused", ({ state, detail }) => state !== "connected" && detail !== "");
  const report = await wire.report();
  t.diagnostic(summary(report));
  assertUnbroken(report, { gapMs: 40 });
  assertExactSteps(report, videoPid, videoStep);
  assertExactSteps(report, audioPid, audioStep);
  for (const { name, starts } of workers) assert.equal(starts, 1, `${name} was started ${starts} times`);
});
