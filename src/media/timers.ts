/** Time as the supervision of the workers sees it; tests bring their own. */
export interface Timers {
  /** Milliseconds of a clock that never jumps. */
  now(): number;
  /** Runs `task` once after `ms` milliseconds; returns what calls it off. */
  after(ms: number, task: () => void): () => void;
}

export const systemTimers: Timers = {
  now: () => performance.now(),
  after(ms, task) {
    const timer = setTimeout(task, ms);
    return () => clearTimeout(timer);
  },
};

/** Waits `ms` milliseconds. */
export function delay(timers: Timers, ms: number): Promise<void> {
  return new Promise((resolve) => {
    timers.after(ms, resolve);
  });
}

/** Waits for `promise`, at most `ms` milliseconds: true when it was fulfilled in time. */
export function within(timers: Timers, ms: number, promise: Promise<unknown>): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const cancel = timers.after(ms, () => resolve(false));
    promise.then(
      () => {
        cancel();
        resolve(true);
      },
      (error: unknown) => {
        cancel();
        reject(error);
      },
    );
  });
}
