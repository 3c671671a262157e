/** What is played into the product: recorded clips of Debian packages, and clips with a flash and a beep at once. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { run } from "./peer.ts";

const cache = fileURLToPath(new URL("../../../.cache/clips/", import.meta.url));

/** Makes a file or folder of the cache, once: `make` does it under a name of its own, so that no half of it is found. */
async function cached(name: string, make: (path: string) => Promise<unknown>): Promise<string> {
  const path = join(cache, name);
  if (existsSync(path)) return path;
  await mkdir(cache, { recursive: true });
  const half = join(cache, `${process.pid}-${name}`);
  try {
    await make(half);
    await rename(half, path);
  } catch (error) {
    await rm(half, { recursive: true, force: true });
    if (!existsSync(path)) throw error;
  }
  return path;
}

/** Unpacks a Debian package without installing it. */
async function debianPackage(name: string): Promise<string> {
  return cached(name, async (folder) => {
    await mkdir(folder);
    // In the folder's own directory, as apt-get downloads to where it is run. Lists that are missing or old are renewed.
    const download = `cd "$1" && apt-get -q -o APT::Sandbox::User=root download "$2"`;
    const script = `${download} || { apt-get -q update && ${download}; } && dpkg-deb -x *.deb . && rm -f ./*.deb`;
    await run("sh", ["-c", script, "sh", folder, name], 120);
  });
}

/** Has ffmpeg make a clip, which is known by its arguments and `ending`, the container's. */
async function clipBy(args: string[], ending: string): Promise<string> {
  const format = formats[ending] ?? assert.fail(`no format for ${ending}`);
  const name = createHash("sha256").update(args.join("\0")).digest("hex").slice(0, 16);
  return cached(`${name}.${ending}`, (file) => run("ffmpeg", ["-v", "error", ...args, "-f", format, file], 60));
}

/** Of ffmpeg's muxers, by the endings of their files. */
const formats: Record<string, string> = {
  ts: "mpegts",
  mp4: "mp4",
  mov: "mov",
  mkv: "matroska",
  avi: "avi",
  mpg: "vob",
};

export interface Clip {
  path: string;
  seconds: number;
  /** Width to height of the picture as shown. */
  aspect: number;
}

const probed = z.object({
  format: z.object({ duration: z.string() }),
  streams: z.array(
    z.object({
      codec_type: z.string(),
      width: z.int().optional(),
      height: z.int().optional(),
      sample_aspect_ratio: z.string().optional(),
    }),
  ),
});

/** The recorded clips that have a picture and sound, by file name. */
export async function recordedClips(): Promise<Map<string, Clip>> {
  const clips = new Map<string, Clip>();
  for (const name of ["forensics-samples-files", "openboard-common"]) {
    const folder = await debianPackage(name);
    const files = await readdir(folder, { recursive: true, encoding: "utf8" });
    for (const file of files.filter((each) => /\.(mp4|mov|mpe?g|avi|ogg|mkv|webm)$/.test(each))) {
      const path = join(folder, file);
      const { stdout } = await run("ffprobe", ["-v", "error", "-show_format", "-show_streams", "-of", "json", path]);
      const { format, streams } = probed.parse(JSON.parse(stdout.toString()));
      const picture = streams.find(({ codec_type }) => codec_type === "video");
      if (picture === undefined || !streams.some(({ codec_type }) => codec_type === "audio")) continue;
      const [across = 1, down = 1] = (picture.sample_aspect_ratio ?? "1:1").split(":").map(Number);
      const aspect = ((picture.width ?? 0) / (picture.height ?? 1)) * (across > 0 && down > 0 ? across / down : 1);
      clips.set(file.slice(file.lastIndexOf("/") + 1), { path, seconds: Number(format.duration), aspect });
    }
  }
  return clips;
}

/** A minute of a clip from `from` (s) on as a transport stream, copied or coded anew as `coding` says. */
export async function asTransportStream(clip: Clip, from: number, coding: string[]): Promise<string> {
  const part = ["-ss", `${from}`, "-t", "60", "-i", clip.path, "-map", "0:v:0", "-map", "0:a:0"];
  return clipBy([...part, ...coding], "ts");
}

export interface FlashClip {
  container: "ts" | "mp4" | "mov" | "mkv" | "avi" | "mpg";
  seconds: number;
  /** The picture, none: sound alone. Flashes last 0.1 s, or half the period at low rates. */
  picture?: { rate: string; coding: string[] };
  /** The sound, none: picture alone. */
  sound?: { rate: number; channels: number; coding: string[] };
  /** Seconds from one flash and beep to the next. */
  period?: number;
  /** For the multiplexer. */
  options?: string[];
}

/** A dim moving picture that turns white, and a tone that sounds, at the same moment each period. */
export async function flashClip(clip: FlashClip): Promise<string> {
  const { container, seconds, picture, sound, period = 1, options = [] } = clip;
  const flash = period > 1.5 ? period / 2 : 0.1;
  const inputs: string[] = [];
  if (picture) {
    const white = `drawbox=w=iw:h=ih:color=white:t=fill:enable='lt(mod(t+0.0005,${period}),${flash})'`;
    const dim = "lutyuv=y=16+(val-16)/4";
    inputs.push("-f", "lavfi", "-i", `testsrc2=size=320x180:rate=${picture.rate},${dim},${white},format=yuv420p`);
  }
  if (sound) {
    const tone = `0.5*sin(2*PI*1000*t)*lt(mod(t,${period}),0.1)`;
    inputs.push("-f", "lavfi", "-i", `aevalsrc='${tone}':s=${sound.rate}`);
  }
  const coding = [...(picture?.coding ?? []), ...(sound ? ["-ac", `${sound.channels}`, ...sound.coding] : [])];
  return clipBy([...inputs, "-t", `${seconds}`, ...coding, ...options], container);
}

/** A transport stream of constant rate, as a broadcast encoder sends it. */
export const constantRate = ["-muxrate", "2000k", "-pes_payload_size", "0"];

export const h264 = ["-c:v", "libx264", "-preset", "veryfast", "-b:v", "600k", "-g", "25"];
/** As SDTV was broadcast: 576i25. */
export const standardDefinition = [
  ...["-vf", "fps=50,scale=720:576,tinterlace=interleave_top,setfield=tff", "-flags", "+ilme+ildct"],
  ...["-c:v", "mpeg2video", "-b:v", "4M", "-maxrate", "6M", "-bufsize", "1835k", "-g", "12", "-bf", "2"],
  ...["-c:a", "mp2", "-b:a", "192k", "-ar", "48000"],
];
export const mpeg2 = ["-c:v", "mpeg2video", "-b:v", "1500k", "-g", "12", "-bf", "2"];
export const mjpeg = ["-c:v", "mjpeg", "-q:v", "5", "-pix_fmt", "yuvj420p"];
export const aac = ["-c:a", "aac", "-b:a", "96k"];
export const mp2 = ["-c:a", "mp2", "-b:a", "128k"];
export const pcm = ["-c:a", "pcm_s16le"];
