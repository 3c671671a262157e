/** Changes of the configuration: plan, trial, history, backup. Each call throws ApiError when the box refuses. */
import type { Imported } from "../src/config/backup/service.ts";
import type { Difference } from "../src/config/diff.ts";
import type { Version as StoredVersion } from "../src/config/history.ts";
import type { Plan } from "../src/config/plan.ts";
import { ask, base, request } from "./api.ts";

/** A change, as a whole document or as a merge patch (RFC 7396). */
export type ConfigChange = { document: unknown } | { patch: unknown };

export interface Applied {
  revision: number;
  changed: boolean;
}

export interface ApplyOptions {
  confirmSeconds?: number;
  comment?: string;
}

export interface Version extends StoredVersion {
  /** Whether it is in force. */
  current: boolean;
}

export const planChange = (change: ConfigChange | { revision: number }) => ask<Plan>("POST", "/config/plan", change);

/** @param tag of the configuration that the change was made for */
export const applyChange = (change: ConfigChange, options: ApplyOptions, tag: string) =>
  ask<Applied>("POST", "/config/apply", { ...change, ...options }, tag === "" ? {} : { "If-Match": tag });

export const confirmTrial = (revision: number) => ask("POST", "/config/confirm", { revision });
export const revertTrial = (revision: number) => ask("POST", "/config/revert", { revision });

export const fetchHistory = async () => (await ask<{ versions: Version[] }>("GET", "/config/history")).versions;
export const fetchVersion = (revision: number) => ask<unknown>("GET", `/config/history/${revision}`);
export const fetchDiff = async (from: number, to: number) =>
  (await ask<{ differences: Difference[] }>("GET", `/config/history/${from}/diff?to=${to}`)).differences;
export const restoreVersion = (revision: number, options: ApplyOptions) =>
  ask<Applied>("POST", `/config/history/${revision}/restore`, options);

export interface ImportRequest {
  backup: unknown;
  passphrase?: string;
  parts?: string[];
  plan?: true;
}

export const importBackup = (wanted: ImportRequest) => ask<Imported>("POST", "/config/import", wanted);

/** The backup file and its name. */
export async function exportBackup(wanted: { parts?: string[]; passphrase?: string }): Promise<[Blob, string]> {
  const response = await request(`${base}/config/export`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(wanted),
  });
  const [, name = "steadycast-backup.json"] =
    /filename="?([^";]+)"?/.exec(response.headers.get("content-disposition") ?? "") ?? [];
  return [await response.blob(), name];
}
