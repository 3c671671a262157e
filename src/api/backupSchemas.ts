/** The shapes of backups and presets, for the OpenAPI document and the tests. */
import { z } from "zod";
import type { BackupFile } from "../config/backup/format.ts";
import { MAX_PASSPHRASE } from "../config/backup/secretBox.ts";
import type { Imported } from "../config/backup/service.ts";
import { CONFIRM_LIMITS } from "../config/plan.ts";
import type { Preset } from "../config/presets.ts";
import { audioTrack, frameRates, set, shortId, text, transport, video } from "../config/schema.ts";
import type { BackupStatus } from "../system/backup/daily.ts";
import type { KeptBackup } from "../system/backup/folder.ts";
import { difference, trial } from "./configSchemas.ts";
import type { Same } from "./schemas.ts";

const time = z.iso.datetime();
const passphrase = z
  .string()
  .max(MAX_PASSPHRASE)
  .meta(set("Passphrase", "none", { secret: true, help: "10 characters or more" }))
  .optional();
const parts = z.array(z.string().max(60)).max(64).optional();

/** The file itself; see `config/backup/format.ts`. */
export const backupFile = z.object({
  format: z.literal("steadycast-backup"),
  formatVersion: z.literal(1),
  created: time,
  box: z.string(),
  firmware: z.string(),
  schemaVersion: z.int(),
  parts: z.record(z.string(), z.unknown()),
  secrets: z
    .object({
      ...{ kdf: z.literal("scrypt"), N: z.int(), r: z.int(), p: z.int(), salt: z.string() },
      ...{ cipher: z.literal("aes-256-gcm"), iv: z.string(), tag: z.string(), data: z.string() },
    })
    .optional(),
  checksum: z.string(),
});

export const exportRequest = z.strictObject({ /** Left out: all. */ parts, passphrase });

export const importRequest = z.strictObject({
  /** The file as it was exported. */
  backup: z.unknown(),
  passphrase,
  /** Left out: all that are in it. */
  parts,
  /** Only tells what the import would do. */
  plan: z.boolean().optional(),
  confirmSeconds: z.int().min(CONFIRM_LIMITS.minimum).max(CONFIRM_LIMITS.maximum).optional(),
});

export const importResult = z.object({
  applied: z.boolean(),
  from: z.object({ created: time, box: z.string(), firmware: z.string(), schemaVersion: z.int() }),
  parts: z.array(z.string()),
  differences: z.array(difference),
  /** How many differences more there are. */
  omitted: z.int().min(0),
  notes: z.array(z.string()),
  /** Whether it is taken back, all of it, unless the configuration is confirmed in time. */
  canCutOff: z.boolean(),
  trial: trial.optional(),
});

export const keptBackup = z.object({
  name: z.string(),
  created: time,
  box: z.string(),
  firmware: z.string(),
  bytes: z.int(),
  secrets: z.boolean(),
});

const event = z.object({ at: time, name: z.string() }).nullable();
const failure = z.object({ at: time, reason: z.string() }).nullable();

const backupStatus = z.object({
  nextRun: time.nullable(),
  made: event,
  failure,
  target: z
    .object({
      type: z.enum(["sftp", "http"]),
      server: z.string(),
      sent: event,
      failure,
      nextTry: time.nullable(),
      hostKey: z.string().nullable(),
    })
    .nullable(),
});

export const backupList = z.object({ backups: z.array(keptBackup), status: backupStatus });

const presetVariant = z.object({
  frameRate: z.string(),
  video: z.looseObject({}),
  /** Of every track of the channel, or tracks of its own. */
  audio: z.union([z.looseObject({}), z.array(audioTrack)]),
  transport: z.looseObject({}),
});

const preset = z.object({
  id: z.string(),
  name: z.string(),
  description: z.string(),
  builtIn: z.boolean(),
  available: z.boolean(),
  /** Why it is not available. */
  reason: z.string().optional(),
  variants: z.array(presetVariant),
});

export const presetList = z.object({ presets: z.array(preset) });

const presetName = text(60).min(1).meta(set("Name", "none"));

/** A preset of a channel's coding, or of what is given. */
export const newPreset = z
  .strictObject({
    /** Left out: made from the name. */
    id: shortId.optional(),
    name: presetName,
    channel: shortId.optional(),
    video: video.optional(),
    audio: z.array(audioTrack).max(8).optional(),
    transport: transport.pick({ mode: true, bitrate: true, pcrIntervalMs: true }).optional(),
  })
  .refine(
    ({ channel, video: coded }) => (channel === undefined) !== (coded === undefined),
    "must have either channel, or video, audio and transport",
  );

export const ownPreset = z.object({ id: z.string(), name: z.string() });

export const presetChoice = z.strictObject({
  preset: z.string().max(60),
  /** Left out: as the channel has it, or the next to that. */
  frameRate: z.enum(frameRates).optional(),
});

/** For `schemas.ts`. */
export const BACKUP_ANSWERS: [z.ZodType, string][] = [
  [backupFile, "Backup"],
  [importResult, "ImportResult"],
  [keptBackup, "KeptBackup"],
  [backupList, "BackupList"],
  [presetList, "PresetList"],
  [ownPreset, "OwnPreset"],
];
export const BACKUP_REQUESTS: [z.ZodType, string][] = [
  [exportRequest, "ExportRequest"],
  [importRequest, "ImportRequest"],
  [newPreset, "NewPreset"],
  [presetChoice, "PresetChoice"],
];

true satisfies BackupFile extends z.infer<typeof backupFile> ? true : never;
true satisfies Omit<Imported, "ok"> extends z.infer<typeof importResult> ? true : never;
true satisfies Same<z.infer<typeof keptBackup>, KeptBackup>;
true satisfies Same<z.infer<typeof backupStatus>, BackupStatus>;
true satisfies Omit<Preset, "variants"> extends Omit<z.infer<typeof preset>, "variants"> ? true : never;
