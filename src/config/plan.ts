/** What a change would do: what differs, what it interrupts, and whether it can cut the admin off. */
import { type Difference, describe, type Place, places } from "./diff.ts";
import { explain, type FieldError } from "./explain.ts";
import type { Path } from "./json.ts";
import { type ChannelConfig, type Config, type Effect, SECRET_MARK, config as schema } from "./schema.ts";
import { extractSecrets, redact, restoreSecrets } from "./secrets.ts";
import { effectAt, heavier } from "./walk.ts";

/** How long a change that can cut the admin off waits for its confirmation by default, s. */
export const CONFIRM_SECONDS = 120;
export const CONFIRM_LIMITS = { minimum: 10, maximum: 3600 } as const;

/** What a change does to a channel. */
export interface ChannelImpact {
  id: string;
  name: string;
  change: "added" | "removed" | "started" | "stopped" | "changed";
  /** The heaviest of what its changed settings do. */
  effect: Exclude<Effect, "network">;
  /** Whether who watches the channel notices: it goes off air, its packets change, or its encoder is rebuilt. */
  interrupts: boolean;
}

export interface Impact {
  differences: Difference[];
  /** The parts of the configuration that it touches, such as `channels` and `network`. */
  sections: string[];
  channels: ChannelImpact[];
  /** Whether the way to the box may change, so that whoever changes it may be cut off. */
  canCutOff: boolean;
}

/** What a change would do if it was made now. */
export interface Plan extends Impact {
  /** The one that the plan was made for. */
  revision: number;
  valid: boolean;
  /** What is wrong with it, field by field; while anything is, nothing else is told. */
  errors: FieldError[];
  changed: boolean;
  /** How long it would wait for its confirmation, s, unless another time is asked for; 0: it needs none. */
  confirmSeconds: number;
}

export const NO_IMPACT: Impact = { differences: [], sections: [], channels: [], canCutOff: false };

/** `given`: the parts in which secrets are given themselves, and not by the mark. */
export type Prepared = { ok: true; document: Config; given: string[] } | { ok: false; errors: FieldError[] };

/** The document as it would be stored: with its defaults, and with the secrets of `current` where it has marks for them. */
export function prepare(document: unknown, current: Config): Prepared {
  const { document: complete, errors } = restoreSecrets(document, current);
  const parsed = schema.safeParse(complete);
  if (parsed.success && errors.length === 0) return { ok: true, document: parsed.data, given: givenIn(document) };
  const refused = explain(schema, complete, parsed.error?.issues ?? []);
  const pointers = new Set(errors.map(({ pointer }) => pointer));
  return { ok: false, errors: [...errors, ...refused.filter(({ pointer }) => !pointers.has(pointer))] };
}

/** Parts of the document that hold secrets themselves, not only marks for them. */
function givenIn(document: unknown): string[] {
  const { secrets } = extractSecrets(document);
  const given = Object.entries(secrets).filter(([, secret]) => secret !== SECRET_MARK);
  return [...new Set(given.map(([pointer]) => pointer.split("/", 2)[1] ?? ""))];
}

/** What the way from one configuration to another does. */
export function compare(before: Config, after: Config): Impact {
  const found = places(before, after);
  const effects = found.map((place) => effectOf(place, before, after));
  return {
    differences: describe(found, redact(before), redact(after)),
    sections: [...new Set(found.map((place) => String(pathOf(place)[0])))],
    channels: channelImpacts(before, after, found, effects),
    canCutOff: effects.includes("network"),
  };
}

function pathOf({ before, after }: Place): Path {
  return after ?? before ?? [];
}

function effectOf({ before: from, after: to, order }: Place, before: Config, after: Config): Effect {
  if (order !== undefined) return "none";
  const lost = from === undefined ? "none" : effectAt(schema, before, from);
  return to === undefined ? lost : heavier(lost, effectAt(schema, after, to));
}

function channelImpacts(
  before: Config,
  after: Config,
  found: readonly Place[],
  effects: readonly Effect[],
): ChannelImpact[] {
  const impacts: ChannelImpact[] = [];
  for (const { id, name, enabled } of before.channels) {
    if (after.channels.some((channel) => channel.id === id)) continue;
    impacts.push({ id, name, change: "removed", effect: "none", interrupts: enabled });
  }
  after.channels.forEach((channel, index) => {
    const { id, name, enabled } = channel;
    const was = before.channels.find((one) => one.id === id);
    if (was === undefined) {
      impacts.push({ id, name, change: "added", effect: "none", interrupts: false });
      return;
    }
    const touching = effects.filter((_, i) => {
      const place = found[i] as Place;
      const [section, at, ...rest] = pathOf(place);
      if (section === "channels") return place.order === undefined && at === index && rest.length > 0;
      return place.order === undefined && (reaches(place.before, was, before) || reaches(place.after, channel, after));
    });
    const effect = touching.reduce(heavier, "none");
    if (touching.length === 0 || effect === "network") return;
    const change = enabled === was.enabled ? "changed" : enabled ? "started" : "stopped";
    const onAir = was.enabled && enabled && (effect === "transmit" || effect === "encoder");
    impacts.push({ id, name, change, effect, interrupts: change === "stopped" || onAir });
  });
  return impacts;
}

/** Whether a setting outside of the channels has to do with a channel: its input, or how all streams are sent. */
function reaches(path: Path | undefined, { source }: ChannelConfig, { inputs }: Config): boolean {
  if (path?.[0] === "network") return path[1] === "dscp";
  if (path?.[0] !== "inputs" || source.type !== "input") return false;
  return inputs[Number(path[1])]?.connector === source.connector;
}
