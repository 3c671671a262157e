/** `/session`, `/setup`, `/account`: logging in and out, and one's own password and second factor. */
import type { RouterContext } from "@koa/router";
import type { AccessService } from "../../access/access.ts";
import type { Principal } from "../../access/principal.ts";
import type { LoggedIn } from "../../access/results.ts";
import { confirmed, slow, weak } from "../accessProblems.ts";
import {
  logInRequest,
  passwordChange,
  passwordConfirmation,
  recoveryCodes,
  sessionState,
  setUpRequest,
  totpActivation,
  totpSecret,
  userInfo,
} from "../accessSchemas.ts";
import { readValid } from "../body.ts";
import { clearSessionCookie, deviceCookie, setDeviceCookie, setSessionCookie } from "../cookies.ts";
import { originOf } from "../listeners.ts";
import { isKnown, principalOf } from "../principal.ts";
import { invalid, Problem } from "../problem.ts";
import { answer, type Route } from "../route.ts";
import { tokenRoutes } from "./tokens.ts";
import { userRoutes } from "./users.ts";

const JSON_TYPE = ["application/json"] as const;
const OWN = { role: "viewer", scope: "access" } as const;

/** All that concerns who may do what. */
export function accessRoutes(access: AccessService): Route[] {
  return [...sessionRoutes(access), ...accountRoutes(access), ...tokenRoutes(access), ...userRoutes(access)];
}

function sessionRoutes(access: AccessService): Route[] {
  const tell = (ctx: RouterContext, principal: Principal | undefined): void => {
    answer(ctx, { setup: access.needsSetup, user: principal === undefined ? null : access.standing(principal) });
  };
  const welcome = async (ctx: RouterContext, { principal, session, device }: LoggedIn): Promise<void> => {
    // The session that this browser had until now would only lie about.
    if (isKnown(ctx)) await access.logOut(principalOf(ctx));
    setSessionCookie(ctx, session);
    if (device !== undefined) setDeviceCookie(ctx, device);
    tell(ctx, principal);
  };
  return [
    {
      id: "getSession",
      method: "get",
      path: "/session",
      access: "public",
      summary: "Who asks, and whether the box is to be set up",
      answers: { 200: { description: "`user` is null for nobody", schema: sessionState } },
      problems: [],
      handle: (ctx) => tell(ctx, isKnown(ctx) ? principalOf(ctx) : undefined),
    },
    {
      id: "logIn",
      method: "post",
      path: "/session",
      access: "public",
      // The access service tells the audit log itself: it knows more of it.
      audit: "nothing",
      summary: "Log in",
      description:
        "Sets the cookies of session and device. While the box has no user, `admin` with the password `admin` gives a " +
        "session that can only set a password (POST /setup), from the networks of the box itself. A user with a second " +
        "factor is asked for a code by 401 `code-needed`. Guesses are slowed down by 429 with Retry-After: by address " +
        "after 5 (1 s, doubling up to 5 min), by user after 10 (a turn for each address within 60 s); who has logged in " +
        "with the same browser before is not slowed by the guesses of others.",
      body: { types: JSON_TYPE, schema: logInRequest },
      answers: { 200: { description: "Logged in", schema: sessionState } },
      problems: ["invalid", "unauthenticated", "code-needed"],
      handle: async (ctx) => {
        const request = await readValid(ctx, JSON_TYPE, logInRequest);
        const from = { address: originOf(ctx.req).address, device: deviceCookie(ctx), agent: ctx.get("User-Agent") };
        const result = await access.logIn({ ...request, ...from });
        if (result.ok) return await welcome(ctx, result);
        switch (result.reason) {
          case "throttled":
            throw slow(result);
          case "code-needed":
            throw new Problem("code-needed", "Enter the code of your authenticator app, or a recovery code");
          case "refused":
            throw new Problem("unauthenticated", "User, password or code is wrong");
        }
      },
    },
    {
      id: "logOut",
      method: "delete",
      path: "/session",
      access: "public",
      summary: "Log out",
      answers: { 204: { description: "Nobody is logged in any more" } },
      problems: [],
      handle: async (ctx) => {
        if (isKnown(ctx)) await access.logOut(principalOf(ctx));
        clearSessionCookie(ctx);
        ctx.status = 204;
      },
    },
    {
      id: "setUp",
      method: "post",
      path: "/setup",
      access: "setup",
      summary: "Set the first password, which makes the user admin",
      body: { types: JSON_TYPE, schema: setUpRequest },
      answers: { 200: { description: "Logged in as admin", schema: sessionState } },
      problems: ["invalid", "conflict", "storage"],
      handle: async (ctx) => {
        const { password } = await readValid(ctx, JSON_TYPE, setUpRequest);
        const result = await access.setUp(principalOf(ctx), password, ctx.get("User-Agent"));
        if (result.ok) return await welcome(ctx, result);
        if (result.reason === "weak") throw weak(result);
        throw new Problem("conflict", "The box is set up already");
      },
    },
  ];
}

function accountRoutes(access: AccessService): Route[] {
  const { account, users } = access;
  /** Tokens and programs on the box have no account of their own. */
  const owner = (ctx: RouterContext): Principal => {
    const principal = principalOf(ctx);
    if (principal.via !== "session") throw new Problem("forbidden", "Log in with a password for that");
    return principal;
  };
  const password = async (ctx: RouterContext) => (await readValid(ctx, JSON_TYPE, passwordConfirmation)).password;

  return [
    {
      id: "getAccount",
      method: "get",
      path: "/account",
      access: OWN,
      summary: "One's own user",
      answers: { 200: { description: "The user", schema: userInfo } },
      problems: [],
      handle: (ctx) => {
        const { name, via } = principalOf(ctx);
        const user = via === "local" ? undefined : users.get(name);
        if (user === undefined) throw new Problem("forbidden", "A program on the box itself is no user");
        answer(ctx, user);
      },
    },
    {
      id: "changePassword",
      method: "put",
      path: "/account/password",
      access: OWN,
      summary: "Change one's own password",
      description: "Ends all other sessions of the user.",
      body: { types: JSON_TYPE, schema: passwordChange },
      answers: { 204: { description: "Changed" } },
      problems: ["invalid", "storage"],
      handle: async (ctx) => {
        const { current, password } = await readValid(ctx, JSON_TYPE, passwordChange);
        const result = await account.changePassword(owner(ctx), current, password);
        if (!result.ok && result.reason === "weak") throw weak(result);
        confirmed(result);
        ctx.status = 204;
      },
    },
    {
      id: "beginSecondFactor",
      method: "post",
      path: "/account/totp",
      access: OWN,
      summary: "Begin to set up a second factor",
      description: "The secret counts once a code of it is put within ten minutes, in the same session.",
      body: { types: JSON_TYPE, schema: passwordConfirmation },
      answers: { 200: { description: "For the authenticator app", schema: totpSecret } },
      problems: ["invalid"],
      handle: async (ctx) => {
        const { secret, uri } = confirmed(await account.beginTotp(owner(ctx), await password(ctx)));
        answer(ctx, { secret, uri });
      },
    },
    {
      id: "activateSecondFactor",
      method: "put",
      path: "/account/totp",
      access: OWN,
      summary: "Put the second factor in force, with its first code",
      body: { types: JSON_TYPE, schema: totpActivation },
      answers: { 200: { description: "Codes for when the app is lost, told this once", schema: recoveryCodes } },
      problems: ["invalid", "conflict", "storage"],
      handle: async (ctx) => {
        const { code } = await readValid(ctx, JSON_TYPE, totpActivation);
        const result = await account.activateTotp(owner(ctx), code);
        if (result.ok) return answer(ctx, { recoveryCodes: result.recoveryCodes });
        switch (result.reason) {
          case "not-begun":
            throw new Problem("conflict", "Begin with POST, and put the code within ten minutes");
          case "wrong-code":
            throw invalid([
              { pointer: "/code", message: "is not one of this secret now; is the clock of the box right?" },
            ]);
        }
      },
    },
    {
      id: "removeSecondFactor",
      method: "delete",
      path: "/account/totp",
      access: OWN,
      summary: "Log in without a second factor from now on",
      body: { types: JSON_TYPE, schema: passwordConfirmation },
      answers: { 204: { description: "Removed" } },
      problems: ["invalid", "storage"],
      handle: async (ctx) => {
        confirmed(await account.removeTotp(owner(ctx), await password(ctx)));
        ctx.status = 204;
      },
    },
    {
      id: "renewRecoveryCodes",
      method: "post",
      path: "/account/recovery-codes",
      access: OWN,
      summary: "Make new recovery codes; the old ones are void",
      body: { types: JSON_TYPE, schema: passwordConfirmation },
      answers: { 200: { description: "Told this once", schema: recoveryCodes } },
      problems: ["invalid", "conflict", "storage"],
      handle: async (ctx) => {
        const result = await account.renewRecoveryCodes(owner(ctx), await password(ctx));
        if (!result.ok && result.reason === "no-totp") throw new Problem("conflict", "You have no second factor");
        const { recoveryCodes } = confirmed(result);
        answer(ctx, { recoveryCodes });
      },
    },
  ];
}
