import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import test from "node:test";
import { z } from "zod";
import { type Stored, seal, unseal } from "../../src/config/envelope.ts";
import { explain } from "../../src/config/explain.ts";
import { isObject } from "../../src/config/json.ts";
import { migrate } from "../../src/config/migrations.ts";
import { config } from "../../src/config/schema.ts";
import { check } from "../../src/config/store.ts";
import { violations } from "../support/jsonSchema.ts";
import { Random } from "../support/random.ts";

const rounds = Number(process.env.FUZZ_ROUNDS ?? 4000);
const seed = Number(process.env.FUZZ_SEED ?? 1);
const folder = new URL("corpus/", import.meta.url);
const corpus = readdirSync(folder)
  .sort()
  .map((name) => ({ name, bytes: readFileSync(new URL(name, folder)) }));

const accepts = z.toJSONSchema(config, { io: "input", override: dropMeta }) as Record<string, unknown>;
const gives = z.toJSONSchema(config, { io: "output", override: dropMeta }) as Record<string, unknown>;

function dropMeta({ jsonSchema }: { jsonSchema: Record<string, unknown> }): void {
  for (const key of ["label", "help", "unit", "effect", "secret"]) delete jsonSchema[key];
}

/** Whatever the bytes are: no exception, a reason for each refusal, and nothing accepted that the schema refuses. */
function examine(bytes: Uint8Array): "accepted" | "refused" | "damaged" {
  const opened = unseal(bytes);
  if (!opened.ok) {
    assert.ok(opened.damage.length > 5 && opened.damage.length < 300, opened.damage);
    return "damaged";
  }
  const migrated = migrate(opened.stored.document);
  const document = migrated.ok ? migrated.document : opened.stored.document;
  const checked = check(opened.stored.document);
  const wrong = violations(accepts, document);
  if (checked.ok) {
    assert.deepEqual(wrong, [], "a second reading of the schema refuses it");
    assert.deepEqual(violations(gives, checked.document), []);
    const again = { ok: true, document: checked.document };
    assert.deepEqual(check(JSON.parse(JSON.stringify(checked.document))), again, "what is accepted stays as it is");
    return "accepted";
  }
  assert.ok(checked.what.length > 5 && checked.what.length < 1000, checked.what);
  const parsed = config.safeParse(document);
  assert.equal(parsed.success, false);
  if (wrong.length === 0) assert.ok(parsed.error.issues.every(({ code }) => code === "custom"));
  for (const { pointer, message, limit, value } of explain(config, document, parsed.error.issues)) {
    assert.match(pointer, /^(\/|$)/);
    assert.match(message, /\S/);
    if (limit?.minimum !== undefined && limit.maximum !== undefined && typeof value === "number") {
      const inside = value >= limit.minimum && value <= limit.maximum;
      const fits = inside && Number.isInteger(value) && value % (limit.multipleOf ?? 1) === 0;
      assert.equal(fits, false, `${pointer}: ${message}, but ${value} is within`);
    }
  }
  return "refused";
}

const odd: unknown[] = [
  ...[null, true, false, -1, 0, 1, 2, 31, 1.5, 8191, 65536, 1e9, -1e9, Number.MAX_SAFE_INTEGER + 2, 1e308],
  ...["", "x", "0", "\0", "é", "\u{1f4fa}", "a".repeat(61), "a".repeat(5000), "/dev/../x", "239.1.1.1", "toString"],
  ...[[], {}, [[]], { type: "ip" }, JSON.parse('{"__proto__":{"a":1}}')],
];

/** Changes one place of a document, which it may replace as a whole. */
function mutate(value: unknown, random: Random): unknown {
  const keys: (string | number)[] = Array.isArray(value)
    ? [...value.keys()]
    : isObject(value)
      ? Object.keys(value)
      : [];
  if (keys.length === 0 || random.chance(0.08)) return random.pick(odd);
  const key = random.pick(keys);
  const entries = new Map(Object.entries(value as object));
  switch (random.below(12)) {
    case 0:
      entries.delete(String(key));
      break;
    case 1:
      entries.set(random.pick(["extra", "__proto__", "constructor", "Version", "id", "type", "0"]), random.pick(odd));
      break;
    case 2:
      entries.set(String(random.pick(keys)), entries.get(String(key)));
      break;
    case 3:
      if (Array.isArray(value)) return [...(value as unknown[]), value[random.below(value.length)]];
      entries.set(String(key), random.pick(odd));
      break;
    default:
      entries.set(String(key), mutate(entries.get(String(key)), random));
  }
  return Array.isArray(value) ? [...entries.values()] : Object.fromEntries(entries);
}

function mutateBytes(bytes: Uint8Array, random: Random): Uint8Array {
  const text = Buffer.from(bytes.slice());
  for (let n = random.below(4); n >= 0 && text.length > 0; n--) {
    const at = random.below(text.length);
    if (random.chance(0.3)) text[at] = random.below(256);
    else if (random.chance(0.5)) text[at] = random.pick([...Buffer.from('0123456789-.e"[]{},:tfn\\')]);
    else text.copy(text, at, random.below(text.length), at + random.below(40));
  }
  return random.chance(0.2) ? text.subarray(0, random.below(text.length + 1)) : text;
}

for (const { name, bytes } of corpus) {
  test(`corpus: ${name} is ${examine(bytes)}`, () => {
    for (let at = 0; at < bytes.length; at += 1 + Math.floor(bytes.length / 100)) examine(bytes.subarray(0, at));
  });
}

test(`${rounds} mutations of the corpus, seed ${seed}`, () => {
  const random = new Random(seed);
  const outcomes = { accepted: 0, refused: 0, damaged: 0 };
  const valid = corpus.flatMap(({ bytes }) => {
    const opened = unseal(bytes);
    return opened.ok && check(opened.stored.document).ok ? [opened.stored] : [];
  });
  assert.ok(valid.length >= 4);
  for (let round = 0; round < rounds; round++) {
    let bytes: Uint8Array;
    if (random.chance(0.7)) {
      let { document } = random.pick(valid) as Stored<unknown>;
      for (let n = random.below(3); n >= 0; n--) document = mutate(document, random);
      bytes = seal({ revision: 1, saved: "", document });
    } else {
      const text = Buffer.from(random.pick(corpus).bytes).toString("latin1");
      // Without the checksum, so that the mutation gets as far as the schema.
      bytes = mutateBytes(Buffer.from(text.replace(/ {2}"checksum".*\n/, ""), "latin1"), random);
    }
    try {
      outcomes[examine(bytes)]++;
    } catch (error) {
      throw new Error(`round ${round}: ${Buffer.from(bytes).toString().slice(0, 2000)}`, { cause: error });
    }
  }
  for (const [outcome, count] of Object.entries(outcomes)) assert.ok(count > rounds / 100, `${count} ${outcome}`);
});
