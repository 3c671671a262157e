/** The frame rate where a chip measures too coarsely to tell 59.94 from 60. */
import { exactRate, type FrameRate } from "../signal.ts";

const wholeRates = [24, 25, 30, 48, 50, 60, 100, 120];

/**
 * The television rate within a fraction `accuracy` of a measured one, in pictures per second. Rates and their 1/1.001
 * are taken to be the same: pictures of 480 lines have the latter, as every standard for them says, all others the
 * former. Where no television rate fits, as with a graphics card's 75, the measured one in whole Hz.
 */
export function coarseRate(measured: number, accuracy: number, height: number): FrameRate {
  const distance = (rate: number) => Math.abs(rate / measured - 1);
  const [nearest] = wholeRates.filter((rate) => distance(rate) <= accuracy).sort((a, b) => distance(a) - distance(b));
  if (nearest === undefined) return [Math.round(measured), 1];
  return exactRate(height === 480 ? nearest / 1.001 : nearest);
}
