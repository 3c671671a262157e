/** Where settings are read and changed: the configuration of the box, or a draft of a part that is not applied yet. */
import { isObject, valueAt, withValue } from "../../../config/json.ts";
import type { Answer, MenuHost } from "./host.ts";

/** A way into the document that stays right when lists change: entries are found by what they are, not by place. */
export type Step = string | number | { key: string; is: string } | { last: true };
export type Way = readonly Step[];
type Place = (string | number)[];

export interface SettingsDocument {
  /** The whole configuration, with the draft in its place. */
  get(): unknown;
  /** Changes the value at a way; undefined takes it out. */
  set(way: Way, value: unknown): Promise<Answer>;
  /** False when what this is a draft of has gone. */
  exists(): boolean;
  /** Whether changes take effect at once. */
  readonly inForce: boolean;
}

/** Where a way leads to now; undefined when something on it has gone. The last setting may be missing. */
export function locate(document: unknown, way: Way): Place | undefined {
  const place: Place = [];
  for (const step of way) {
    const at = valueAt(document, place);
    if (typeof step === "object") {
      if (!Array.isArray(at)) return undefined;
      const index =
        "last" in step ? at.length - 1 : at.findIndex((entry) => isObject(entry) && entry[step.key] === step.is);
      if (index < 0) return undefined;
      place.push(index);
    } else {
      const fits = Array.isArray(at) ? typeof step === "number" && step < at.length : isObject(at);
      if (!fits) return undefined;
      place.push(step);
    }
  }
  return place;
}

export class Configuration implements SettingsDocument {
  readonly inForce = true;
  readonly #host: MenuHost;

  constructor(host: MenuHost) {
    this.#host = host;
  }

  get(): unknown {
    return this.#host.configuration();
  }

  async set(way: Way, value: unknown): Promise<Answer> {
    const document = this.get();
    const place = locate(document, way);
    if (place === undefined) return [{ pointer: "", message: "is not there any more" }];
    return this.#host.change(patchOf(document, place, value));
  }

  exists(): boolean {
    return true;
  }
}

/** A new entry of a list, or a part that becomes another kind of thing: filled in first, then applied at once. */
export class Draft implements SettingsDocument {
  readonly inForce = false;
  /** Of the part itself. */
  readonly way: Way;
  readonly parent: SettingsDocument;
  readonly #base: Way;
  readonly #appends: boolean;
  #value: unknown;

  /** @param appends `base` is a list, the draft its new last entry; else the draft takes the place of `base`. */
  constructor(parent: SettingsDocument, base: Way, appends: boolean, value: unknown) {
    this.way = appends ? [...base, { last: true }] : base;
    this.parent = parent;
    this.#base = base;
    this.#appends = appends;
    this.#value = value;
  }

  get value(): unknown {
    return this.#value;
  }

  get(): unknown {
    const document = this.parent.get();
    const base = locate(document, this.#base);
    if (base === undefined) return document;
    const list = valueAt(document, base);
    const place = this.#appends ? [...base, Array.isArray(list) ? list.length : 0] : base;
    return withValue(document, place, this.#value);
  }

  async set(way: Way, value: unknown): Promise<Answer> {
    const inside = locate(this.get(), way)?.slice(this.way.length);
    if (inside !== undefined) this.#value = withValue(this.#value, inside, value);
    return "done";
  }

  exists(): boolean {
    return this.parent.exists() && locate(this.parent.get(), this.#base) !== undefined;
  }

  apply(): Promise<Answer> {
    if (!this.#appends) return this.parent.set(this.#base, this.#value);
    const document = this.parent.get();
    const list = valueAt(document, locate(document, this.#base) ?? []);
    return this.parent.set(this.#base, [...(Array.isArray(list) ? list : []), this.#value]);
  }
}

/** The merge patch that puts a value at a place. Lists are replaced as a whole, so the patch ends at the first one. */
export function patchOf(document: unknown, place: Place, value: unknown): unknown {
  const entry = place.findIndex((step) => typeof step === "number");
  const to = entry < 0 ? place : place.slice(0, entry);
  const changed = entry < 0 ? (value ?? null) : valueAt(withValue(document, place, value), to);
  return to.reduceRight<unknown>((inner, step) => ({ [step]: inner }), changed);
}
