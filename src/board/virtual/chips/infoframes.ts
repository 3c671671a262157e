/** Infoframes as an HDMI source sends them (CEA-861-F, 6.4 and 6.6): the bytes after the header, checksum first. */
import type { Programme } from "../model.ts";

/** Video identification codes of CTA-861, of 16:9 where there are two; computers' pictures have none. */
export const codes: Record<string, number> = {
  "640x480p60": 1,
  "720x480p60": 3,
  "1280x720p60": 4,
  "1920x1080i30": 5,
  "720x480i30": 7,
  "1920x1080p60": 16,
  "720x576p50": 18,
  "1280x720p50": 19,
  "1920x1080i25": 20,
  "720x576i25": 22,
  "1920x1080p50": 31,
  "1920x1080p24": 32,
  "1920x1080p25": 33,
  "1920x1080p30": 34,
  "1280x720p30": 62,
  "3840x2160p24": 93,
  "3840x2160p25": 94,
  "3840x2160p30": 95,
  "3840x2160p50": 96,
  "3840x2160p60": 97,
};

const spaces = ["rgb", "ycbcr-422", "ycbcr-444", "ycbcr-420"] as const;

/** A usual source: it leaves the range of RGB to the format where that is the right one, and says it otherwise. */
export function aviInfoframe({ width, height, interlaced, rate, colourSpace, range }: Programme): Uint8Array {
  const vic = codes[`${width}x${height}${interlaced ? "i" : "p"}${Math.round(rate[0] / rate[1])}`] ?? 0;
  const usual = vic > 1 ? "limited" : "full";
  const rgb = colourSpace === "rgb";
  const rgbRange = !rgb || range === usual ? 0 : range === "limited" ? 1 : 2;
  const yccRange = !rgb && range === "full" ? 1 : 0;
  return summed(0x82, 2, [spaces.indexOf(colourSpace) << 5, 0, rgbRange << 2, vic, yccRange << 6, ...Array(8).fill(0)]);
}

export function audioInfoframe(channels: number): Uint8Array {
  return summed(0x84, 1, [channels - 1, ...Array(9).fill(0)]);
}

function summed(type: number, version: number, data: number[]): Uint8Array {
  const sum = data.reduce((total, byte) => total + byte, type + version + data.length);
  return Uint8Array.from([-sum & 0xff, ...data]);
}
