import { useEffect, useState } from "preact/hooks";
import type { ApiError } from "../../api.ts";

/** Seconds until the box takes the next try; 0 when it does now. */
export function useWait(error: ApiError | null): number {
  const [seconds, setSeconds] = useState(0);
  useEffect(() => {
    const until = performance.now() + (error?.retryAfter ?? 0) * 1000;
    const tell = () => setSeconds(Math.max(0, Math.ceil((until - performance.now()) / 1000)));
    tell();
    if (error?.retryAfter == null) return;
    const timer = setInterval(tell, 500);
    return () => clearInterval(timer);
  }, [error]);
  return seconds;
}

/** Why the box refused, told to screen readers as well. `wait`: of a form that is held back for that long. */
export function Trouble({ error, wait: held }: { error: ApiError | null; wait?: number }) {
  const own = useWait(held === undefined ? error : null);
  const wait = held ?? own;
  return (
    <div class="form-trouble">
      <div role="alert">{error !== null && <p>{error.message}</p>}</div>
      {wait > 0 && <p>Try again in {wait} s.</p>}
    </div>
  );
}
