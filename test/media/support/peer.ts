/** Programs of others: how a test runs them, and VLC, which wants no root. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Scope } from "./worker.ts";

export interface Ran {
  code: number | null;
  stdout: Buffer;
  stderr: string;
}

/** Collects what a process says until it has ended; SIGKILL after `seconds`. */
export async function ended(child: ChildProcess, seconds: number): Promise<Ran> {
  const parts: Buffer[] = [];
  let stderr = "";
  child.stdout?.on("data", (data: Buffer) => parts.push(data));
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const timer = setTimeout(() => child.kill("SIGKILL"), seconds * 1000);
  const [code] = (await once(child, "close").finally(() => clearTimeout(timer))) as [number | null];
  return { code, stdout: Buffer.concat(parts), stderr };
}

/** Runs a program, which must end well within `seconds`; `input` is what it reads. */
export async function run(file: string, args: readonly string[], seconds = 30, input = ""): Promise<Ran> {
  const child = spawn(file, args, { stdio: ["pipe", "pipe", "pipe"] });
  child.stdin.on("error", () => {}); // it may end without reading
  child.stdin.end(input);
  const ran = await ended(child, seconds);
  assert.equal(ran.code, 0, `${file} ${args.join(" ")}\n${ran.stderr}`);
  return ran;
}

/** Decoded with all warnings shown: what ffmpeg has to say of a file. */
export async function complaints(file: string): Promise<string> {
  return (await run("ffmpeg", ["-v", "warning", "-i", file, "-map", "0", "-f", "null", "-"], 60)).stderr;
}

export interface VlcShow {
  /** One picture each second, oldest first. */
  snapshots: string[];
  /** The sound, a WAV file. */
  sound: string;
  log: string;
}

/** The identity of nobody, which VLC takes where the tests run as root. */
const nobody = { uid: 65534, gid: 65534 };

/** VLC plays a multicast stream of `lo` for so long; `ratio` frames give one snapshot. */
export async function vlc(t: Scope, address: string, port: number, seconds: number, ratio = 25): Promise<VlcShow> {
  const folder = await mkdtemp(join(tmpdir(), "steadycast-vlc-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await chmod(folder, 0o777);
  const sound = join(folder, "sound.wav");
  const scene = ["--video-filter=scene", "--scene-format=png", `--scene-ratio=${ratio}`, `--scene-path=${folder}`];
  const child = spawn(
    "vlc",
    [
      ...["-I", "dummy", "--no-media-library", "--vout=vdummy", "-A", "afile", `--audiofile-file=${sound}`, ...scene],
      ...["--scene-prefix=s", `--run-time=${seconds}`, "--miface=lo", `udp://@${address}:${port}`, "vlc://quit"],
    ],
    {
      stdio: ["ignore", "ignore", "pipe"],
      env: { ...process.env, HOME: folder, XDG_CONFIG_HOME: folder, XDG_CACHE_HOME: folder },
      ...(process.getuid?.() === 0 ? nobody : {}),
    },
  );
  t.after(() => child.kill("SIGKILL"));
  const { stderr } = await ended(child, seconds + 20);
  const names = (await readdir(folder)).filter((name) => name.endsWith(".png")).sort();
  return { snapshots: names.map((name) => join(folder, name)), sound, log: stderr };
}

/** Mean and highest level of the first sound track, dBFS. */
export async function volume(file: string): Promise<{ mean: number; max: number }> {
  const { stderr } = await run("ffmpeg", ["-i", file, "-map", "0:a:0", "-af", "volumedetect", "-f", "null", "-"], 60);
  const level = (name: string) => Number(new RegExp(`${name}_volume: (-?[\\d.]+) dB`).exec(stderr)?.[1]);
  return { mean: level("mean"), max: level("max") };
}

/** A picture file as RGB, 8 bit. */
export async function rgb(file: string, width: number, height: number): Promise<(x: number, y: number) => number[]> {
  const { stdout } = await run("ffmpeg", [
    ...["-v", "error", "-i", file, "-vf", `scale=${width}:${height}`, "-pix_fmt", "rgb24", "-f", "rawvideo", "-"],
  ]);
  assert.equal(stdout.length, width * height * 3);
  return (x, y) => [...stdout.subarray((y * width + x) * 3, (y * width + x) * 3 + 3)];
}
