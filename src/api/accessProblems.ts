/** What the access service refuses, as problems. */
import type { Throttled, WeakPassword } from "../access/results.ts";
import { invalid, Problem } from "./problem.ts";

/** Too many wrong passwords. */
export function slow({ retryAfterSeconds }: Throttled): Problem {
  const headers = { "Retry-After": String(retryAfterSeconds) };
  return new Problem("too-many", `Too many wrong passwords; try again in ${retryAfterSeconds} s`, { headers });
}

/** Why a new password may not be set. */
export function weak({ message }: WeakPassword): Problem {
  return invalid([{ pointer: "/password", message }]);
}

/** Throws the problem of a password that was asked for again. */
export function confirmed<T extends { ok: boolean }>(result: T): Extract<T, { ok: true }> {
  if (result.ok) return result as Extract<T, { ok: true }>;
  if ("retryAfterSeconds" in result) throw slow(result as unknown as Throttled);
  // Not 401, by which a page would think that the session has ended.
  throw new Problem("forbidden", "The password is wrong");
}
