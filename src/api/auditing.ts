/** Tells the audit log of what clients have changed, or tried to. */
import type { Context } from "koa";
import { clientOf } from "../access/addresses.ts";
import type { AuditEvent, AuditRecorder } from "../access/record.ts";
import type { Clock } from "../board/ports.ts";
import { changes } from "./authenticate.ts";
import { Buckets } from "./limits.ts";
import { originOf } from "./listeners.ts";
import { auditNote, isKnown, principalOf } from "./principal.ts";
import { Problem } from "./problem.ts";
import type { Route } from "./route.ts";

/** One record of a series in this time, ms. */
const SERIES_MS = 60_000;
/** Refusals of each who asks; there is no end to what can be refused, and the log must not lose what was done for it. */
const REFUSALS = { perSecond: 1 / 10, burst: 20 };
/** Refusals of all together. */
const ALL_REFUSALS = { perSecond: 1, burst: 60 };
const MAX_DETAIL = 300;
const NOBODY = { name: "", role: "viewer", via: "session" } as const;

export class Auditing {
  readonly #recorder: AuditRecorder;
  readonly #refusals: Buckets;
  readonly #allRefusals: Buckets;
  readonly #series: Buckets;

  constructor(recorder: AuditRecorder, clock: Pick<Clock, "now">) {
    this.#recorder = recorder;
    this.#refusals = new Buckets(REFUSALS, clock);
    this.#allRefusals = new Buckets(ALL_REFUSALS, clock);
    this.#series = new Buckets({ perSecond: 1000 / SERIES_MS, burst: 1 }, clock);
  }

  /** Does the work of a route, and records it. */
  async around(ctx: Context, route: Route, work: () => Promise<void>): Promise<void> {
    if (!changes(ctx) || route.audit === "nothing") return await work();
    const target = ctx.path;
    try {
      await work();
      this.#tell(ctx, route, { target, result: "done" });
    } catch (error) {
      const refused = error instanceof Problem && error.kind !== "storage" && error.kind !== "internal";
      const detail = error instanceof Problem ? error.message : "the log of the box tells more";
      this.#tell(ctx, route, { target, result: refused ? "refused" : "failed", detail });
      throw error;
    }
  }

  #tell(ctx: Context, route: Route, { target, result, detail }: Pick<AuditEvent, "target" | "result" | "detail">) {
    const known = isKnown(ctx);
    // Log-in and set-up make somebody known, or the access service tells whom it refused.
    if (!known && route.access === "public") return;
    const { address } = originOf(ctx.req);
    const { name, role, via } = known ? principalOf(ctx) : NOBODY;
    const whoever = known ? `${via} ${principalOf(ctx).id}` : clientOf(address);
    if (result === "refused" && (this.#refusals.take(whoever) > 0 || this.#allRefusals.take("") > 0)) return;
    // A menu is gone through by dozens of keys. That somebody was at the panel is worth a record; what they changed there
    // is told by the configuration's own history.
    if (result === "done" && route.audit === "series" && this.#series.take(`${whoever} ${route.id}`) > 0) return;
    const note = auditNote(ctx);
    const why = note.detail ?? detail;
    this.#recorder.record({
      ...{ who: { name, role, via, address }, what: route.id, target, result },
      ...(why === undefined ? {} : { detail: why.slice(0, MAX_DETAIL) }),
      ...(note.diff === undefined ? {} : { diff: note.diff }),
    });
  }
}
