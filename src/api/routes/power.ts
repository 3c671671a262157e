/** `/power`: reboot, shutdown and factory settings. The schedule is in the configuration. */
import type { RouterContext } from "@koa/router";
import type { AccessService } from "../../access/access.ts";
import type { PowerOrder } from "../../system/power/adapters.ts";
import type { PowerService } from "../../system/power/powerService.ts";
import { confirmed } from "../accessProblems.ts";
import { readValid } from "../body.ts";
import { noteForAudit, principalOf } from "../principal.ts";
import { Problem } from "../problem.ts";
import { answer, type Route } from "../route.ts";
import { factoryReset, powerOrder, powerStatus } from "../systemSchemas.ts";

const JSON_TYPE = ["application/json"] as const;
const ADMIN = { role: "admin", scope: "system" } as const;

export function powerRoutes(
  power: Pick<PowerService, "status" | "order" | "factoryReset">,
  access: Pick<AccessService, "confirmPassword">,
): Route[] {
  const order = async (ctx: RouterContext, what: PowerOrder) => {
    const result = await power.order(what, `ordered by ${principalOf(ctx).name}`);
    if (!result.ok) throw new Problem("conflict", result.why);
    answer(ctx, { order: what, inSeconds: result.inSeconds });
    ctx.status = 202;
  };
  return [
    {
      id: "getPower",
      method: "get",
      path: "/power",
      access: { role: "viewer", scope: "system" },
      summary: "How long the box is up and why it came up, what it can do, and when it reboots next",
      answers: { 200: { description: "As of now", schema: powerStatus } },
      problems: [],
      handle: (ctx) => answer(ctx, power.status()),
    },
    {
      id: "reboot",
      method: "post",
      path: "/power/reboot",
      access: ADMIN,
      summary: "Reboot the box in two seconds; the channels go off the air meanwhile",
      answers: { 202: { description: "It will", schema: powerOrder } },
      problems: ["conflict"],
      handle: (ctx) => order(ctx, "reboot"),
    },
    {
      id: "shutDown",
      method: "post",
      path: "/power/shutdown",
      access: ADMIN,
      summary: "Shut the box down in two seconds; only its power brings it up again",
      answers: { 202: { description: "It will", schema: powerOrder } },
      problems: ["conflict"],
      handle: (ctx) => order(ctx, "shutdown"),
    },
    {
      id: "resetToFactory",
      method: "post",
      path: "/power/factory-reset",
      access: ADMIN,
      summary:
        "Put everything back to what a new box has: settings, users, certificate, backups, logs. The firmware stays",
      body: { types: JSON_TYPE, schema: factoryReset },
      answers: {
        202: { description: "The box reboots for it, in two seconds", schema: powerOrder },
        204: { description: "It is done" },
      },
      problems: ["invalid", "conflict", "forbidden", "too-many"],
      handle: async (ctx) => {
        const { password, keepNetwork } = await readValid(ctx, JSON_TYPE, factoryReset);
        confirmed(await access.confirmPassword(principalOf(ctx), password));
        noteForAudit(ctx, { detail: keepNetwork ? "network kept" : "network, too" });
        const result = await power.factoryReset({ keepNetwork });
        if (result !== "done" && "refused" in result) throw new Problem("conflict", result.refused);
        if (result === "done") ctx.status = 204;
        else {
          answer(ctx, { order: "factory-reset", inSeconds: result.inSeconds });
          ctx.status = 202;
        }
      },
    },
  ];
}
