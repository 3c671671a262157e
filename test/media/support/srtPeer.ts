/** A real SRT receiver: srt-live-transmit, whose output is checked packet by packet. */
import { type ChildProcess, spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import type { TestContext } from "node:test";
import { TapChecker } from "./tap.ts";
import { until } from "./worker.ts";

/** Below the ports that the kernel gives to senders, which could take one that is free for a while. */
let nextPort = 20_000 + Math.floor(Math.random() * 10_000);

/** A UDP port of 127.0.0.1 that is free now, and no other caller's. */
export async function freeUdpPort(): Promise<number> {
  for (;;) {
    const socket = createSocket("udp4").bind(nextPort++, "127.0.0.1");
    const free = await once(socket, "listening").then(
      () => true,
      () => false,
    );
    if (!free) continue;
    const { port } = socket.address();
    socket.close();
    await once(socket, "close");
    return port;
  }
}

export interface SrtPeerOptions {
  mode: "listener" | "caller";
  port: number;
  passphrase?: string;
  streamId?: string;
  latencyMs?: number;
}

export class SrtPeer {
  readonly received = new TapChecker();
  readonly exited: Promise<unknown>;
  stderr = "";
  #process: ChildProcess;

  constructor(t: TestContext, options: SrtPeerOptions) {
    const query = new URLSearchParams({ mode: options.mode, transtype: "live" });
    if (options.passphrase !== undefined) query.set("passphrase", options.passphrase);
    if (options.streamId !== undefined) query.set("streamid", options.streamId);
    if (options.latencyMs !== undefined) query.set("latency", String(options.latencyMs));
    this.#process = spawn(
      "srt-live-transmit",
      ["-q", "-autoreconnect:no", "-chunk:1316", `srt://127.0.0.1:${options.port}?${query}`, "file://con"],
      { stdio: ["ignore", "pipe", "pipe"] },
    );
    this.#process.stdout?.on("data", (data: Buffer) => this.received.push(data));
    this.#process.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.stderr += text;
    });
    this.exited = once(this.#process, "close");
    t.after(() => this.kill("SIGKILL"));
  }

  /** With SIGKILL and SIGTERM, returns when it is gone. */
  async kill(signal: NodeJS.Signals): Promise<void> {
    this.#process.kill(signal);
    if (signal === "SIGKILL" || signal === "SIGTERM") await this.exited;
  }

  /** Waits until this many packets more have come. */
  async receive(packets: number, timeoutMs = 10_000): Promise<void> {
    const goal = this.received.packets + packets;
    await until(`${packets} packets over SRT`, () => this.received.packets >= goal, timeoutMs);
  }
}
