/** `/users`: who may log in. */
import type { RouterContext } from "@koa/router";
import type { AccessService } from "../../access/access.ts";
import type { UserInfo } from "../../access/results.ts";
import { SECRET_MARK } from "../../config/schema/setting.ts";
import { weak } from "../accessProblems.ts";
import { userInfo, userList, userPatch, userRequest } from "../accessSchemas.ts";
import { readValid } from "../body.ts";
import { noteForAudit, principalOf } from "../principal.ts";
import { Problem } from "../problem.ts";
import { answer, BASE, type Route } from "../route.ts";

const JSON_TYPE = ["application/json"] as const;
const PATCH_TYPES = ["application/merge-patch+json", "application/json"] as const;
const ADMIN = { role: "admin", scope: "access" } as const;

export function userRoutes({ users }: AccessService): Route[] {
  const nameOf = (ctx: RouterContext): string => ctx.params.name ?? "";
  const none = () => new Problem("not-found", "There is no such user");
  const lastAdmin = () => new Problem("conflict", "One admin at least must be able to log in");
  const find = (name: string): UserInfo => {
    const user = users.get(name);
    if (user === undefined) throw none();
    return user;
  };
  const done = (result: { ok: true } | { ok: false; reason: "unknown" | "last-admin" }): void => {
    if (!result.ok) throw result.reason === "unknown" ? none() : lastAdmin();
  };

  return [
    {
      id: "listUsers",
      method: "get",
      path: "/users",
      access: ADMIN,
      summary: "All users",
      answers: { 200: { description: "The users, 64 at the most", schema: userList } },
      problems: [],
      handle: (ctx) => answer(ctx, { users: users.list() }),
    },
    {
      id: "addUser",
      method: "post",
      path: "/users",
      access: ADMIN,
      summary: "Add a user",
      body: { types: JSON_TYPE, schema: userRequest },
      answers: { 201: { description: "Added", schema: userInfo } },
      problems: ["invalid", "conflict", "storage"],
      handle: async (ctx) => {
        const request = await readValid(ctx, JSON_TYPE, userRequest);
        const { name, role } = request;
        const result = await users.add(request);
        if (!result.ok) {
          switch (result.reason) {
            case "weak":
              throw weak(result);
            case "exists":
              throw new Problem("conflict", `There is a user ${name} already`);
            case "too-many":
              throw new Problem("conflict", "There are 64 users already: remove one who is not needed");
            case "last-admin":
              throw new Problem("conflict", "The first user must be an admin");
          }
        }
        noteForAudit(ctx, { diff: [{ pointer: `/users/${name}`, after: { role, password: SECRET_MARK } }] });
        answer(ctx, find(name));
        ctx.set("Location", `${BASE}/users/${name}`);
        ctx.status = 201;
      },
    },
    {
      id: "getUser",
      method: "get",
      path: "/users/:name",
      access: ADMIN,
      summary: "One user",
      answers: { 200: { description: "The user", schema: userInfo } },
      problems: ["not-found"],
      handle: (ctx) => answer(ctx, find(nameOf(ctx))),
    },
    {
      id: "changeUser",
      method: "patch",
      path: "/users/:name",
      access: ADMIN,
      summary: "Change role, password or whether the user may log in",
      description: "A change ends the user's sessions; a user who is disabled loses their tokens for good, too.",
      body: { types: PATCH_TYPES, schema: userPatch },
      answers: { 200: { description: "As the user is now", schema: userInfo } },
      problems: ["invalid", "not-found", "conflict", "storage"],
      handle: async (ctx) => {
        const change = await readValid(ctx, PATCH_TYPES, userPatch);
        const name = nameOf(ctx);
        const old = find(name);
        const { via, name: own } = principalOf(ctx);
        if (change.password !== undefined && via === "session" && name === own) {
          throw new Problem("conflict", "Your own password is changed at /account/password, with the old one");
        }
        const result = await users.change(name, change);
        if (!result.ok && result.reason === "weak") throw weak(result);
        done(result as Exclude<typeof result, { reason: "weak" }>);
        const user = find(name);
        const at = (field: string) => `/users/${name}/${field}`;
        noteForAudit(ctx, {
          diff: [
            ...(old.role === user.role ? [] : [{ pointer: at("role"), before: old.role, after: user.role }]),
            ...(old.disabled === user.disabled
              ? []
              : [{ pointer: at("disabled"), before: old.disabled, after: user.disabled }]),
            ...(change.password === undefined
              ? []
              : [{ pointer: at("password"), before: SECRET_MARK, after: SECRET_MARK }]),
          ],
        });
        answer(ctx, user);
      },
    },
    {
      id: "removeUser",
      method: "delete",
      path: "/users/:name",
      access: ADMIN,
      summary: "Remove a user, with their sessions and tokens",
      answers: { 204: { description: "Removed" } },
      problems: ["not-found", "conflict", "storage"],
      handle: async (ctx) => {
        const { name, role } = find(nameOf(ctx));
        done(await users.remove(name));
        noteForAudit(ctx, { diff: [{ pointer: `/users/${name}`, before: { role, password: SECRET_MARK } }] });
        ctx.status = 204;
      },
    },
    {
      id: "removeSecondFactorOf",
      method: "delete",
      path: "/users/:name/totp",
      access: ADMIN,
      summary: "Let a user log in without the second factor, who has lost it",
      answers: { 204: { description: "Removed" } },
      problems: ["not-found", "conflict", "storage"],
      handle: async (ctx) => {
        done(await users.removeTotp(nameOf(ctx)));
        ctx.status = 204;
      },
    },
  ];
}
