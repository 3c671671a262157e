/** `/firmware`: the slots, the bundle at hand, and orders to receive, install and start firmware. */
import type { RouterContext } from "@koa/router";
import type { Refusal, Taken } from "../../update/results.ts";
import type { UpdateService } from "../../update/service.ts";
import type { Activation } from "../../update/status.ts";
import { readValid } from "../body.ts";
import * as shapes from "../firmwareSchemas.ts";
import { allowTime } from "../listeners.ts";
import { noteForAudit, principalOf } from "../principal.ts";
import { Problem } from "../problem.ts";
import { answer, type Route } from "../route.ts";

const JSON_TYPE = ["application/json"] as const;
const FILE_TYPE = "application/octet-stream";
const ADMIN = { role: "admin", scope: "system" } as const;
const VIEWER = { role: "viewer", scope: "system" } as const;

/** A client that waits for the check of its bundle is told so often that it goes on, ms. */
const SIGN_OF_LIFE_MS = 5000;
/** Most that is taken of a bundle that is refused, bytes: most clients hear nothing before they have said all. */
const MAX_DRAINED = 1024 * 1024 * 1024;
/** How long nothing may go over the connection of an upload, which may wait for us, ms. */
const SILENCE_MS = 5 * 60_000;
const MAX_NAME = 200;

export function firmwareRoutes(update: UpdateService): Route[] {
  const taken = async (ctx: RouterContext, result: Taken) => {
    if (!result.ok) throw refused(result);
    answer(ctx, await update.look());
    ctx.status = 202;
  };
  const who = (ctx: RouterContext) => principalOf(ctx).name;
  return [
    {
      id: "getFirmware",
      method: "get",
      path: "/firmware",
      access: VIEWER,
      summary: "The firmware that runs, the slots, the bundle at hand and what is being done",
      answers: { 200: { description: "As of now", schema: shapes.firmwareStatus } },
      problems: [],
      handle: async (ctx) => answer(ctx, await update.look()),
    },
    {
      id: "listFirmwareHistory",
      method: "get",
      path: "/firmware/history",
      access: VIEWER,
      summary: "What has happened to the firmware",
      answers: { 200: { description: "Newest first, 200 at the most", schema: shapes.firmwareHistory } },
      problems: [],
      handle: (ctx) => answer(ctx, { events: update.history() }),
    },
    {
      id: "uploadFirmware",
      method: "post",
      path: "/firmware/bundle",
      access: ADMIN,
      summary: "Send a bundle, which takes the place of the one at hand",
      description:
        "The file itself, with Content-Length. The answer comes when it is received and checked: signature, kind of box and " +
        "every byte. A bundle that is cut off or refused leaves nothing behind.",
      query: { name: "Name of the file, for the history" },
      body: { types: [FILE_TYPE] },
      answers: { 201: { description: "It is here, and can be installed", schema: shapes.bundleStatus } },
      problems: ["invalid", "conflict", "no-space"],
      handle: async (ctx) => {
        const result = await upload(ctx, update, who(ctx));
        answer(ctx, result);
        ctx.status = 201;
      },
    },
    {
      id: "fetchFirmware",
      method: "post",
      path: "/firmware/fetch",
      access: ADMIN,
      summary: "Fetch a bundle from a web server, in the background",
      body: { types: JSON_TYPE, schema: shapes.firmwareFetch },
      answers: { 202: { description: "It has begun", schema: shapes.firmwareStatus } },
      problems: ["invalid", "conflict"],
      handle: async (ctx) => {
        const { url, sha256 } = await readValid(ctx, JSON_TYPE, shapes.firmwareFetch);
        noteForAudit(ctx, { detail: `from ${new URL(url).host}` });
        await taken(ctx, await update.bundles.fetch(url, sha256, who(ctx)));
      },
    },
    {
      id: "listUsbBundles",
      method: "get",
      path: "/firmware/usb",
      access: VIEWER,
      summary: "The bundles on USB sticks",
      answers: {
        200: { description: "Files *.raucb in the first folder of each stick", schema: shapes.usbBundleList },
      },
      problems: [],
      handle: async (ctx) => answer(ctx, { bundles: await update.bundles.onSticks() }),
    },
    {
      id: "takeUsbBundle",
      method: "post",
      path: "/firmware/usb",
      access: ADMIN,
      summary: "Take a bundle from a USB stick, in the background",
      body: { types: JSON_TYPE, schema: shapes.usbChoice },
      answers: { 202: { description: "It has begun", schema: shapes.firmwareStatus } },
      problems: ["invalid", "not-found", "conflict"],
      handle: async (ctx) => {
        const { id } = await readValid(ctx, JSON_TYPE, shapes.usbChoice);
        const result = await update.bundles.takeFromStick(id, who(ctx));
        if (result === undefined) throw new Problem("not-found", "There is no such bundle on a stick");
        await taken(ctx, result);
      },
    },
    {
      id: "removeFirmwareBundle",
      method: "delete",
      path: "/firmware/bundle",
      access: ADMIN,
      summary: "Remove the bundle at hand, or end the receiving of one",
      answers: { 204: { description: "There is none any more" } },
      problems: ["conflict"],
      handle: async (ctx) => done(ctx, await update.bundles.remove()),
    },
    {
      id: "installFirmware",
      method: "post",
      path: "/firmware/install",
      access: ADMIN,
      summary: "Install the bundle at hand to the slot that does not run, in the background",
      description:
        "The channels stay on the air. `activation` says when it is started: now, which reboots the box when it is installed, " +
        "at the next boot, at a time, or manual: when POST /firmware/activate orders it. An older version takes downgrade.",
      body: { types: JSON_TYPE, schema: shapes.firmwareInstall },
      answers: { 202: { description: "It has begun", schema: shapes.firmwareStatus } },
      problems: ["invalid", "conflict"],
      handle: async (ctx) => {
        const { activation, downgrade } = await readValid(ctx, JSON_TYPE, shapes.firmwareInstall);
        noteForAudit(ctx, { detail: `${downgrade === true ? "an older version, " : ""}start: ${inWords(activation)}` });
        await taken(ctx, await update.install({ activation, downgrade }, who(ctx)));
      },
    },
    {
      id: "activateFirmware",
      method: "post",
      path: "/firmware/activate",
      access: ADMIN,
      summary: "Start the firmware in the other slot: now, at the next boot, or at a time",
      description:
        "A time that passes while the box is off is overtaken: what is more than 15 minutes late is done by the next boot, " +
        "without an outage of its own.",
      body: { types: JSON_TYPE, schema: shapes.firmwareActivate },
      answers: { 202: { description: "It will be", schema: shapes.firmwareStatus } },
      problems: ["invalid", "conflict"],
      handle: async (ctx) => {
        const activation = await readValid(ctx, JSON_TYPE, shapes.firmwareActivate);
        noteForAudit(ctx, { detail: inWords(activation) });
        await taken(ctx, await update.activations.activate(activation, who(ctx)));
      },
    },
    {
      id: "cancelFirmwareActivation",
      method: "delete",
      path: "/firmware/activation",
      access: ADMIN,
      summary: "Take back what was ordered for later: the firmware that runs is the next to boot again",
      answers: { 204: { description: "Nothing is ordered any more" } },
      problems: ["conflict"],
      handle: async (ctx) => done(ctx, await update.activations.cancel(who(ctx))),
    },
    {
      id: "rollBackFirmware",
      method: "post",
      path: "/firmware/rollback",
      access: ADMIN,
      summary: "Reboot into the other slot, which was good before",
      body: { types: JSON_TYPE, schema: shapes.nothing },
      answers: { 202: { description: "It will", schema: shapes.firmwareStatus } },
      problems: ["invalid", "conflict"],
      handle: async (ctx) => {
        await readValid(ctx, JSON_TYPE, shapes.nothing);
        await taken(ctx, await update.activations.rollBack(who(ctx)));
      },
    },
  ];
}

async function upload(ctx: RouterContext, update: UpdateService, who: string) {
  const type = ctx.get("Content-Type").split(";", 1)[0]?.trim().toLowerCase() ?? "";
  const length = ctx.get("Content-Length");
  const name = [ctx.query.name ?? []].flat()[0]?.slice(0, MAX_NAME) ?? "";
  if (type !== FILE_TYPE) throw new Problem("media-type", `Content-Type must be ${FILE_TYPE}, is ${type || "none"}`);
  if (!/^\d{1,15}$/.test(length)) throw new Problem("bad-request", "Content-Length must tell the size of the file");
  const size = Number(length);
  allowTime(ctx.req);
  ctx.req.setTimeout(SILENCE_MS);
  const alive = setInterval(() => {
    if (!ctx.req.complete || ctx.headerSent || ctx.res.destroyed) return;
    // Else a connection that says nothing for so long is cut, at either end.
    ctx.res.writeProcessing();
  }, SIGN_OF_LIFE_MS);
  try {
    const result = await update.bundles.upload(bytesOf(ctx), size, name === "" ? "a file" : name, who);
    if (result.ok) {
      noteForAudit(ctx, { detail: `version ${result.bundle.version}, ${size} bytes` });
      return result.bundle;
    }
    await drain(ctx);
    throw refused(result);
  } finally {
    clearInterval(alive);
  }
}

/** The body as it comes, and no faster than it is taken. What is left of it stays: the connection is needed for the answer. */
async function* bytesOf(ctx: RouterContext): AsyncGenerator<Uint8Array> {
  for await (const chunk of ctx.req.iterator({ destroyOnReturn: false })) yield chunk as Uint8Array;
}

async function drain(ctx: RouterContext): Promise<void> {
  let drained = 0;
  try {
    for await (const chunk of bytesOf(ctx)) {
      drained += chunk.length;
      if (drained > MAX_DRAINED) return;
    }
  } catch {
    // Whoever has gone need not be told.
  }
}

function inWords(activation: Activation): string {
  return activation.when === "at" ? `at ${activation.at}` : activation.when;
}

function done(ctx: RouterContext, result: Taken): void {
  if (!result.ok) throw refused(result);
  ctx.status = 204;
}

function refused({ kind, why }: Refusal): Problem {
  return new Problem(kind, why);
}
