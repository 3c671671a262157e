/** What a change to the configuration is asked with, and what became of it. */
import type { RouterContext } from "@koa/router";
import { isAtLeast } from "../access/principal.ts";
import type { ChangeOptions, ChangeResult, Section } from "../config/store.ts";
import { changeCondition } from "./conditional.ts";
import { isKnown, noteForAudit, principalOf } from "./principal.ts";
import { invalid, Problem } from "./problem.ts";

/** The parts of the configuration that an operator may change. */
const OPERATOR_SECTIONS: readonly Section[] = ["channels", "inputs", "presets"];

/** Who makes a change, what it may touch, and what it is made for. */
export function changeOptions(ctx: RouterContext): ChangeOptions {
  const sections = allowedSections(ctx);
  return {
    ...changeCondition(ctx),
    ...(isKnown(ctx) ? { author: principalOf(ctx).name } : {}),
    ...(sections === undefined ? {} : { sections }),
  };
}

/** The parts of the configuration that who asks may change; undefined: all of them. */
function allowedSections(ctx: RouterContext): readonly Section[] | undefined {
  return isKnown(ctx) && !isAtLeast(principalOf(ctx).role, "admin") ? OPERATOR_SECTIONS : undefined;
}

/** Throws when who asks may not change one of these parts of the configuration. */
export function holdToSections(ctx: RouterContext, touched: readonly string[]): void {
  const allowed = allowedSections(ctx) as readonly string[] | undefined;
  const forbidden = touched.filter((section) => !(allowed ?? touched).includes(section));
  if (forbidden.length > 0) throw notAllowed(forbidden);
}

function notAllowed(sections: readonly string[]): Problem {
  return new Problem("forbidden", `It takes an admin to change ${[...sections].sort().join(", ")}`);
}

/** Throws the problem of a change that was refused; tells the audit log of one that was made. */
export function settle(
  ctx: RouterContext,
  result: ChangeResult,
  { comment, unknown }: { comment?: string; unknown?: () => Problem } = {},
): Extract<ChangeResult, { ok: true }> {
  if (comment !== undefined && comment !== "") noteForAudit(ctx, { detail: comment });
  changed(result, unknown);
  noteForAudit(ctx, { diff: result.differences });
  return result;
}

/** Throws the problem of a change that was refused. */
export function changed(
  result: ChangeResult,
  unknown = () => new Problem("not-found", "No such channel"),
): asserts result is Extract<ChangeResult, { ok: true }> {
  if (result.ok) return;
  switch (result.reason) {
    case "invalid":
      throw invalid(result.errors);
    case "stale":
      throw new Problem("stale", `It is at revision ${result.revision} now; read it again and repeat the change`);
    case "trial": {
      const { revision, author, remainingSeconds } = result.trial;
      const whose = author === null ? "" : ` by ${author}`;
      const what = `Revision ${revision}${whose} waits for its confirmation for ${remainingSeconds} s more`;
      throw new Problem("conflict", `${what}; confirm it or take it back first`);
    }
    case "not-allowed":
      throw notAllowed(result.sections);
    case "unknown-channel":
      throw unknown();
    case "unknown-revision":
      throw new Problem("not-found", "There is no such version that can be used");
  }
}
