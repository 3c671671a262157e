import assert from "node:assert/strict";
import test from "node:test";
import { deepFreeze, JsonError, mergePatch, parseJson, toPointer, valueAt } from "../../src/config/json.ts";

test("merge patch: the examples of RFC 7396, appendix A", () => {
  const cases: [target: string, patch: string, result: string][] = [
    ['{"a":"b"}', '{"a":"c"}', '{"a":"c"}'],
    ['{"a":"b"}', '{"b":"c"}', '{"a":"b","b":"c"}'],
    ['{"a":"b"}', '{"a":null}', "{}"],
    ['{"a":"b","b":"c"}', '{"a":null}', '{"b":"c"}'],
    ['{"a":["b"]}', '{"a":"c"}', '{"a":"c"}'],
    ['{"a":"c"}', '{"a":["b"]}', '{"a":["b"]}'],
    ['{"a":{"b":"c"}}', '{"a":{"b":"d","c":null}}', '{"a":{"b":"d"}}'],
    ['{"a":[{"b":"c"}]}', '{"a":[1]}', '{"a":[1]}'],
    ['["a","b"]', '["c","d"]', '["c","d"]'],
    ['{"a":"b"}', '["c"]', '["c"]'],
    ['{"a":"foo"}', "null", "null"],
    ['{"a":"foo"}', '"bar"', '"bar"'],
    ['{"e":null}', '{"a":1}', '{"e":null,"a":1}'],
    ["[1,2]", '{"a":"b","c":null}', '{"a":"b"}'],
    ["{}", '{"a":{"bb":{"ccc":null}}}', '{"a":{"bb":{}}}'],
    // Ours: another type is another thing.
    ['{"a":{"type":"b","c":1}}', '{"a":{"type":"b","d":2}}', '{"a":{"type":"b","c":1,"d":2}}'],
    ['{"a":{"type":"b","c":1}}', '{"a":{"type":"e","d":2}}', '{"a":{"type":"e","d":2}}'],
  ];
  for (const [target, patch, result] of cases) {
    assert.equal(JSON.stringify(mergePatch(JSON.parse(target), JSON.parse(patch))), result, `${target} with ${patch}`);
  }
});

test("merge patch changes neither argument and no prototype", () => {
  const target = deepFreeze({ a: { b: 1 } });
  const patch = deepFreeze(JSON.parse('{"a":{"c":2},"__proto__":{"polluted":true}}') as object);
  const merged = mergePatch(target, patch) as Record<string, unknown>;
  assert.equal(merged.polluted, undefined);
  assert.ok(Object.hasOwn(merged, "__proto__"), "it stays data, for the schema to refuse");
  assert.deepEqual(target, { a: { b: 1 } });
});

test("pointers escape as RFC 6901 says, and lead to own values only", () => {
  assert.equal(toPointer([]), "");
  assert.equal(toPointer(["channels", 0, "a/b", "c~d"]), "/channels/0/a~1b/c~0d");
  assert.equal(valueAt({ a: [{ b: 7 }] }, ["a", 0, "b"]), 7);
  assert.equal(valueAt({}, ["constructor"]), undefined);
  assert.equal(valueAt({ a: 1 }, ["a", "b"]), undefined);
});

test("JSON is parsed within limits", () => {
  assert.deepEqual(parseJson('{"a":"[[[\\"{{{"}'), { a: '[[["{{{' });
  const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);
  assert.doesNotThrow(() => parseJson(nested(32)));
  assert.throws(() => parseJson(nested(33)), /nested deeper than 32 levels/);
  for (const text of ["", "{", "nul", "[1,]", '{"a":1}}', "\0"]) assert.throws(() => parseJson(text), JsonError, text);
  const secret = '{"passphrase":"correct horse" x "y":"battery staple"}';
  assert.throws(
    () => parseJson(secret),
    (error) => error instanceof JsonError && !/horse|battery/.test(error.message),
    "what cannot be read is not repeated",
  );
  assert.throws(() => parseJson('{"a":secret}'), { message: "is not JSON: Unexpected token 's'" });
});
