/** Who a request comes from, once they are known, and what the audit log is told of it. */
import type { Context } from "koa";
import type { Principal } from "../access/principal.ts";
import type { Difference } from "../access/record.ts";

interface Known {
  principal?: Principal;
  audit?: { detail?: string; diff?: readonly Difference[] };
}

/** Who asks. Throws where nobody is known: only routes that are public can meet that. */
export function principalOf(ctx: Context): Principal {
  const { principal } = ctx.state as Known;
  if (principal === undefined) throw new Error("nobody is known to ask");
  return principal;
}

export function isKnown(ctx: Context): boolean {
  return (ctx.state as Known).principal !== undefined;
}

export function setPrincipal(ctx: Context, principal: Principal): void {
  (ctx.state as Known).principal = principal;
}

/** What the audit log keeps of this request beside who, from where, what and the result. */
export function noteForAudit(ctx: Context, note: NonNullable<Known["audit"]>): void {
  (ctx.state as Known).audit = { ...(ctx.state as Known).audit, ...note };
}

export function auditNote(ctx: Context): NonNullable<Known["audit"]> {
  return (ctx.state as Known).audit ?? {};
}
