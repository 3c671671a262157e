/** How the box is looked after: log-in, backups, reboots and presets. */
import { z } from "zod";
import { audioTrack, video } from "./coding.ts";
import { host } from "./network.ts";
import { publicKeyOf, publicKeyProblem } from "./publicKey.ts";
import { port, SECRET_MARK, set, shortId, text } from "./setting.ts";
import { transport } from "./transport.ts";

const timeOfDay = z.string().regex(/^([01][0-9]|2[0-3]):[0-5][0-9]$/, "must be a time of the day, such as 02:30");

export const access = z.strictObject({
  idleMinutes: z
    .int()
    .min(5)
    .max(1440)
    .default(30)
    .meta(set("Log out after", "none", { unit: "min", help: "Without a request" })),
  sessionHours: z
    .int()
    .min(1)
    .max(168)
    .default(12)
    .meta(set("Log out at the latest after", "none", { unit: "h" })),
  secondFactor: z
    .enum(["nobody", "admins", "everyone"])
    .default("nobody")
    .meta(set("Second factor", "none", { help: "Who must log in with a code of an authenticator app, too" })),
  hostNames: z
    .array(host)
    .max(8)
    .default([])
    .meta(set("Further host names", "none", { help: "Names of this box in DNS, beside its own" })),
});

export const days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;

export const power = z.strictObject({
  rebootDays: z
    .array(z.enum(days))
    .max(7)
    .default([])
    .meta(set("Reboot on", "none", { help: "No day: never by itself" })),
  rebootTime: timeOfDay.default("04:00").meta(set("Reboot at", "none", { help: "In the time zone of the box" })),
});

const password = text(128).refine((value) => value !== SECRET_MARK, "must not be asterisks alone");

const passphrase = z
  .string()
  .regex(/^([\x20-\x7e]{10,128})?$/, "must have 10 to 128 printable ASCII characters, or be empty")
  .default("");

export const backupTarget = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("none") }),
  z.strictObject({
    type: z.literal("sftp"),
    host: host.meta(set("Host", "none")),
    port: port.default(22).meta(set("Port", "none")),
    user: text(64).min(1).meta(set("User", "none")),
    password: password.default("").meta(set("Password", "none", { secret: true })),
    path: text(200).default(".").meta(set("Folder", "none")),
    hostKey: z
      .string()
      .regex(/^(SHA256:[A-Za-z0-9+/]{43})?$/, "must be a fingerprint such as ssh-keygen -l tells it, or empty")
      .default("")
      .meta(set("Host key", "none", { help: "Fingerprint; empty: that of the first connection is kept" })),
  }),
  z.strictObject({
    type: z.literal("http"),
    url: z
      .url({ protocol: /^https?$/ })
      .max(500)
      .refine(
        (url) => !/^[^/]*\/\/[^/]*@/.test(url),
        "must not hold user and password: they have settings of their own",
      )
      .meta(set("URL", "none", { help: "Folder; each backup is sent with PUT" })),
    user: text(64).default("").meta(set("User", "none")),
    password: password.default("").meta(set("Password", "none", { secret: true })),
  }),
]);

export const backup = z.strictObject({
  daily: z.boolean().default(true).meta(set("Back up daily", "none")),
  time: timeOfDay.default("02:30").meta(set("Back up at", "none", { help: "In the time zone of the box" })),
  keep: z
    .int()
    .min(1)
    .max(60)
    .default(14)
    .meta(set("Keep", "none", { unit: "backups" })),
  passphrase: passphrase.meta(
    set("Backup passphrase", "none", {
      secret: true,
      help: "Encrypts the secrets of daily backups; empty: they are left out",
    }),
  ),
  target: backupTarget.default({ type: "none" }).meta(set("Also send to", "none")),
});

/** As long as an RSA key of the most bits with a long comment. */
const KEY_MAX = 3000;

const publicKey = z
  .string()
  .max(KEY_MAX)
  .check((ctx) => {
    const message = publicKeyProblem(ctx.value);
    if (message !== "") ctx.issues.push({ code: "custom", message, input: ctx.value });
  });

export const ssh = z
  .strictObject({
    enabled: z
      .boolean()
      .default(false)
      .meta(set("Enabled", "none", { help: "Shell for diagnosis: user admin, by key only" })),
    keys: z
      .array(publicKey)
      .max(16)
      .default([])
      .meta(set("Keys", "none", { help: "OpenSSH public keys of those who may log in, one line each" })),
  })
  .check((ctx) => {
    const { enabled, keys } = ctx.value;
    const issue = (path: (string | number)[], message: string, input: unknown) =>
      ctx.issues.push({ code: "custom", path, message, input });
    if (enabled && keys.length === 0) {
      issue(["enabled"], "must be off while there is no key: nobody could log in", enabled);
    }
    const known = new Set<string>();
    keys.forEach((key, i) => {
      const one = publicKeyOf(key);
      if (known.has(one)) issue(["keys", i], "is set twice", key);
      known.add(one);
    });
  });

/** Coding and multiplex of a channel under a name; what belongs to one place only is not in it. */
export const preset = z.strictObject({
  id: shortId,
  name: text(60).min(1).meta(set("Name", "none")),
  video,
  audio: z.array(audioTrack).max(8),
  transport: transport.pick({ mode: true, bitrate: true, pcrIntervalMs: true }),
});

export type AccessConfig = z.infer<typeof access>;
export type PowerConfig = z.infer<typeof power>;
export type BackupConfig = z.infer<typeof backup>;
export type BackupTarget = z.infer<typeof backupTarget>;
export type SshConfig = z.infer<typeof ssh>;
export type PresetConfig = z.infer<typeof preset>;
