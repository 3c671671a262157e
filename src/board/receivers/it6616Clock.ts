/** The exact pixel clock of HDMI, from the numbers with which the source has the audio clock regenerated. */

/** Sampling rates by the code in bits 24–27 of the channel status (IEC 60958-3), Hz. */
export const audioRates: ReadonlyMap<number, number> = new Map([
  [0x00, 44100],
  [0x02, 48000],
  [0x03, 32000],
  [0x08, 88200],
  [0x0a, 96000],
  [0x0c, 176400],
  [0x0e, 192000],
]);

/** TMDS clock ÷ pixel clock: plain, deep colour, pixels sent twice or four times, 4:2:0 (counted in pairs: plain). */
const ratios = [1, 1.25, 1.5, 2, 4];
/** How far a rough clock may be off, as a fraction. */
const ROUGH = 0.04;

/**
 * The exact pixel clock (Hz) next to a rough one, and the sampling rate of the sound that it fits, or undefined when
 * none does. HDMI 1.4, 7.2: 128 · rate = TMDS clock · N ÷ CTS. The rate that the channel status says comes first; as
 * some sources leave it at 0 (44.1 kHz), the others are tried too.
 */
export function exactClock(
  rough: number,
  { n, cts, said }: { n: number; cts: number; said: number | undefined },
): { hz: number; audioRate: number } | undefined {
  const fits = (audioRate: number, ratio: number) => {
    const hz = (128 * audioRate * cts) / n / ratio;
    return Math.abs(hz / rough - 1) <= ROUGH ? { hz, audioRate } : undefined;
  };
  for (const ratio of said === undefined ? [] : ratios) {
    const exact = fits(said ?? 0, ratio);
    if (exact !== undefined) return exact;
  }
  for (const audioRate of audioRates.values()) {
    const exact = fits(audioRate, 1);
    if (exact !== undefined) return exact;
  }
  return undefined;
}
