/** The picture of a graphic display, from the form in which the API sends it. */
import type { PanelPicture } from "../src/api/boardControl.ts";

type Graphic = Extract<PanelPicture, { kind: "graphic" }>;
type Colour = readonly [red: number, green: number, blue: number];

/** Pixels for a canvas of the picture's size: red, green, blue and alpha of each. */
export function canvasPixels(
  { width, height, pixels }: Graphic,
  { lit, dark }: { lit: Colour; dark: Colour },
): Uint8ClampedArray<ArrayBuffer> {
  const packed = atob(pixels);
  const rowBytes = Math.ceil(width / 8);
  const colours = new Uint8ClampedArray(4 * width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const byte = packed.charCodeAt(y * rowBytes + (x >> 3));
      const on = (byte >> (7 - (x & 7))) & 1;
      colours.set([...(on ? lit : dark), 255], 4 * (y * width + x));
    }
  }
  return colours;
}
