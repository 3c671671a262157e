/** `/channels`: the configuration of each channel, its state, and orders to it. */
import type { RouterContext } from "@koa/router";
import type { ChannelControl, OrderResult } from "../../channels/status.ts";
import { mergePatch } from "../../config/json.ts";
import { type ChannelConfig, channel } from "../../config/schema.ts";
import type { ConfigService } from "../../config/store.ts";
import { readJson } from "../body.ts";
import { changeOptions, settle } from "../change.ts";
import { Problem } from "../problem.ts";
import { answer, BASE, type Route } from "../route.ts";
import { channelList, channelPatch, channelStatus } from "../schemas.ts";
import { sendFile } from "../web.ts";

const JSON_TYPE = ["application/json"] as const;
const PATCH_TYPES = ["application/merge-patch+json", "application/json"] as const;

export function channelRoutes(config: ConfigService, channels: ChannelControl): Route[] {
  const idOf = (ctx: RouterContext): string => ctx.params.id ?? "";
  const none = (id: string) => new Problem("not-found", `There is no channel ${JSON.stringify(id.slice(0, 60))}`);

  const configured = (ctx: RouterContext): ChannelConfig => {
    const found = config.shownChannel(idOf(ctx));
    if (found === undefined) throw none(idOf(ctx));
    return found;
  };

  const tell = (ctx: RouterContext, id: string): void => answer(ctx, config.shownChannel(id), config.tag);

  const setEnabled = (enabled: boolean) => async (ctx: RouterContext) => {
    const { ifTag: _, ...options } = changeOptions(ctx);
    const id = idOf(ctx);
    settle(ctx, await config.editChannel(id, (old) => ({ ...old, enabled }), options), { unknown: () => none(id) });
    ctx.etag = config.tag;
    ctx.status = 204;
  };

  const order = (give: (id: string) => Promise<OrderResult>) => async (ctx: RouterContext) => {
    const { id } = configured(ctx);
    const result = await give(id);
    switch (result) {
      case "done":
        ctx.status = 204;
        return;
      case "unknown-channel":
        throw none(id);
      case "not-running":
        throw new Problem("conflict", `Channel "${id}" is not running; start it first`);
      case "busy":
        throw new Problem("conflict", `Channel "${id}" is busy with another order; try again in a moment`);
    }
  };

  return [
    {
      id: "listChannels",
      method: "get",
      path: "/channels",
      access: { role: "viewer", scope: "status" },
      summary: "All channels as they are configured",
      answers: { 200: { description: "The channels, in order", schema: channelList } },
      problems: [],
      handle: (ctx) => answer(ctx, config.shown.channels, config.tag),
    },
    {
      id: "addChannel",
      method: "post",
      path: "/channels",
      access: { role: "operator", scope: "channels" },
      summary: "Add a channel",
      body: { types: JSON_TYPE, schema: channel },
      conditional: true,
      answers: { 201: { description: "The channel as it was stored, with its defaults", schema: channel } },
      problems: ["invalid", "conflict", "storage"],
      handle: async (ctx) => {
        const body = await readJson(ctx, JSON_TYPE);
        settle(ctx, await config.addChannel(body, changeOptions(ctx)));
        const { id } = body as { id: string };
        ctx.set("Location", `${BASE}/channels/${id}`);
        tell(ctx, id);
        ctx.status = 201;
      },
    },
    {
      id: "getChannel",
      method: "get",
      path: "/channels/:id",
      access: { role: "viewer", scope: "status" },
      summary: "A channel as it is configured",
      answers: { 200: { description: "The channel", schema: channel } },
      problems: ["not-found"],
      handle: (ctx) => answer(ctx, configured(ctx), config.tag),
    },
    {
      id: "replaceChannel",
      method: "put",
      path: "/channels/:id",
      access: { role: "operator", scope: "channels" },
      summary: "Replace a channel's configuration",
      description: "Settings that are left out get their defaults. The id may be left out and cannot change.",
      body: { types: JSON_TYPE, schema: channel },
      conditional: true,
      answers: { 200: { description: "The channel as it was stored", schema: channel } },
      problems: ["not-found", "invalid", "conflict", "storage"],
      handle: async (ctx) => {
        const body = await readJson(ctx, JSON_TYPE);
        const id = idOf(ctx);
        settle(ctx, await config.replaceChannel(id, body, changeOptions(ctx)), { unknown: () => none(id) });
        tell(ctx, id);
      },
    },
    {
      id: "patchChannel",
      method: "patch",
      path: "/channels/:id",
      access: { role: "operator", scope: "channels" },
      summary: "Change some of a channel's settings",
      description:
        "A JSON merge patch (RFC 7396): null brings a setting's default back; lists are replaced as a whole, and so is an object whose type changes, such as another kind of source.",
      body: { types: PATCH_TYPES, schema: channelPatch },
      conditional: true,
      answers: { 200: { description: "The channel as it was stored", schema: channel } },
      problems: ["not-found", "invalid", "conflict", "storage"],
      handle: async (ctx) => {
        const patch = await readJson(ctx, PATCH_TYPES);
        const id = idOf(ctx);
        const result = await config.editChannel(id, (old) => mergePatch(old, patch), changeOptions(ctx));
        settle(ctx, result, { unknown: () => none(id) });
        tell(ctx, id);
      },
    },
    {
      id: "removeChannel",
      method: "delete",
      path: "/channels/:id",
      access: { role: "operator", scope: "channels" },
      summary: "Remove a channel; it goes off air",
      conditional: true,
      answers: { 204: { description: "It is removed" } },
      problems: ["not-found", "conflict", "storage"],
      handle: async (ctx) => {
        const id = idOf(ctx);
        settle(ctx, await config.removeChannel(id, changeOptions(ctx)), { unknown: () => none(id) });
        ctx.status = 204;
      },
    },
    {
      id: "startChannel",
      method: "post",
      path: "/channels/:id/start",
      access: { role: "operator", scope: "channels" },
      summary: "Put a channel on air, also after a restart of the box",
      answers: { 204: { description: "It is enabled, or was already" } },
      problems: ["not-found", "conflict", "storage"],
      handle: setEnabled(true),
    },
    {
      id: "stopChannel",
      method: "post",
      path: "/channels/:id/stop",
      access: { role: "operator", scope: "channels" },
      summary: "Take a channel off air, also after a restart of the box",
      answers: { 204: { description: "It is disabled, or was already" } },
      problems: ["not-found", "conflict", "storage"],
      handle: setEnabled(false),
    },
    {
      id: "restartChannel",
      method: "post",
      path: "/channels/:id/restart",
      access: { role: "operator", scope: "channels" },
      summary: "End a channel's media processes and start them anew; the stream is interrupted",
      answers: { 204: { description: "They are being started" } },
      problems: ["not-found", "conflict"],
      handle: order((id) => channels.restart(id)),
    },
    {
      id: "requestKeyframe",
      method: "post",
      path: "/channels/:id/keyframe",
      access: { role: "operator", scope: "channels" },
      summary: "Make the encoder send a key frame",
      answers: { 204: { description: "It is asked for" } },
      problems: ["not-found", "conflict"],
      handle: order((id) => channels.keyframe(id)),
    },
    {
      id: "getChannelStatus",
      method: "get",
      path: "/channels/:id/status",
      access: { role: "viewer", scope: "status" },
      summary: "State, faults and measurements of a channel",
      answers: { 200: { description: "As of the last second", schema: channelStatus } },
      problems: ["not-found", "unavailable"],
      handle: (ctx) => {
        const { id } = configured(ctx);
        const status = channels.status(id);
        if (status === undefined) {
          const headers = { "Retry-After": "1" };
          throw new Problem("unavailable", `Channel "${id}" is being set up`, { headers });
        }
        answer(ctx, status);
      },
    },
    {
      id: "getChannelPreview",
      method: "get",
      path: "/channels/:id/preview.jpg",
      access: { role: "viewer", scope: "status" },
      summary: "The picture on air, made each second",
      answers: { 200: { description: "With Last-Modified", type: "image/jpeg" }, 304: { description: "Not changed" } },
      problems: ["not-found"],
      handle: async (ctx) => {
        const { id } = configured(ctx);
        const path = channels.previewFile(id);
        const sent = path !== undefined && (await sendFile(ctx, path, { type: ".jpg", cache: "no-store" }));
        if (!sent) throw new Problem("not-found", `Channel "${id}" has no preview at the moment`);
      },
    },
  ];
}
