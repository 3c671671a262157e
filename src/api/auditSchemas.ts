/** The shapes of the audit log, for the OpenAPI document and the tests. */
import { z } from "zod";
import type { AuditEntry } from "../access/audit/chain.ts";
import type { AuditCheck } from "../access/audit/check.ts";
import type { AuditPage } from "../access/audit/log.ts";
import { roles } from "../access/principal.ts";
import type { Same } from "./schemas.ts";

const difference = z.object({
  pointer: z.string(),
  before: z.unknown().exactOptional(),
  after: z.unknown().exactOptional(),
});

const entry = z.object({
  seq: z.int().min(1),
  time: z.iso.datetime(),
  who: z.object({
    name: z.string(),
    role: z.enum(roles),
    via: z.enum(["session", "token", "local", "setup"]),
    address: z.string(),
  }),
  what: z.string(),
  target: z.string(),
  result: z.enum(["done", "refused", "failed"]),
  detail: z.string().exactOptional(),
  diff: z.array(difference).readonly().exactOptional(),
  /** Differences that were left out because there were too many. */
  more: z.int().exactOptional(),
  /** The records up to this one are not kept any more. */
  removed: z.object({ through: z.int(), hash: z.string() }).exactOptional(),
});

export const auditPage = z.object({ records: z.array(entry), next: z.int().nullable() });

export const auditCheck = z.object({
  ok: z.boolean(),
  records: z.int().min(0),
  first: z.int().min(0),
  last: z.int().min(0),
  breaks: z.array(z.object({ segment: z.string(), line: z.int().min(0), what: z.string() })),
  text: z.string(),
});

export const AUDIT_ANSWERS: readonly [z.ZodType, string][] = [
  [auditPage, "AuditPage"],
  [auditCheck, "AuditCheck"],
];

true satisfies Same<z.infer<typeof entry>, AuditEntry>;
true satisfies Same<z.infer<typeof auditPage>, AuditPage>;
true satisfies Same<z.infer<typeof auditCheck>, AuditCheck>;
