/** Changes to one channel of a configuration. Pointers of what is wrong with a channel begin at the channel. */
import { isObject, valueAt } from "./json.ts";
import { type Prepared, prepare } from "./plan.ts";
import type { ChannelConfig, Config } from "./schema.ts";

/** The configuration with a channel at a place of the list, which may be the one after the last. */
export function withChannel(current: Config, index: number, channel: unknown): Prepared {
  const others = current.channels.toSpliced(index, 1);
  // Validated as the last one, so that it, and not its neighbour, is blamed when both want the same address.
  const prepared = prepare({ ...current, channels: [...others, channel] }, current);
  if (prepared.ok) {
    const valid = prepared.document.channels.at(-1) as ChannelConfig;
    return { ok: true, document: { ...prepared.document, channels: others.toSpliced(index, 0, valid) }, given: [] };
  }
  const prefix = `/channels/${others.length}`;
  const errors = prepared.errors.map((error) => ({
    ...error,
    pointer: `${error.pointer}/`.startsWith(`${prefix}/`) ? error.pointer.slice(prefix.length) : error.pointer,
  }));
  return { ok: false, errors };
}

/** The configuration with a channel as `edit` makes it of the present one; undefined when there is none with that id. */
export function withEdited(
  current: Config,
  id: string,
  edit: (channel: ChannelConfig) => unknown,
): Prepared | undefined {
  const index = current.channels.findIndex((channel) => channel.id === id);
  const old = current.channels[index];
  if (old === undefined) return undefined;
  const edited = edit(old);
  const channel = isObject(edited) && !Object.hasOwn(edited, "id") ? { id, ...edited } : edited;
  const newId = valueAt(channel, ["id"]);
  if (typeof newId === "string" && newId !== id) {
    const message = `must be "${id}", is ${JSON.stringify(newId.slice(0, 60))}: a channel keeps its id`;
    return { ok: false, errors: [{ pointer: "/id", message, limit: { enum: [id] } }] };
  }
  return withChannel(current, index, channel);
}

export function withoutChannel(current: Config, id: string): Prepared | undefined {
  const channels = current.channels.filter((channel) => channel.id !== id);
  return channels.length === current.channels.length ? undefined : prepare({ ...current, channels }, current);
}
