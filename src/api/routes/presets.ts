/** Presets: coding of channels under a name. */
import type { RouterContext } from "@koa/router";
import { freeId, type Preset, presetFrom, presetsOf, variantFor, withPreset } from "../../config/presets.ts";
import type { ChannelConfig, PresetConfig } from "../../config/schema.ts";
import { channel as channelSchema } from "../../config/schema.ts";
import type { ChangeOptions, ChangeResult, ConfigService } from "../../config/store.ts";
import * as shapes from "../backupSchemas.ts";
import { readValid } from "../body.ts";
import { changeOptions, settle } from "../change.ts";
import { Problem } from "../problem.ts";
import { answer, BASE, type Route } from "../route.ts";

const JSON_TYPE = ["application/json"] as const;
/** How often a change is tried that others come in between of. */
const TRIES = 5;

export function presetRoutes(config: ConfigService): Route[] {
  /** Changes one's own presets, on the outcome of what others have changed. */
  const edit = async (
    options: ChangeOptions,
    change: (own: readonly PresetConfig[]) => readonly unknown[],
  ): Promise<ChangeResult> => {
    for (let tries = 1; ; tries++) {
      const presets = change(config.current.presets);
      const result = await config.apply({ patch: { presets } }, { ifTag: [config.tag], ...options });
      if (result.ok || result.reason !== "stale" || options.ifTag !== undefined || tries === TRIES) return result;
    }
  };

  const channelOf = (id: string): ChannelConfig => {
    const found = config.channel(id);
    if (found === undefined) throw new Problem("not-found", `There is no channel ${JSON.stringify(id.slice(0, 60))}`);
    return found;
  };

  return [
    {
      id: "listPresets",
      method: "get",
      path: "/presets",
      access: { role: "viewer", scope: "channels" },
      summary: "The built-in presets, and one's own",
      description: "A preset that this firmware cannot do is there, and says why.",
      answers: { 200: { description: "Built-in ones first", schema: shapes.presetList } },
      problems: [],
      handle: (ctx) => answer(ctx, { presets: presetsOf(config.current.presets) }),
    },
    {
      id: "addPreset",
      method: "post",
      path: "/presets",
      access: { role: "operator", scope: "channels" },
      summary: "Keep the coding of a channel, or what is given, as a preset",
      body: { types: JSON_TYPE, schema: shapes.newPreset },
      conditional: true,
      answers: { 201: { description: "It is kept", schema: shapes.ownPreset } },
      problems: ["invalid", "not-found", "conflict", "storage"],
      handle: async (ctx) => {
        const { channel, ...given } = await readValid(ctx, JSON_TYPE, shapes.newPreset);
        const source = channel === undefined ? undefined : channelOf(channel);
        let id = "";
        const result = await edit(changeOptions(ctx), (own) => {
          id = given.id ?? freeId(given.name, own);
          if (own.some((one) => one.id === id)) throw new Problem("conflict", `There is a preset "${id}" already`);
          const { audio = [], transport = {} } = given;
          return [...own, source ? presetFrom(source, id, given.name) : { ...given, id, audio, transport }];
        });
        settle(ctx, result);
        ctx.set("Location", `${BASE}/presets/${id}`);
        answer(ctx, { id, name: given.name });
        ctx.status = 201;
      },
    },
    {
      id: "removePreset",
      method: "delete",
      path: "/presets/:id",
      access: { role: "operator", scope: "channels" },
      summary: "Remove one of one's own presets",
      description: "Channels that were made with it stay as they are.",
      conditional: true,
      answers: { 204: { description: "It is gone" } },
      problems: ["not-found", "conflict", "storage"],
      handle: async (ctx) => {
        const id = ctx.params.id ?? "";
        const result = await edit(changeOptions(ctx), (own) => {
          const found = own.some((one) => one.id === id);
          if (!found && presetsOf(own).some((one) => one.id === id)) {
            throw new Problem("conflict", "A built-in preset cannot be removed");
          }
          if (!found) throw noPreset(id);
          return own.filter((one) => one.id !== id);
        });
        settle(ctx, result);
        ctx.status = 204;
      },
    },
    {
      id: "applyPreset",
      method: "post",
      path: "/channels/:id/preset",
      access: { role: "operator", scope: "channels" },
      summary: "Give a channel the coding of a preset",
      description:
        "A change of the channel like any other: its encoder starts anew, and the slate is on air meanwhile. Source, outputs and names stay; the multiplex gets the bitrate that it needs.",
      body: { types: JSON_TYPE, schema: shapes.presetChoice },
      conditional: true,
      answers: { 200: { description: "The channel as it is now", schema: channelSchema } },
      problems: ["invalid", "not-found", "conflict", "storage"],
      handle: (ctx) => apply(ctx),
    },
  ];

  async function apply(ctx: RouterContext): Promise<void> {
    const { preset: name, frameRate } = await readValid(ctx, JSON_TYPE, shapes.presetChoice);
    const { id } = channelOf(ctx.params.id ?? "");
    const preset = presetsOf(config.current.presets).find((one) => one.id === name);
    if (preset === undefined) throw noPreset(name);
    if (!preset.available) throw new Problem("conflict", `${preset.name}: ${preset.reason ?? "it is not available"}`);
    const options = { comment: `preset ${preset.name}`, ...changeOptions(ctx) };
    const result = await config.editChannel(id, (old) => withPreset(old, variant(preset, old, frameRate)), options);
    settle(ctx, result, { comment: options.comment });
    answer(ctx, config.shownChannel(id), config.tag);
  }
}

function variant(preset: Preset, channel: ChannelConfig, frameRate: string | undefined) {
  const found = variantFor(preset, channel, frameRate);
  if (found !== undefined) return found;
  const rates = preset.variants.map((one) => one.frameRate).join(", ");
  throw new Problem("conflict", `${preset.name} is made for ${rates} Hz only`);
}

function noPreset(id: string): Problem {
  return new Problem("not-found", `There is no preset ${JSON.stringify(id.slice(0, 60))}`);
}
