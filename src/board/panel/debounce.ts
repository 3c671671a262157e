import type { Clock, GpioInput } from "../ports.ts";

/** ms that a contact must have been quiet: longer than it bounces, shorter than anyone presses. */
const QUIET = 20;

/**
 * Follows a key's line and tells each press and release, once its contact is quiet. A line that is active at the start
 * is stuck: it tells nothing until it was released once. Returns the function that ends it.
 * @throws BusError when the line cannot be read
 */
export async function debounce(
  line: GpioInput,
  clock: Clock,
  listener: (pressed: boolean) => void,
): Promise<() => void> {
  let cancel = () => {};
  let latest: boolean | undefined;
  // Until it is known to be released, it counts as stuck.
  let told: boolean | undefined;
  const settle = () => {
    if (latest === told) return;
    const isStuck = told === undefined;
    if (isStuck && latest === true) return;
    told = latest;
    if (!isStuck) listener(latest === true);
  };
  const unwatch = line.watch((active) => {
    latest = active;
    cancel();
    cancel = clock.after(QUIET, settle);
  });
  const end = () => {
    unwatch();
    cancel();
  };
  try {
    const active = await line.read();
    // An edge that came meanwhile is newer.
    latest ??= active;
    if (!latest) told = false;
  } catch (error) {
    end();
    throw error;
  }
  return end;
}
