/** `/config`: the whole configuration, changes to it, and what it was before. */
import type { RouterContext } from "@koa/router";
import { config as schema } from "../../config/schema.ts";
import type { ChangeOptions, ChangeResult, ConfigService, Proposal, TrialEndResult } from "../../config/store.ts";
import { readJson, readValid } from "../body.ts";
import { changeOptions, holdToSections, settle } from "../change.ts";
import * as shapes from "../configSchemas.ts";
import { noteForAudit } from "../principal.ts";
import { Problem } from "../problem.ts";
import { answer, type Route } from "../route.ts";
import { storeProblemList } from "../schemas.ts";

const JSON_TYPE = ["application/json"] as const;

const TRIAL =
  "A change that can cut you off is taken back by itself unless it is confirmed within 120 s, or the time that is asked for.";
const MARK = "A secret that is set is told as ********; sent back, that means the secret that is set.";

export function configRoutes(config: ConfigService): Route[] {
  return [
    {
      id: "getConfig",
      method: "get",
      path: "/config",
      access: { role: "viewer", scope: "config" },
      summary: "The configuration in force; its ETag changes with every change",
      description: MARK,
      answers: { 200: { description: "The configuration", schema }, 304: { description: "Not changed" } },
      problems: [],
      handle: (ctx) => answer(ctx, config.shown, config.tag),
    },
    {
      id: "replaceConfig",
      method: "put",
      path: "/config",
      access: { role: "admin", scope: "config" },
      summary: "Replace the configuration",
      description: `It is checked as a whole: either all of it takes effect, or nothing has changed. ${TRIAL} ${MARK}`,
      body: { types: JSON_TYPE, schema },
      conditional: true,
      answers: { 200: { description: "The configuration as it is in force", schema } },
      problems: ["invalid", "conflict", "storage"],
      handle: async (ctx) => {
        settle(ctx, await config.replace(await readJson(ctx, JSON_TYPE), changeOptions(ctx)));
        answer(ctx, config.shown, config.tag);
      },
    },
    {
      id: "listConfigProblems",
      method: "get",
      path: "/config/problems",
      access: { role: "viewer", scope: "config" },
      summary: "What was wrong with the stored files since the start, and what was used instead",
      answers: { 200: { description: "Oldest first; empty when all was well", schema: storeProblemList } },
      problems: [],
      handle: (ctx) => answer(ctx, { problems: config.problems() }),
    },
    ...changeRoutes(config),
    ...historyRoutes(config),
  ];
}

/** Planning a change, making it, and keeping it or not. */
function changeRoutes(config: ConfigService): Route[] {
  const end = (how: (revision: number) => Promise<TrialEndResult>) => async (ctx: RouterContext) => {
    const { revision } = await readValid(ctx, JSON_TYPE, shapes.configRevision);
    const result = await how(revision);
    if (!result.ok) throw notOnTrial(result);
    noteForAudit(ctx, { diff: result.differences });
    answer(ctx, { revision: result.revision, changed: true });
  };

  return [
    {
      id: "planConfig",
      method: "post",
      path: "/config/plan",
      access: { role: "operator", scope: "config" },
      audit: "nothing",
      summary: "What a change would do: what is wrong with it, what differs, what it interrupts; nothing is changed",
      description: `For a whole document, a merge patch (RFC 7396), or a revision of the history. ${MARK}`,
      body: { types: JSON_TYPE, schema: shapes.configPlanRequest },
      answers: { 200: { description: "The plan", schema: shapes.configPlan } },
      problems: ["invalid", "not-found"],
      handle: async (ctx) => {
        const body = await readValid(ctx, JSON_TYPE, shapes.configPlanRequest);
        if (body.revision !== undefined) {
          const plan = await config.planRestore(body.revision);
          if (plan === undefined) throw noVersion(body.revision);
          answer(ctx, plan);
          return;
        }
        const { given, ...plan } = await config.plan(proposalOf(body));
        holdToSections(ctx, [...new Set([...plan.sections, ...given])]);
        answer(ctx, plan);
      },
    },
    {
      id: "applyConfig",
      method: "post",
      path: "/config/apply",
      access: { role: "operator", scope: "config" },
      summary: "Make a change",
      description: `A whole document, or a merge patch (RFC 7396). An operator may change channels, inputs and presets. ${TRIAL} ${MARK}`,
      body: { types: JSON_TYPE, schema: shapes.configApply },
      conditional: true,
      answers: { 200: { description: "It is in force", schema: shapes.configApplied } },
      problems: ["invalid", "conflict", "storage"],
      handle: async (ctx) => {
        const body = await readValid(ctx, JSON_TYPE, shapes.configApply);
        tell(ctx, await config.apply(proposalOf(body), withWishes(ctx, body)), body.comment);
      },
    },
    {
      id: "getConfigTrial",
      method: "get",
      path: "/config/trial",
      access: { role: "viewer", scope: "config" },
      summary: "The change that waits for its confirmation",
      answers: { 200: { description: "Null when there is none", schema: shapes.configTrial } },
      problems: [],
      handle: (ctx) => answer(ctx, { trial: config.trial() }),
    },
    {
      id: "confirmConfig",
      method: "post",
      path: "/config/confirm",
      access: { role: "operator", scope: "config" },
      summary: "Keep the change on trial",
      description: "When it cannot be stored, it stays on trial until its time is over.",
      body: { types: JSON_TYPE, schema: shapes.configRevision },
      answers: { 200: { description: "It is stored", schema: shapes.configApplied } },
      problems: ["invalid", "conflict", "storage"],
      handle: end((revision) => config.confirm(revision)),
    },
    {
      id: "revertConfig",
      method: "post",
      path: "/config/revert",
      access: { role: "operator", scope: "config" },
      summary: "Take the change on trial back at once",
      body: { types: JSON_TYPE, schema: shapes.configRevision },
      answers: { 200: { description: "The earlier configuration is in force", schema: shapes.configApplied } },
      problems: ["invalid", "conflict"],
      handle: end((revision) => config.revert(revision)),
    },
  ];
}

function historyRoutes(config: ConfigService): Route[] {
  return [
    {
      id: "listConfigHistory",
      method: "get",
      path: "/config/history",
      access: { role: "viewer", scope: "config" },
      summary: "The last 50 versions of the configuration",
      answers: { 200: { description: "Newest first", schema: shapes.configHistory } },
      problems: [],
      handle: async (ctx) => answer(ctx, { versions: await config.versions() }),
    },
    {
      id: "getConfigVersion",
      method: "get",
      path: "/config/history/:revision",
      access: { role: "viewer", scope: "config" },
      summary: "The configuration as it was",
      description: MARK,
      answers: { 200: { description: "The configuration of that revision", schema } },
      problems: ["not-found"],
      handle: async (ctx) => {
        const revision = revisionOf(ctx.params.revision);
        const version = await config.version(revision);
        if (version === undefined) throw noVersion(revision);
        answer(ctx, version.document);
      },
    },
    {
      id: "compareConfigVersions",
      method: "get",
      path: "/config/history/:revision/diff",
      access: { role: "viewer", scope: "config" },
      summary: "What differs from one version to another",
      query: { to: "Revision of the other version; without it, the configuration in force" },
      answers: { 200: { description: "The differences", schema: shapes.configDifferences } },
      problems: ["not-found"],
      handle: async (ctx) => {
        const { to } = ctx.query;
        const revision = revisionOf(ctx.params.revision);
        const other = to === undefined ? undefined : revisionOf(String(to));
        const differences = await config.differences(revision, other);
        if (differences === undefined) throw new Problem("not-found", "There is no such version that can be used");
        answer(ctx, { differences });
      },
    },
    {
      id: "restoreConfigVersion",
      method: "post",
      path: "/config/history/:revision/restore",
      access: { role: "admin", scope: "config" },
      summary: "Bring a version back, with its secrets",
      description: `It becomes a new version. ${TRIAL}`,
      body: { types: JSON_TYPE, schema: shapes.configRestore },
      conditional: true,
      answers: { 200: { description: "It is in force", schema: shapes.configApplied } },
      problems: ["not-found", "invalid", "conflict", "storage"],
      handle: async (ctx) => {
        const revision = revisionOf(ctx.params.revision);
        const body = await readValid(ctx, JSON_TYPE, shapes.configRestore);
        const result = await config.restore(revision, withWishes(ctx, body));
        tell(ctx, result, body.comment ?? `restored revision ${revision}`);
      },
    },
  ];
}

function proposalOf({ document, patch }: { document?: unknown; patch?: unknown }): Proposal {
  return patch === undefined ? { document } : { patch };
}

type Wishes = { confirmSeconds?: number | undefined; comment?: string | undefined };

function withWishes(ctx: RouterContext, { confirmSeconds, comment }: Wishes): ChangeOptions {
  return {
    ...changeOptions(ctx),
    ...(confirmSeconds === undefined ? {} : { confirmSeconds }),
    ...(comment === undefined ? {} : { comment }),
  };
}

function tell(ctx: RouterContext, result: ChangeResult, comment: string | undefined): void {
  const { revision, changed, trial } = settle(ctx, result, comment === undefined ? {} : { comment });
  answer(ctx, { revision, changed, ...(trial === undefined ? {} : { trial }) });
}

function revisionOf(text: string | undefined): number {
  if (!/^[1-9]\d{0,14}$/.test(text ?? ""))
    throw new Problem("not-found", "A version is named by its revision, such as 7");
  return Number(text);
}

function noVersion(revision: number): Problem {
  return new Problem("not-found", `There is no version ${revision} that can be used`);
}

function notOnTrial(result: Exclude<TrialEndResult, { ok: true }>): Problem {
  if (result.reason === "no-trial") return new Problem("conflict", "No change is on trial");
  return new Problem("conflict", `It is revision ${result.trial.revision} that is on trial`);
}
