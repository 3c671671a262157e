/** `/inputs`, `/board` and `/panel`: what comes in, how the box is, and its front panel from afar. */

import { type BoardControl, boardStatus, panelStatus } from "../boardControl.ts";
import {
  boardStatus as boardSchema,
  chartPoints,
  inputList,
  inputStatus,
  panelPress,
  panelStatus as panelSchema,
} from "../boardSchemas.ts";
import { readValid } from "../body.ts";
import { Problem } from "../problem.ts";
import { answer, type Route } from "../route.ts";

const JSON_TYPE = ["application/json"] as const;
const HOUR = 3600;
const DAY = 24 * HOUR;

export function boardRoutes(board: BoardControl): Route[] {
  return [
    {
      id: "listInputs",
      method: "get",
      path: "/inputs",
      access: { role: "viewer", scope: "status" },
      summary: "What comes in on each connector of the box",
      answers: { 200: { description: "The connectors, as they are on the box", schema: inputList } },
      problems: [],
      handle: (ctx) => answer(ctx, board.inputs.list()),
    },
    {
      id: "getInput",
      method: "get",
      path: "/inputs/:id",
      access: { role: "viewer", scope: "status" },
      summary: "What comes in on a connector of the box",
      answers: { 200: { description: "The connector", schema: inputStatus } },
      problems: ["not-found"],
      handle: (ctx) => {
        const id = ctx.params.id ?? "";
        const status = board.inputs.status(id);
        if (status === undefined) throw none("connector", id);
        answer(ctx, status);
      },
    },
    {
      id: "getBoard",
      method: "get",
      path: "/board",
      access: { role: "viewer", scope: "status" },
      summary: "The box: model, faults and what its sensors tell",
      answers: { 200: { description: "As of the last reading", schema: boardSchema } },
      problems: [],
      handle: (ctx) => answer(ctx, boardStatus(board)),
    },
    {
      id: "getBoardHistory",
      method: "get",
      path: "/board/history",
      access: { role: "viewer", scope: "status" },
      summary: "A sensor's values of the last hour or day, for a chart",
      query: {
        sensor: "Name of the value, one of the board's `history`, such as temperature/soc",
        seconds: "How far back, up to a day (86400); the last hour if left out",
      },
      answers: { 200: { description: "Points, oldest first", schema: chartPoints } },
      problems: ["bad-request", "not-found"],
      handle: (ctx) => {
        const { sensor, seconds = String(HOUR) } = ctx.query;
        if (typeof sensor !== "string") throw new Problem("bad-request", "sensor must be given once in the query");
        const span = typeof seconds === "string" && /^\d{1,5}$/.test(seconds) ? Number(seconds) : 0;
        if (span < 1 || span > DAY) throw new Problem("bad-request", `seconds must be between 1 and ${DAY}`);
        const points = board.sensors.history.points(sensor, span);
        if (points === undefined) throw none("history of", sensor);
        answer(ctx, points);
      },
    },
    {
      id: "findBox",
      method: "post",
      path: "/board/find-me",
      access: { role: "operator", scope: "board" },
      summary: "Let the lights of the box blink for a minute, so that it is found in a rack",
      answers: { 204: { description: "They blink" } },
      problems: [],
      handle: (ctx) => {
        board.panel.findMe();
        ctx.status = 204;
      },
    },
    {
      id: "getPanel",
      method: "get",
      path: "/panel",
      access: { role: "viewer", scope: "status" },
      summary: "What the front panel shows",
      answers: { 200: { description: "Picture, view and brightness", schema: panelSchema } },
      problems: [],
      handle: (ctx) => answer(ctx, panelStatus(board)),
    },
    {
      id: "pressPanelKey",
      method: "post",
      path: "/panel/keys",
      access: { role: "admin", scope: "board" },
      audit: "series",
      summary: "Press a key of the front panel once",
      body: { types: JSON_TYPE, schema: panelPress },
      answers: { 204: { description: "It was pressed" } },
      problems: ["invalid"],
      handle: async (ctx) => {
        const { key } = await readValid(ctx, JSON_TYPE, panelPress);
        board.panel.press(key);
        ctx.status = 204;
      },
    },
  ];
}

/** A problem for what the box does not have. */
export function none(kind: string, id: string): Problem {
  return new Problem("not-found", `There is no ${kind} ${JSON.stringify(id.slice(0, 60))}`);
}
