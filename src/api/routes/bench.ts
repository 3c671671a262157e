/**
 * `/bench`: the surroundings of the virtual board. A real box has none of these routes, and their changes are none of the
 * box: the audit log keeps nothing of them.
 */
import type { RouterContext } from "@koa/router";
import type { BoardFile } from "../../board/boardFile.ts";
import type { VirtualBoard } from "../../board/virtual/virtualBoard.ts";
import { toPointer } from "../../config/json.ts";
import { benchStatus, changeEnvironment } from "../bench.ts";
import {
  benchPress,
  benchStatus as benchSchema,
  environmentPatch,
  i2cPatch,
  playerPatch,
  supplyPatch,
} from "../boardSchemas.ts";
import { readValid } from "../body.ts";
import { invalid } from "../problem.ts";
import { answer, type Route } from "../route.ts";
import { none } from "./board.ts";

const JSON_TYPE = ["application/json"] as const;
const PATCH_TYPES = ["application/merge-patch+json", "application/json"] as const;

/** Every change is answered with the bench as it is then. */
const changed = { 200: { description: "The bench as it is now", schema: benchSchema } };

export function benchRoutes(virtual: VirtualBoard, file: BoardFile): Route[] {
  const tell = (ctx: RouterContext): void => answer(ctx, benchStatus(virtual, file));

  /** The named one of what the board has. */
  const named = (ctx: RouterContext, kind: string, list: readonly { id: string }[]): string => {
    const { id = "" } = ctx.params;
    if (!list.some((one) => one.id === id)) throw none(kind, id);
    return id;
  };

  return [
    {
      id: "getBench",
      method: "get",
      path: "/bench",
      access: { role: "viewer", scope: "board" },
      summary: "What is around the virtual board: players, keys, power, heat, buses",
      answers: { 200: { description: "The bench", schema: benchSchema } },
      problems: [],
      handle: tell,
    },
    {
      id: "patchPlayer",
      method: "patch",
      path: "/bench/players/:id",
      access: { role: "admin", scope: "board" },
      audit: "nothing",
      summary: "Plug in or take out the player of a connector, or change what it plays",
      body: { types: PATCH_TYPES, schema: playerPatch },
      answers: changed,
      problems: ["not-found", "invalid"],
      handle: async (ctx) => {
        const connector = virtual.connector(named(ctx, "connector", file.connectors));
        connector.set(await readValid(ctx, PATCH_TYPES, playerPatch));
        tell(ctx);
      },
    },
    {
      id: "pressBenchKey",
      method: "post",
      path: "/bench/keys",
      access: { role: "admin", scope: "board" },
      audit: "nothing",
      summary: "Press or release a key, or the button in the reset hole, for as long as is wanted",
      body: { types: JSON_TYPE, schema: benchPress },
      answers: changed,
      problems: ["invalid"],
      handle: async (ctx) => {
        const { key, pressed } = await readValid(ctx, JSON_TYPE, benchPress);
        virtual.press(key, pressed);
        tell(ctx);
      },
    },
    {
      id: "patchSupply",
      method: "patch",
      path: "/bench/supplies/:id",
      access: { role: "admin", scope: "board" },
      audit: "nothing",
      summary: "Plug in or take out a power supply, or make it fail",
      body: { types: PATCH_TYPES, schema: supplyPatch },
      answers: changed,
      problems: ["not-found", "invalid"],
      handle: async (ctx) => {
        const id = named(ctx, "power supply", file.supplies);
        virtual.supply(id, (await readValid(ctx, PATCH_TYPES, supplyPatch)).state);
        tell(ctx);
      },
    },
    {
      id: "patchEnvironment",
      method: "patch",
      path: "/bench/environment",
      access: { role: "admin", scope: "board" },
      audit: "nothing",
      summary: "Change the room, the load, the fan, and what is held at a temperature or a voltage",
      body: { types: PATCH_TYPES, schema: environmentPatch },
      answers: changed,
      problems: ["invalid"],
      handle: async (ctx) => {
        const change = await readValid(ctx, PATCH_TYPES, environmentPatch);
        const known = new Set(file.voltages.map(({ id }) => id));
        const unknown = Object.keys(change.voltages ?? {}).filter((id) => !known.has(id));
        if (unknown.length > 0) {
          const message = `is not a voltage of this board, which has ${[...known].join(", ") || "none"}`;
          throw invalid(unknown.map((id) => ({ pointer: toPointer(["voltages", id]), message })));
        }
        changeEnvironment(virtual, file, change);
        tell(ctx);
      },
    },
    {
      id: "patchI2cBus",
      method: "patch",
      path: "/bench/buses/:id",
      access: { role: "admin", scope: "board" },
      audit: "nothing",
      summary: "Make an I2C bus hang, or work again",
      body: { types: PATCH_TYPES, schema: i2cPatch },
      answers: changed,
      problems: ["not-found", "invalid"],
      handle: async (ctx) => {
        const bus = virtual.bus(named(ctx, "I2C bus", file.i2c));
        bus.hang((await readValid(ctx, PATCH_TYPES, i2cPatch)).hangs);
        tell(ctx);
      },
    },
  ];
}
