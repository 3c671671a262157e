/** The shapes of time, power and logs, for the OpenAPI document and the tests. */
import { z } from "zod";
import { PASSWORD_LENGTH } from "../access/policy.ts";
import { set } from "../config/schema/setting.ts";
import { type LogLine, levels } from "../system/logs/line.ts";
import { powerOrders } from "../system/power/adapters.ts";
import type { PowerStatus } from "../system/power/powerService.ts";
import type { TimeStatus } from "../system/time/timeService.ts";
import type { Same } from "./schemas.ts";

const time = z.iso.datetime();

// ---- time ------------------------------------------------------------------------------------------------------------

export const timeStatus = z.object({
  now: time,
  zone: z.string(),
  ntp: z.object({ enabled: z.boolean(), servers: z.array(z.string()) }),
  synchronized: z.boolean().nullable(),
  offsetMs: z.number().nullable().meta({ unit: "ms" }),
  server: z.string(),
  stratum: z.int().nullable(),
  lastSync: time.nullable(),
  rtc: time.nullable(),
  refusal: z.string(),
});

export const zoneList = z.object({ zones: z.array(z.string()) });

const [FIRST_YEAR, LAST_YEAR] = [2025, 2099];

export const timeSetting = z.strictObject({
  time: z.iso
    .datetime({ offset: true })
    .refine((text) => {
      const year = new Date(text).getUTCFullYear();
      // What is no time at all has been told already.
      return !(year < FIRST_YEAR || year > LAST_YEAR);
    }, `must be in the years ${FIRST_YEAR} to ${LAST_YEAR}`)
    .meta({ label: "Time", help: "With its zone, such as 2026-11-22T08:00:00+01:00" }),
});

// ---- power -----------------------------------------------------------------------------------------------------------

const order = z.enum(powerOrders);

export const powerStatus = z.object({
  uptimeSeconds: z.int().min(0),
  boot: z.object({ at: time, reason: z.string() }),
  nextReboot: time.nullable(),
  pending: order.nullable(),
  capabilities: z.object({ reboot: z.boolean(), shutdown: z.boolean(), factoryReset: z.boolean(), why: z.string() }),
});

export const powerOrder = z.object({ order, inSeconds: z.number() });

export const factoryReset = z.strictObject({
  password: z
    .string()
    .max(PASSWORD_LENGTH.max * 2)
    .meta(set("Password", "none", { secret: true, help: "One's own; not asked of programs on the box" })),
  keepNetwork: z
    .boolean()
    .default(false)
    .meta(set("Keep the network", "network", { help: "Else the box may be found at another address" })),
});

// ---- logs ------------------------------------------------------------------------------------------------------------

const logLine = z.object({
  cursor: z.string(),
  time: time.nullable(),
  level: z.enum(levels),
  source: z.string(),
  message: z.string(),
  count: z.int().exactOptional(),
});

export const logPage = z.object({ lines: z.array(logLine), next: z.string().nullable(), sources: z.array(z.string()) });

// ---- names -----------------------------------------------------------------------------------------------------------

export const SYSTEM_ANSWERS: readonly [z.ZodType, string][] = [
  [timeStatus, "TimeStatus"],
  [zoneList, "ZoneList"],
  [powerStatus, "PowerStatus"],
  [powerOrder, "PowerOrder"],
  [logPage, "LogPage"],
];

export const SYSTEM_REQUESTS: readonly [z.ZodType, string][] = [
  [timeSetting, "TimeSetting"],
  [factoryReset, "FactoryReset"],
];

true satisfies Same<z.infer<typeof timeStatus>, TimeStatus>;
true satisfies Same<z.infer<typeof powerStatus>, PowerStatus>;
true satisfies Same<z.infer<typeof logLine>, LogLine>;
