/** The AVI infoframe (CEA-861-F, 6.4): what a source says of its picture's colours. */
import type { ColourSpace, VideoSignal } from "../signal.ts";

/** Y of data byte 1. */
const colourSpaces: readonly (ColourSpace | undefined)[] = ["rgb", "ycbcr-422", "ycbcr-444", "ycbcr-420"];

/** Without an infoframe (DVI), a picture is RGB of full range. */
const dvi = { colourSpace: "rgb", range: "full" } as const;

/**
 * Colour space and range of a picture, from the infoframe's bytes after its header (checksum first, at least 6), or
 * of DVI when there is none. Where the source leaves the range to the format, television formats (VIC 2 and more) have
 * the limited one and computer formats the full one (CEA-861-F, 5.1).
 */
export function coloursOf(avi: Uint8Array | undefined): Pick<VideoSignal, "colourSpace" | "range"> {
  if (avi === undefined) return dvi;
  const [, space = 0, , rgbRange = 0, format = 0, yccRange = 0] = avi;
  const colourSpace = colourSpaces[space >> 5];
  if (colourSpace === undefined) return dvi;
  if (colourSpace !== "rgb") return { colourSpace, range: yccRange >> 6 === 1 ? "full" : "limited" };
  const said = (rgbRange >> 2) & 0b11;
  const limited = said === 1 || (said === 0 && (format & 0x7f) > 1);
  return { colourSpace, range: limited ? "limited" : "full" };
}
