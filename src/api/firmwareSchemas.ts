/** The shapes of the firmware, for the OpenAPI document and the tests. */
import { z } from "zod";
import { set } from "../config/schema/setting.ts";
import {
  type Activation,
  type BundleStatus,
  bundleOrigins,
  type FirmwareEvent,
  type FirmwareStatus,
  firmwareEvents,
  slotNames,
  type UsbBundle,
} from "../update/status.ts";
import type { Same } from "./schemas.ts";

const time = z.iso.datetime();
const slotName = z.enum(slotNames);

const slotStatus = z.object({
  name: slotName,
  running: z.boolean(),
  next: z.boolean(),
  state: z.enum(["good", "new", "bad", "empty"]),
  version: z.string(),
  build: z.string(),
  installed: time.nullable(),
  attemptsLeft: z.int().min(0).max(3),
  why: z.string(),
});

export const bundleStatus = z.object({
  version: z.string(),
  build: z.string(),
  compatible: z.string(),
  notes: z.string(),
  size: z.int().meta({ unit: "bytes" }),
  downgrade: z.boolean(),
  origin: z.enum(bundleOrigins),
  received: time,
});

const workStatus = z.object({
  what: z.enum(["receive", "verify", "install", "activate"]),
  percent: z.number().nullable().meta({ unit: "%" }),
  step: z.string(),
  bytes: z.int(),
  totalBytes: z.int().nullable(),
  cancellable: z.boolean(),
});

const at = z.iso
  .datetime({ offset: true })
  .meta(set("Time", "none", { help: "With its zone, such as 2026-11-22T03:00:00+01:00; within a year" }));

const activation = z.discriminatedUnion("when", [
  z.strictObject({ when: z.literal("manual") }),
  z.strictObject({ when: z.literal("now") }),
  z.strictObject({ when: z.literal("next-boot") }),
  z.strictObject({ when: z.literal("at"), at }),
]);

export const firmwareStatus = z.object({
  version: z.string(),
  build: z.string(),
  slots: z.array(slotStatus).nullable(),
  bundle: bundleStatus.nullable(),
  work: workStatus.nullable(),
  activation: activation.nullable(),
  trouble: z.string(),
  capabilities: z.object({ install: z.boolean(), rollBack: z.boolean(), why: z.string() }),
});

const firmwareEvent = z.object({
  at: time,
  what: z.enum(firmwareEvents),
  version: z.string(),
  slot: slotName.nullable(),
  who: z.string(),
  detail: z.string(),
});

export const firmwareHistory = z.object({ events: z.array(firmwareEvent) });

const usbBundle = z.object({ id: z.string(), stick: z.string(), file: z.string(), size: z.int() });

export const usbBundleList = z.object({ bundles: z.array(usbBundle) });

export const firmwareFetch = z.strictObject({
  url: z
    .url({ protocol: /^https?$/, error: "must be an address with http:// or https://" })
    .max(2000)
    .meta(set("Address", "none", { help: "Of the bundle" })),
  sha256: z
    .string()
    .regex(/^[0-9a-fA-F]{64}$/, "must have 64 hexadecimal digits")
    .meta(set("SHA-256", "none", { help: "That the file must have" }))
    .optional(),
});

export const usbChoice = z.strictObject({ id: z.string().min(1).max(2000) });

export const firmwareInstall = z.strictObject({
  activation,
  downgrade: z
    .literal(true)
    .meta(set("Older version", "none", { help: "Install it although it is older" }))
    .optional(),
});

export const firmwareActivate = z.discriminatedUnion("when", [
  z.strictObject({ when: z.literal("now") }),
  z.strictObject({ when: z.literal("next-boot") }),
  z.strictObject({ when: z.literal("at"), at }),
]);

export const nothing = z.strictObject({});

/** For `schemas.ts`. */
export const FIRMWARE_ANSWERS: readonly [z.ZodType, string][] = [
  [firmwareStatus, "FirmwareStatus"],
  [bundleStatus, "FirmwareBundle"],
  [firmwareHistory, "FirmwareHistory"],
  [usbBundleList, "UsbBundleList"],
];

export const FIRMWARE_REQUESTS: readonly [z.ZodType, string][] = [
  [firmwareFetch, "FirmwareFetch"],
  [usbChoice, "UsbChoice"],
  [firmwareInstall, "FirmwareInstall"],
  [firmwareActivate, "FirmwareActivate"],
  [nothing, "Nothing"],
];

true satisfies Same<z.infer<typeof firmwareStatus>, FirmwareStatus>;
true satisfies Same<z.infer<typeof bundleStatus>, BundleStatus>;
true satisfies Same<z.infer<typeof firmwareEvent>, FirmwareEvent>;
true satisfies Same<z.infer<typeof usbBundle>, UsbBundle>;
true satisfies Same<z.infer<typeof activation>, Activation>;
