/** The EDID's RAM of ITE's receivers, at an address of its own while its window is open. */
export class ItEdidRam {
  readonly #bytes = new Uint8Array(256);
  /** Written only while it is not shown to the source. */
  writable = false;
  /** The register of the window: address times 2, and bit 0, which opens it. */
  window = 0;

  get bytes(): Uint8Array {
    return this.#bytes.slice();
  }

  get open(): boolean {
    return (this.window & 1) === 1;
  }

  get addresses(): readonly number[] {
    return this.open ? [this.window >> 1] : [];
  }

  transfer([at = 0, ...values]: Uint8Array, length: number): Uint8Array {
    for (const [index, value] of values.entries()) if (this.writable) this.#bytes[(at + index) & 0xff] = value;
    return Uint8Array.from({ length }, (_, index) => this.#bytes[(at + index) & 0xff] ?? 0);
  }

  /** RAM holds nothing in particular after power-up. */
  reset(): void {
    this.#bytes.fill(0x5a);
    this.window = 0;
    this.writable = false;
  }
}
