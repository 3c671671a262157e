/** The shapes of changes to the configuration, for the OpenAPI document and the tests. */
import { z } from "zod";
import type { Difference } from "../config/diff.ts";
import type { Version } from "../config/history.ts";
import { type ChannelImpact, CONFIRM_LIMITS, type Plan } from "../config/plan.ts";
import { text } from "../config/schema.ts";
import type { Trial } from "../config/trial.ts";
import type { Same } from "./schemas.ts";

const time = z.iso.datetime();

export const difference = z.object({
  /** JSON pointer into the later document; of something that was removed, into the earlier one. */
  pointer: z.string(),
  before: z.unknown().optional(),
  after: z.unknown().optional(),
});

const fieldError = z.object({
  pointer: z.string(),
  message: z.string(),
  limit: z.looseObject({}).optional(),
  value: z.union([z.string(), z.number(), z.boolean(), z.null()]).optional(),
});

const channelImpact = z.object({
  id: z.string(),
  name: z.string(),
  change: z.enum(["added", "removed", "started", "stopped", "changed"]),
  effect: z.enum(["none", "live", "transmit", "encoder"]),
  interrupts: z.boolean(),
});

export const configPlan = z.object({
  revision: z.int(),
  valid: z.boolean(),
  errors: z.array(fieldError),
  changed: z.boolean(),
  differences: z.array(difference),
  sections: z.array(z.string()),
  channels: z.array(channelImpact),
  canCutOff: z.boolean(),
  confirmSeconds: z.int(),
});

export const trial = z.object({
  revision: z.int(),
  author: z.string().nullable(),
  comment: z.string().nullable(),
  confirmSeconds: z.int(),
  until: time,
  remainingSeconds: z.int().min(0),
  differences: z.array(difference),
});

export const configTrial = z.object({ trial: trial.nullable() });

export const configApplied = z.object({
  revision: z.int(),
  /** False: the configuration was like that already. */
  changed: z.boolean(),
  /** Set while it waits for its confirmation. */
  trial: trial.optional(),
});

const version = z.object({
  revision: z.int(),
  saved: z.string(),
  author: z.string().nullable(),
  comment: z.string().nullable(),
});

export const configHistory = z.object({
  versions: z.array(version.extend({ /** Whether it is the one that is stored. */ current: z.boolean() })),
});

export const configDifferences = z.object({ differences: z.array(difference) });

const options = {
  confirmSeconds: z.int().min(CONFIRM_LIMITS.minimum).max(CONFIRM_LIMITS.maximum).optional(),
  comment: text(200).optional(),
};

const proposal = {
  /** The whole configuration. */
  document: z.unknown().optional(),
  /** A merge patch (RFC 7396) to the one in force. */
  patch: z.unknown().optional(),
};

const revision = z.int().min(1);
const hasOne = (...given: unknown[]): boolean => given.filter((one) => one !== undefined).length === 1;

export const configPlanRequest = z
  .strictObject({ ...proposal, /** A version of the history. */ revision: revision.optional() })
  .refine((body) => hasOne(body.document, body.patch, body.revision), "must have document, patch or revision");

export const configApply = z
  .strictObject({ ...proposal, ...options })
  .refine(({ document, patch }) => hasOne(document, patch), "must have either document or patch");

export const configRestore = z.strictObject(options);

export const configRevision = z.strictObject({ revision });

/** For `schemas.ts`. */
export const CONFIG_ANSWERS: [z.ZodType, string][] = [
  [configPlan, "ConfigPlan"],
  [configTrial, "ConfigTrial"],
  [configApplied, "ConfigApplied"],
  [configHistory, "ConfigHistory"],
  [configDifferences, "ConfigDifferences"],
];
export const CONFIG_REQUESTS: [z.ZodType, string][] = [
  [configPlanRequest, "ConfigPlanRequest"],
  [configApply, "ConfigApply"],
  [configRestore, "ConfigRestore"],
  [configRevision, "ConfigRevision"],
];

true satisfies Difference extends z.infer<typeof difference> ? true : never;
true satisfies Same<z.infer<typeof channelImpact>, ChannelImpact>;
true satisfies Plan extends z.infer<typeof configPlan> ? true : never;
true satisfies Trial extends z.infer<typeof trial> ? true : never;
true satisfies Same<z.infer<typeof version>, Version>;
