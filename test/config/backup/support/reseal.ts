import { createHash } from "node:crypto";
import type { BackupFile } from "../../../../src/config/backup/format.ts";

/** A changed file with a checksum that is right all the same, as a forger would make it. */
export function resealed(file: BackupFile, change: Partial<BackupFile>): BackupFile {
  const { checksum: _, ...rest } = { ...(JSON.parse(JSON.stringify(file)) as BackupFile), ...change };
  const digest = createHash("sha256")
    .update(JSON.stringify(sorted(rest)))
    .digest("hex");
  return { ...rest, checksum: `sha256:${digest}` };
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, part]) => [key, sorted(part)]));
}
