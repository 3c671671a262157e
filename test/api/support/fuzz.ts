/** Makes requests of all kinds: from what the schemas allow, and from there to what nothing allows. */
import type { Random } from "../../support/random.ts";

type Json = Record<string, unknown>;

/** Words that mean something to some part of the box. */
const WORDS = [
  ...["ch1", "ch2", "admin", "viewer", "hdmi1", "sdi1", "eth0", "lo", "local", "main", "a", "status", "up", "menu"],
  ...["239.1.2.3", "192.168.1.20", "::1", "0.0.0.0", "02:30", "2026-01-01T00:00:00.000Z", "Europe/Berlin", "1", "0"],
  ...["correct horse battery", "********", "temperature/soc", "box.example", "en", "deu"],
];

const NASTY: readonly unknown[] = [
  ...["", " ", "\0", "../../etc/passwd", "%00", "'; --", "<script>", "{{7*7}}", "\u202e", "\ud800", "x".repeat(5000)],
  ...[null, true, false, 0, -1, 1.5, 1e308, -1e308, Number.MAX_SAFE_INTEGER, 2 ** 53, [], {}, [[]], [null]],
  ...["__proto__", "constructor", "toString", "NaN", "Infinity", "0x10", "1e3"],
];

const KEYS = ["__proto__", "constructor", "prototype", "length", "id", "", "toString", "channels", "0", "x"];

export class Fuzz {
  readonly #random: Random;
  readonly #schemas: Json;

  constructor(random: Random, schemas: Json) {
    this.#random = random;
    this.#schemas = schemas;
  }

  word(): string {
    const random = this.#random;
    if (random.chance(0.8)) return random.pick(WORDS);
    const nasty = random.pick(NASTY);
    return typeof nasty === "string" ? nasty : JSON.stringify(nasty);
  }

  /** Something that a schema may allow. */
  value(schema: Json, depth = 0): unknown {
    const random = this.#random;
    if (typeof schema.$ref === "string") {
      return this.value((this.#schemas[schema.$ref.split("/").at(-1) ?? ""] ?? {}) as Json, depth);
    }
    const choices = (schema.anyOf ?? schema.oneOf) as Json[] | undefined;
    if (choices !== undefined) return this.value(random.pick(choices), depth + 1);
    if (schema.const !== undefined) return schema.const;
    if (Array.isArray(schema.enum)) return random.pick(schema.enum);
    if (schema.default !== undefined && random.chance(0.4)) return schema.default;
    switch (schema.type) {
      case "object":
        return this.#object(schema, depth);
      case "array":
        return Array.from({ length: random.below(depth > 4 ? 1 : 3) }, () =>
          this.value((schema.items ?? {}) as Json, depth + 1),
        );
      case "integer":
      case "number": {
        const low = Math.max((schema.minimum ?? schema.exclusiveMinimum ?? 0) as number, -1e6);
        const high = Math.min((schema.maximum ?? 1e6) as number, low + 1e6);
        return random.chance(0.8)
          ? Math.round(low + random.next() * (high - low))
          : random.pick([low - 1, high + 1, 0.5]);
      }
      case "boolean":
        return random.chance(0.5);
      case "null":
        return null;
      case "string":
        return this.word();
      default:
        return random.chance(0.5) ? { name: this.word(), enabled: random.chance(0.5) } : random.pick(NASTY);
    }
  }

  /** Changes a document here and there. */
  mutate(value: unknown): unknown {
    const random = this.#random;
    if (random.chance(0.15)) return random.pick(NASTY);
    if (Array.isArray(value)) {
      const copy = value.map((one) => (random.chance(0.3) ? this.mutate(one) : one));
      if (random.chance(0.2)) copy.push(...copy);
      return copy;
    }
    if (typeof value !== "object" || value === null) return random.chance(0.5) ? value : random.pick(NASTY);
    const entries = Object.entries(value)
      .filter(() => !random.chance(0.1))
      .map(([key, one]) => [key, random.chance(0.3) ? this.mutate(one) : one] as const);
    if (random.chance(0.2)) entries.push([random.pick(KEYS), random.pick(NASTY)]);
    return Object.fromEntries(entries);
  }

  /** A body as text, of JSON or of something like it. */
  body(schema: Json): string {
    const random = this.#random;
    const value = this.value(schema);
    const text = JSON.stringify(random.chance(0.6) ? value : this.mutate(value)) ?? "";
    if (random.chance(0.9)) return text;
    const at = random.below(text.length + 1);
    return random.pick([
      text.slice(0, at),
      `${text.slice(0, at)}${String.fromCharCode(random.below(0x3000))}${text.slice(at + 1)}`,
      `${text}${text}`,
      "[".repeat(2000),
      `{"a":${"9".repeat(400)}}`,
      "",
    ]);
  }

  #object(schema: Json, depth: number): unknown {
    const random = this.#random;
    const properties = (schema.properties ?? {}) as Record<string, Json>;
    const required = new Set((schema.required ?? []) as string[]);
    const kept = Object.entries(properties).filter(
      ([name]) => required.has(name) || random.chance(depth > 3 ? 0.1 : 0.4),
    );
    const made = kept.map(([name, one]) => [name, this.value(one, depth + 1)] as const);
    const others = schema.additionalProperties;
    if (typeof others === "object" && others !== null && random.chance(0.5)) {
      made.push([this.word(), this.value(others as Json, depth + 1)]);
    }
    return Object.fromEntries(made);
  }
}
