/** `/sessions`, `/tokens`: who is logged in, and which programs may come in the name of a user. */
import type { AccessService } from "../../access/access.ts";
import { madeToken, sessionList, tokenList, tokenRequest } from "../accessSchemas.ts";
import { readValid } from "../body.ts";
import { clearSessionCookie } from "../cookies.ts";
import { noteForAudit, principalOf } from "../principal.ts";
import { invalid, Problem } from "../problem.ts";
import { answer, type Route } from "../route.ts";

const JSON_TYPE = ["application/json"] as const;
const OWN = { role: "viewer", scope: "access" } as const;

export function tokenRoutes(access: AccessService): Route[] {
  const { tokens } = access;
  return [
    {
      id: "listSessions",
      method: "get",
      path: "/sessions",
      access: OWN,
      summary: "One's own sessions; for an admin, all",
      answers: { 200: { description: "The sessions, 256 at the most", schema: sessionList } },
      problems: [],
      handle: (ctx) => answer(ctx, { sessions: access.sessions(principalOf(ctx)) }),
    },
    {
      id: "endSession",
      method: "delete",
      path: "/sessions/:id",
      access: OWN,
      summary: "Log a session out",
      answers: { 204: { description: "It has ended" } },
      problems: ["not-found"],
      handle: async (ctx) => {
        const principal = principalOf(ctx);
        const id = ctx.params.id ?? "";
        const result = await access.endSession(principal, id);
        if (!result.ok) throw new Problem("not-found", "There is no such session");
        if (id === principal.id) clearSessionCookie(ctx);
        ctx.status = 204;
      },
    },
    {
      id: "listTokens",
      method: "get",
      path: "/tokens",
      access: OWN,
      summary: "One's own API tokens; for an admin, all",
      answers: { 200: { description: "The tokens, 64 at the most, without their secrets", schema: tokenList } },
      problems: [],
      handle: (ctx) => answer(ctx, { tokens: tokens.list(principalOf(ctx)) }),
    },
    {
      id: "addToken",
      method: "post",
      path: "/tokens",
      access: OWN,
      summary: "Make an API token",
      description:
        "Takes a log-in with a password. Whoever has the token may do what its role, its scopes and its owner may.",
      body: { types: JSON_TYPE, schema: tokenRequest },
      answers: { 201: { description: "Made; `token` is told this once", schema: madeToken } },
      problems: ["invalid", "conflict", "storage"],
      handle: async (ctx) => {
        const { name, role, scopes, expires } = await readValid(ctx, JSON_TYPE, tokenRequest);
        const until = typeof expires === "string" ? new Date(expires) : undefined;
        const result = await tokens.add(principalOf(ctx), { name, role, scopes, expires: until });
        if (result.ok) {
          const { info, token } = result;
          noteForAudit(ctx, { diff: [{ pointer: `/tokens/${info.id}`, after: info }] });
          answer(ctx, { ...info, token });
          ctx.status = 201;
          return;
        }
        switch (result.reason) {
          case "no-user":
            throw new Problem("forbidden", "Log in with a password for that");
          case "role":
            throw invalid([{ pointer: "/role", message: "must not be more than your own role", value: role }]);
          case "expiry":
            throw invalid([{ pointer: "/expires", message: "must be in the future, by a year at the most" }]);
          case "too-many":
            throw new Problem("conflict", "There are 64 tokens already: remove one that is not needed");
        }
      },
    },
    {
      id: "removeToken",
      method: "delete",
      path: "/tokens/:id",
      access: OWN,
      summary: "Remove an API token",
      answers: { 204: { description: "It is not valid any more" } },
      problems: ["not-found", "storage"],
      handle: async (ctx) => {
        const result = await tokens.remove(principalOf(ctx), ctx.params.id ?? "");
        if (!result.ok) throw new Problem("not-found", "There is no such token");
        ctx.status = 204;
      },
    },
  ];
}
