/** `/time`: the wall clock, and setting it by hand. How it is set otherwise is in the configuration. */
import { type TimeService, timeZones } from "../../system/time/timeService.ts";
import { readValid } from "../body.ts";
import { noteForAudit } from "../principal.ts";
import { Problem } from "../problem.ts";
import { answer, type Route } from "../route.ts";
import { timeSetting, timeStatus, zoneList } from "../systemSchemas.ts";

const JSON_TYPE = ["application/json"] as const;

export function timeRoutes(time: Pick<TimeService, "status" | "set">): Route[] {
  return [
    {
      id: "getTime",
      method: "get",
      path: "/time",
      access: { role: "viewer", scope: "system" },
      summary: "The time of the box, and whether a server keeps it right",
      answers: { 200: { description: "As it was a minute ago at most; null is not known", schema: timeStatus } },
      problems: [],
      handle: (ctx) => answer(ctx, time.status()),
    },
    {
      id: "setTime",
      method: "put",
      path: "/time",
      access: { role: "admin", scope: "system" },
      summary: "Set the clock by hand, where no server sets it",
      description: "Channels on air do not notice: they do not run on this clock.",
      body: { types: JSON_TYPE, schema: timeSetting },
      answers: { 200: { description: "It is set", schema: timeStatus } },
      problems: ["invalid", "conflict"],
      handle: async (ctx) => {
        const setting = await readValid(ctx, JSON_TYPE, timeSetting);
        noteForAudit(ctx, { detail: setting.time });
        const result = await time.set(new Date(setting.time));
        if (!result.ok) throw new Problem("conflict", result.why);
        answer(ctx, time.status());
      },
    },
    {
      id: "listTimeZones",
      method: "get",
      path: "/time/zones",
      access: { role: "viewer", scope: "system" },
      summary: "The time zones that can be set",
      answers: { 200: { description: "Names of the IANA time zone database", schema: zoneList } },
      problems: [],
      handle: (ctx) => answer(ctx, { zones: timeZones() }),
    },
  ];
}
