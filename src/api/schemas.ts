/** The shapes that the API speaks (those of the board are in boardSchemas.ts), for the OpenAPI document and the tests. */
import { z } from "zod";
import type { ChannelStatus } from "../channels/status.ts";
import type { StoreProblem } from "../config/durableFile.ts";
import { channel, config } from "../config/schema.ts";
import { encodeStats, outputStats, transmitStats } from "../media/protocol.ts";
import type { HealthReport } from "../system/watchdog/health.ts";
import { ACCESS_ANSWERS, ACCESS_REQUESTS } from "./accessSchemas.ts";
import { AUDIT_ANSWERS } from "./auditSchemas.ts";
import { BACKUP_ANSWERS, BACKUP_REQUESTS } from "./backupSchemas.ts";
import { BOARD_ANSWERS, BOARD_REQUESTS } from "./boardSchemas.ts";
import { CONFIG_ANSWERS, CONFIG_REQUESTS } from "./configSchemas.ts";
import { FIRMWARE_ANSWERS, FIRMWARE_REQUESTS } from "./firmwareSchemas.ts";
import { NETWORK_ANSWERS, NETWORK_REQUESTS } from "./networkSchemas.ts";
import type { ProblemDetails } from "./problem.ts";
import { SYSTEM_ANSWERS, SYSTEM_REQUESTS } from "./systemSchemas.ts";
import { TLS_ANSWERS, TLS_REQUESTS } from "./tlsSchemas.ts";

const time = z.iso.datetime();

const fault = z.object({
  id: z.string(),
  severity: z.enum(["warning", "error"]),
  message: z.string(),
  since: time,
});

const workerStatus = z.object({
  role: z.enum(["encode", "transmit", "output"]),
  name: z.string(),
  state: z.enum(["starting", "running", "waiting", "failed"]),
  pid: z.int().nullable(),
  starts: z.int(),
  adopted: z.boolean(),
  lastExit: z.string(),
});

const outputStatus = z.object({
  id: z.string(),
  type: z.enum(["udp", "rtp", "srt"]),
  url: z.string(),
  state: z.enum(["off", "sending", "connecting", "listening", "connected", "error"]),
  detail: z.string(),
  srt: outputStats.nullable(),
});

const channelState = z.enum(["stopped", "starting", "live", "held", "slate", "failed"]);

export const channelStatus = z.object({
  id: z.string(),
  name: z.string(),
  enabled: z.boolean(),
  state: channelState,
  since: time,
  faults: z.array(fault),
  workers: z.array(workerStatus),
  outputs: z.array(outputStatus),
  encode: encodeStats.nullable(),
  transmit: transmitStats.nullable(),
});

export const channelList = z.array(channel);

const storeProblem = z.object({ when: time, file: z.string(), what: z.string(), action: z.string() });

export const storeProblemList = z.object({ problems: z.array(storeProblem) });

export const health = z.object({
  /** `degraded`: a channel is failed or has a fault, so has the box, or a stored file had to be replaced since the start. */
  status: z.enum(["ok", "degraded"]),
  version: z.string(),
  uptimeSeconds: z.int().min(0),
  revision: z.int().min(1),
  configurationProblems: z.int().min(0),
  /** What is wrong with the board and the system of the box. */
  boxFaults: z.int().min(0),
  /** How many channels are in each state. */
  channels: z.record(channelState, z.int().min(0)),
  /** Whether this firmware does its work here: all of its checks are. */
  ok: z.boolean(),
  checks: z.array(z.object({ name: z.string(), ok: z.boolean(), detail: z.string() })),
});
export type Health = z.infer<typeof health>;

/** What the box tells a program on it that is not logged in. */
export const healthInShort = health.pick({ ok: true }).extend({
  checks: z.array(z.object({ name: z.string(), ok: z.boolean() })),
});
export type HealthInShort = z.infer<typeof healthInShort>;

export const healthAnswer = z.union([health, healthInShort]);

export const problemDetails = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  instance: z.string(),
  errors: z
    .array(
      z.object({
        pointer: z.string(),
        detail: z.string(),
        limit: z.looseObject({}).optional(),
        value: z.union([z.string(), z.number(), z.boolean(), z.null()]).optional(),
      }),
    )
    .optional(),
});

/** A JSON merge patch of a channel. */
export const channelPatch = z.looseObject({});

export const openapiDocument = z.looseObject({ openapi: z.literal("3.1.0") });

/** What the box answers, by its name in the OpenAPI document. */
export const ANSWERS = new Map<z.ZodType, string>([
  [config, "Config"],
  [channel, "Channel"],
  [channelList, "ChannelList"],
  [channelStatus, "ChannelStatus"],
  [storeProblemList, "StoreProblemList"],
  [health, "Health"],
  [healthInShort, "HealthInShort"],
  [healthAnswer, "HealthAnswer"],
  [problemDetails, "Problem"],
  [openapiDocument, "OpenApi"],
  ...ACCESS_ANSWERS,
  ...AUDIT_ANSWERS,
  ...TLS_ANSWERS,
  ...BACKUP_ANSWERS,
  ...BOARD_ANSWERS,
  ...CONFIG_ANSWERS,
  ...FIRMWARE_ANSWERS,
  ...NETWORK_ANSWERS,
  ...SYSTEM_ANSWERS,
]);

/** What is sent to the box; settings that have a default may be left out. */
export const REQUESTS = new Map<z.ZodType, string>([
  [config, "ConfigInput"],
  [channel, "ChannelInput"],
  [channelPatch, "ChannelPatch"],
  ...ACCESS_REQUESTS,
  ...TLS_REQUESTS,
  ...BACKUP_REQUESTS,
  ...BOARD_REQUESTS,
  ...CONFIG_REQUESTS,
  ...FIRMWARE_REQUESTS,
  ...NETWORK_REQUESTS,
  ...SYSTEM_REQUESTS,
]);

/** Fails to compile when a schema and the type that it describes drift apart. */
export type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : never) : never;
true satisfies Same<z.infer<typeof channelStatus>, ChannelStatus>;
true satisfies Same<Pick<Health, "ok" | "checks">, HealthReport>;
true satisfies Same<z.infer<typeof storeProblem>, StoreProblem>;
true satisfies ProblemDetails extends z.infer<typeof problemDetails> ? true : never;
