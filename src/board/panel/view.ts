/** What the front panel shows, before any display: the menu makes views, displays render them as well as they can. */

export interface Row {
  text: string;
  /** Shown at the right end, or on the line below where there is no room. */
  value?: string;
}

export interface View {
  title: string;
  /** A list, scrolled so that the selected row can be seen. */
  rows: readonly Row[];
  selected?: number;
  /** Index of the character of the selected row's value that is being edited. */
  cursor?: number;
  /** Text for a QR code, which graphic displays show beside the rows. */
  qr?: string;
  /** Only for who stands before the box: mirrors do not show it. */
  secret?: true;
}

/** A picture as a display shows it, also for mirrors. */
export type Picture =
  | {
      kind: "graphic";
      width: number;
      height: number;
      /** One bit a pixel, rows from the top, the leftmost pixel in the highest bit; ceil(width / 8) bytes a row. */
      pixels: Uint8Array;
    }
  | {
      kind: "text";
      /** Each as long as the display has columns. */
      lines: readonly string[];
      /** Cell that blinks. */
      cursor?: { row: number; column: number };
    };

export type Brightness = "normal" | "dim" | "off";

/** A display with its controller. */
export interface Display {
  readonly kind: Picture["kind"];
  /** Sets the controller up; also after it was reset or away. @throws BusError */
  start(): Promise<void>;
  /** The view as this display shows it. */
  render(view: View): Picture;
  /** Brings the display to this picture, transferring only what differs from the last one. @throws BusError */
  show(picture: Picture): Promise<void>;
  brightness(level: Brightness): Promise<void>;
}
