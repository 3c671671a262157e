/** What became of a change to the configuration. */
import type { ChangeResult } from "../config/store.ts";
import { invalid, Problem } from "./problem.ts";

/** Throws the problem of a change that was refused. */
export function changed(
  result: ChangeResult,
  unknownChannel = () => new Problem("not-found", "No such channel"),
): void {
  if (result.ok) return;
  switch (result.reason) {
    case "invalid":
      throw invalid(result.errors);
    case "stale":
      throw new Problem("stale", `It is at revision ${result.revision} now; read it again and repeat the change`);
    case "unknown-channel":
      throw unknownChannel();
  }
}
