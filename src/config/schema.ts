/**
 * The configuration of a box, declared once. Validation, API, OpenAPI, GUI forms, front-panel menu, command line, backups
 * and migrations are all made from this schema, so every setting carries its label, help, unit and effect.
 */
import { z } from "zod";
import { access, backup, power, preset, ssh } from "./schema/administration.ts";
import { input, panel } from "./schema/board.ts";
import { channel } from "./schema/channel.ts";
import { network, timeSettings } from "./schema/network.ts";
import { set, text } from "./schema/setting.ts";

export * from "./schema/administration.ts";
export * from "./schema/board.ts";
export * from "./schema/channel.ts";
export * from "./schema/coding.ts";
export * from "./schema/network.ts";
export * from "./schema/setting.ts";
export * from "./schema/source.ts";
export * from "./schema/transport.ts";

/**
 * Version of this schema. Raise it, with a migration, for every change that an older document does not satisfy, and also for every new
 * setting: an older firmware would refuse the document, and finds the copy that a migration keeps for it.
 */
export const SCHEMA_VERSION = 3;

/** The whole document. `version` is that of the schema; migrations bring older documents up to it. */
export const config = z
  .strictObject({
    version: z.literal(SCHEMA_VERSION),
    box: z.strictObject({ name: text(60).default("Steadycast").meta(set("Box name", "none")) }).prefault({}),
    inputs: z.array(input).max(16).default([]),
    panel: panel.prefault({}),
    network: network.prefault({}),
    time: timeSettings.prefault({}),
    access: access.prefault({}),
    ssh: ssh.prefault({}).meta(set("SSH", "none")),
    power: power.prefault({}),
    backup: backup.prefault({}),
    presets: z.array(preset).max(32).default([]),
    channels: z.array(channel).max(32).default([]),
  })
  .check((ctx) => {
    const connectors = new Set<string>();
    ctx.value.inputs.forEach(({ connector }, i) => {
      if (connectors.has(connector)) {
        ctx.issues.push({
          code: "custom",
          path: ["inputs", i, "connector"],
          message: `input "${connector}" is set twice`,
          input: connector,
        });
      }
      connectors.add(connector);
    });
    const ids = new Map<string, number>();
    const sinks = new Map<string, string>();
    ctx.value.channels.forEach((c, i) => {
      if (ids.has(c.id)) {
        ctx.issues.push({
          code: "custom",
          path: ["channels", i, "id"],
          message: `channel id "${c.id}" is used twice`,
          input: c.id,
        });
      }
      ids.set(c.id, i);
      c.outputs.forEach((o, j) => {
        if (o.type === "srt" || !o.enabled) return;
        const key = `${o.address}:${o.port}${o.interface ? `%${o.interface}` : ""}`;
        const other = sinks.get(key);
        if (other !== undefined) {
          ctx.issues.push({
            code: "custom",
            path: ["channels", i, "outputs", j, "address"],
            message: `${key} is used by ${other} already`,
            input: o.address,
          });
        }
        sinks.set(key, `channel "${c.id}"`);
      });
    });
  });

export type Config = z.infer<typeof config>;

/** What a new box has: one channel with the test signal on 239.10.0.1:1234. */
export function defaultConfig(multicastInterface = ""): Config {
  return config.parse({
    version: SCHEMA_VERSION,
    channels: [
      {
        id: "ch1",
        name: "Channel 1",
        outputs: [{ type: "udp", id: "main", address: "239.10.0.1", port: 1234, interface: multicastInterface }],
      },
    ],
  });
}
