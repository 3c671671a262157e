/** A live IP source: ffmpeg plays a clip into a multicast group, as another encoder would. */
import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, renameSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";

/** A minute of moving picture with a tone, 640×360p25, made once per machine. */
export function testClip(): string {
  const folder = join(tmpdir(), "steadycast-clips");
  const clip = join(folder, "clip-640x360p25-60s.ts");
  if (existsSync(clip)) return clip;
  mkdirSync(folder, { recursive: true });
  const half = `${clip}.${process.pid}.ts`;
  const picture = ["-f", "lavfi", "-i", "testsrc2=size=640x360:rate=25"];
  const sound = ["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000"];
  const video = ["-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-b:v", "1M", "-g", "25"];
  execFileSync("ffmpeg", [
    ...["-v", "error", "-y", ...picture, ...sound, "-t", "60", ...video, "-c:a", "aac", "-ac", "2", "-b:a", "96k"],
    half,
  ]);
  renameSync(half, clip);
  return clip;
}

export interface SenderOptions {
  clip?: string;
  protocol?: "udp" | "rtp";
}

export class Sender {
  #process: ChildProcess | undefined;

  constructor(
    t: TestContext,
    readonly address: string,
    readonly port: number,
    readonly options: SenderOptions = {},
  ) {
    t.after(() => this.stop());
  }

  /** Plays the clip from `position` (s) on. */
  start(position: number): void {
    assert(this.#process === undefined, "it runs");
    const { clip = testClip(), protocol = "udp" } = this.options;
    const to = `${protocol}://${this.address}:${this.port}?localaddr=127.0.0.1&pkt_size=1316&ttl=0`;
    this.#process = spawn(
      "ffmpeg",
      [
        ...["-v", "error", "-re", "-ss", `${position}`, "-stream_loop", "-1", "-i", clip, "-c", "copy"],
        ...["-f", protocol === "udp" ? "mpegts" : "rtp_mpegts", to],
      ],
      { stdio: ["ignore", "ignore", "inherit"] },
    );
  }

  async stop(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const closed = once(child, "close");
    child.kill("SIGKILL");
    await closed;
  }

  signal(signal: "SIGSTOP" | "SIGCONT"): void {
    this.#process?.kill(signal);
  }
}
