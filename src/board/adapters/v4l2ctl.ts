/** What v4l2-ctl (package v4l-utils) prints, read. Its texts are those of versions 1.16 to 1.30, in the C locale. */
import type { ColourSpace } from "../signal.ts";

/** Timings as the kernel has them (struct v4l2_bt_timings). */
export interface DvTimings {
  /** Active pixels, and active lines of a whole picture, both fields. */
  width: number;
  height: number;
  totalWidth: number;
  /** Lines of a whole picture with its blanking, both fields. */
  totalHeight: number;
  interlaced: boolean;
  /** Hz. */
  pixelClock: number;
  /** V4L2_DV_FL_REDUCED_FPS: the clock that comes is this one by 1.001. */
  reduced: boolean;
}

/** Result of one run. */
export interface Output {
  stdout: string;
  stderr: string;
}

function numberOf(text: string, name: string): number | undefined {
  const value = new RegExp(`^\\s*${name}:\\s*(\\d+)`, "m").exec(text)?.[1];
  return value === undefined ? undefined : Number(value);
}

/** The timings that --query-dv-timings prints; undefined where it prints none. */
export function parseTimings(stdout: string): DvTimings | undefined {
  const width = numberOf(stdout, "Active width");
  const height = numberOf(stdout, "Active height");
  const totalWidth = numberOf(stdout, "Total width");
  const totalHeight = numberOf(stdout, "Total height");
  const pixelClock = numberOf(stdout, "Pixelclock");
  if (!width || !height || !totalWidth || !totalHeight || !pixelClock) return undefined;
  const format = /^\s*Frame format:\s*(\w+)/m.exec(stdout)?.[1];
  const flags = /^\s*Flags:\s*(.*)$/m.exec(stdout)?.[1] ?? "";
  return {
    ...{ width, height, totalWidth, totalHeight, pixelClock },
    interlaced: format === "interlaced",
    reduced: /framerate is reduced by 1\/1\.001/.test(flags),
  };
}

/** The kernel's codes by the C library's words for them, which are all that v4l2-ctl tells. */
const words: Record<string, string> = {
  "Link has been severed": "ENOLINK",
  "No locks available": "ENOLCK",
  "Numerical result out of range": "ERANGE",
  "Result not representable": "ERANGE", // musl
  "Numerical argument out of domain": "EDOM",
  "No data available": "ENODATA",
  "Inappropriate ioctl for device": "ENOTTY",
  "Not a tty": "ENOTTY", // musl
  "Invalid argument": "EINVAL",
  "Argument list too long": "E2BIG",
  "Device or resource busy": "EBUSY",
  "Resource busy": "EBUSY", // musl
  "Permission denied": "EACCES",
  "Operation not permitted": "EPERM",
  "No such device": "ENODEV",
  "No such device or address": "ENXIO",
  "Input/output error": "EIO",
  "I/O error": "EIO", // musl
  "Remote I/O error": "EREMOTEIO",
  "Connection timed out": "ETIMEDOUT",
  "Operation timed out": "ETIMEDOUT", // musl
};

/**
 * The error of an ioctl ("VIDIOC_QUERY_DV_TIMINGS: failed: Link has been severed"): its code, or its words where they
 * are no known ones; undefined when it did not fail.
 */
export function ioctlError({ stderr, stdout }: Output, ioctl: string): string | undefined {
  const found = new RegExp(`\\b${ioctl}: failed: (.+)$`, "m").exec(`${stderr}\n${stdout}`)?.[1]?.trim();
  return found === undefined ? undefined : (words[found] ?? found);
}

/** The values of the controls that --list-ctrls prints, by their names; strings are left out. */
export function parseControls(stdout: string): Map<string, number> {
  const controls = new Map<string, number>();
  for (const line of stdout.split("\n")) {
    const [, name, value] = /^\s*(\w+)(?:\s+0x[0-9a-f]+)?\s+\([a-z0-9]+\)\s*:.*\bvalue=(-?\d\w*)/.exec(line) ?? [];
    if (name !== undefined && Number.isFinite(Number(value))) controls.set(name, Number(value));
  }
  return controls;
}

/** What the box gets of the pictures: of --get-subdev-fmt or --get-fmt-video. */
export interface PictureFormat {
  colourSpace: ColourSpace;
  range: "full" | "limited";
}

/**
 * The media bus code (MEDIA_BUS_FMT_UYVY8_2X8) or the fourcc ('NV16') and the quantization; undefined where neither is
 * there or known.
 */
export function parseFormat(stdout: string): PictureFormat | undefined {
  const code =
    /^\s*Mediabus Code\s*:.*MEDIA_BUS_FMT_(\w+)/m.exec(stdout)?.[1] ??
    /^\s*Pixel Format\s*:\s*'([^']{4})'/m.exec(stdout)?.[1];
  const colourSpace = code === undefined ? undefined : spaceOf(code);
  if (colourSpace === undefined) return undefined;
  const quantization = /^\s*Quantization\s*:\s*(.*)$/m.exec(stdout)?.[1] ?? "";
  return { colourSpace, range: /Full Range/.test(quantization) ? "full" : "limited" };
}

const spaces: readonly [RegExp, ColourSpace][] = [
  [/^(UYYVYY|NV12|NV21|NM12|NM21|YU12|YV12)/, "ycbcr-420"],
  [/^(UYVY|VYUY|YUYV|YVYU|NV16|NV61|NM16|NM61)/, "ycbcr-422"],
  [/^(YUV|VUY|NV24|NV42)/, "ycbcr-444"],
  [/^(RGB|BGR|GBR|RBG|BRG|XR24|AR24)/, "rgb"],
];

function spaceOf(code: string): ColourSpace | undefined {
  return spaces.find(([pattern]) => pattern.test(code))?.[1];
}

/** The bytes of --get-edid in its hexadecimal format, whatever remarks on checksums stand in between. */
export function parseEdid(stdout: string): Uint8Array {
  const rows = stdout.split("\n").filter((line) => /^\s*[0-9a-f]{2}( [0-9a-f]{2}){15}\s*$/i.test(line));
  return Uint8Array.from(
    rows.flatMap((row) =>
      row
        .trim()
        .split(" ")
        .map((byte) => Number.parseInt(byte, 16)),
    ),
  );
}

/** As --set-edid reads it. */
export function formatEdid(edid: Uint8Array): string {
  return Buffer.from(edid).toString("hex").replace(/(..)/g, "$1 ");
}
