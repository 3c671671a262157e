/** What every setting carries, and the shapes that many of them share. */
import { z } from "zod";

/** What changing a setting does: to a channel on air, or to who reaches the box. */
export type Effect = "live" | "encoder" | "transmit" | "network" | "none";

/** What the faces (GUI, panel, OpenAPI) need to know of a setting beside its type and limits. */
export type SettingMeta = {
  label: string;
  help?: string;
  unit?: string;
  /** A secret is never repeated in messages, and answered as SECRET_MARK. */
  secret?: true;
  /**
   * `live`: takes effect in place; `encoder`: the encoder is rebuilt (slate meanwhile); `transmit`: packets change;
   * `network`: the way to the box may change. */
  effect: Effect;
};

export const set = (label: string, effect: Effect, more: Omit<SettingMeta, "label" | "effect"> = {}): SettingMeta => ({
  label,
  effect,
  ...more,
});

/** Stands for a secret that is set: what is answered in its place, and in a change means the one that is there. */
export const SECRET_MARK = "********";

export const ipv4 = z.ipv4();
export const interfaceName = z
  .string()
  .regex(/^[a-zA-Z0-9_.-]{0,15}$/, "must be the name of a network interface, or empty")
  .meta(set("Interface", "transmit", { help: "Network interface, such as eth0; empty: by the routing table" }));
export const port = z.int().min(1).max(65535);
export const text = (max: number) =>
  z
    .string()
    .max(max)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: refusing control characters is the point
    .regex(/^[^\u0000-\u001f\u007f]*$/, "must not contain control characters");
export const pid = z.int().min(32).max(8190);

/** Short name of a connector in the board file. */
export const connectorId = z.string().regex(/^[a-z][a-z0-9-]{0,23}$/, "must be the name of a connector, such as hdmi1");

/** Names a thing of the configuration in addresses and links. */
export const shortId = z.string().regex(/^[a-z0-9][a-z0-9-]{0,31}$/, "must be lower-case letters, digits and hyphens");
