/** Export and import of the box, and the backups that it keeps. */
import type { RouterContext } from "@koa/router";
import type { BackupService, ImportResult } from "../../config/backup/service.ts";
import type { DailyBackups } from "../../system/backup/daily.ts";
import * as shapes from "../backupSchemas.ts";
import { readValid } from "../body.ts";
import { isKnown, noteForAudit, principalOf } from "../principal.ts";
import { invalid, Problem } from "../problem.ts";
import { answer, BASE, type Route } from "../route.ts";

const JSON_TYPE = ["application/json"] as const;
const ADMIN = { role: "admin", scope: "config" } as const;

type Kept = Pick<DailyBackups, "list" | "status" | "read" | "make" | "remove">;

export function backupRoutes(backups: Pick<BackupService, "export" | "import">, kept: Kept): Route[] {
  return [
    {
      id: "exportConfig",
      method: "post",
      path: "/config/export",
      access: ADMIN,
      summary: "A backup of the box, or of parts of it",
      description:
        "Secrets, such as passphrases and the users' passwords, are in it only with a passphrase of 10 characters or more: encrypted.",
      body: { types: JSON_TYPE, schema: shapes.exportRequest },
      answers: { 200: { description: "The backup, to be kept as a file", schema: shapes.backupFile } },
      problems: ["invalid"],
      handle: async (ctx) => {
        const { passphrase, parts } = await readValid(ctx, JSON_TYPE, shapes.exportRequest);
        noteForAudit(ctx, { detail: passphrase === undefined ? "without secrets" : "with encrypted secrets" });
        const result = await backups.export({ passphrase, parts });
        if (!result.ok) throw invalid(result.errors);
        ctx.attachment("steadycast-backup.json");
        answer(ctx, result.backup);
      },
    },
    {
      id: "importConfig",
      method: "post",
      path: "/config/import",
      access: ADMIN,
      summary: "Make the box what a backup says, all or nothing",
      description:
        "Parts that are not chosen stay. With plan, it is only told what would be done. Without the passphrase, secrets are taken from the box; those that it has not are left empty, and outputs that they protect are off. An import that can cut you off is taken back as a whole unless the configuration is confirmed in time.",
      body: { types: JSON_TYPE, schema: shapes.importRequest },
      answers: { 200: { description: "What was done, or would be", schema: shapes.importResult } },
      problems: ["invalid", "stale", "conflict", "storage"],
      handle: async (ctx) => {
        const request = await readValid(ctx, JSON_TYPE, shapes.importRequest);
        const author = isKnown(ctx) ? principalOf(ctx).name : undefined;
        if (request.plan === true) noteForAudit(ctx, { detail: "a plan only" });
        const result = await backups.import({ ...request, author });
        if (!result.ok) throw notImported(result);
        const { ok: _, ...told } = result;
        if (told.applied) {
          const { created, box } = told.from;
          noteForAudit(ctx, { detail: `the backup of ${box} of ${created}`, diff: told.differences });
        }
        answer(ctx, told);
      },
    },
    {
      id: "listBackups",
      method: "get",
      path: "/backups",
      access: ADMIN,
      summary: "The backups on the box, and how the daily ones and their sending go",
      answers: { 200: { description: "Newest first, 60 at the most", schema: shapes.backupList } },
      problems: [],
      handle: (ctx) => answer(ctx, { backups: kept.list(), status: kept.status() }),
    },
    {
      id: "makeBackup",
      method: "post",
      path: "/backups",
      access: ADMIN,
      summary: "Make a backup now, as the daily ones are made",
      description: "It is kept on the box, and sent to where they are sent.",
      answers: { 201: { description: "It is on the box", schema: shapes.keptBackup } },
      problems: ["storage"],
      handle: async (ctx) => {
        const result = await kept.make();
        if (!result.ok) throw new Problem("storage", `The backup could not be made: ${result.reason}`);
        ctx.set("Location", `${BASE}/backups/${result.backup.name}`);
        answer(ctx, result.backup);
        ctx.status = 201;
      },
    },
    {
      id: "getBackup",
      method: "get",
      path: "/backups/:name",
      access: ADMIN,
      summary: "One of the backups on the box",
      answers: { 200: { description: "The backup, to be kept as a file", schema: shapes.backupFile } },
      problems: ["not-found"],
      handle: async (ctx) => {
        const name = nameOf(ctx);
        const bytes = await kept.read(name);
        if (bytes === undefined) throw none();
        ctx.attachment(name);
        ctx.set("Cache-Control", "no-store");
        ctx.type = "application/json";
        ctx.body = Buffer.from(bytes);
      },
    },
    {
      id: "removeBackup",
      method: "delete",
      path: "/backups/:name",
      access: ADMIN,
      summary: "Remove one of the backups on the box",
      answers: { 204: { description: "It is gone" } },
      problems: ["not-found"],
      handle: async (ctx) => {
        if (!(await kept.remove(nameOf(ctx)))) throw none();
        ctx.status = 204;
      },
    },
  ];
}

function nameOf(ctx: RouterContext): string {
  return ctx.params.name ?? "";
}

function none(): Problem {
  return new Problem("not-found", "There is no backup of this name");
}

function notImported(result: Exclude<ImportResult, { ok: true }>): Problem {
  switch (result.reason) {
    case "invalid":
      return invalid(result.errors);
    case "stale":
      return new Problem("stale", `Nothing was imported: ${result.message}`);
    case "conflict":
      return new Problem("conflict", `Nothing was imported: ${result.message}`);
    case "failed": {
      const what = result.unsettled ? "The next start of the box brings it to its end" : "Nothing was imported";
      return new Problem("storage", `${what}: ${result.message}`);
    }
  }
}
