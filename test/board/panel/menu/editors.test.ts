import assert from "node:assert/strict";
import test from "node:test";
import { z } from "zod";
import { type Arrow, type Editor, editorFor } from "../../../../src/board/panel/menu/editors.ts";
import { isLeaf, type Leaf, type Setting, settingsOf } from "../../../../src/board/panel/menu/settings.ts";
import { config } from "../../../../src/config/schema.ts";
import { Random } from "../../../support/random.ts";

/** The editor of a setting of this schema. */
function edit(schema: z.ZodType, value: unknown): Editor {
  const group = settingsOf(z.strictObject({ it: schema.meta({ label: "It", effect: "none" }) }));
  const [setting] = group.kind === "group" ? group.fields : [];
  assert.ok(setting?.kind === "whole" || setting?.kind === "ipv4" || setting?.kind === "text", setting?.kind);
  return editorFor(setting, value);
}

function press(editor: Editor, keys: string): Editor {
  const names: Record<string, Arrow> = { u: "up", d: "down", l: "left", r: "right" };
  for (const key of keys) editor.key(names[key] as Arrow);
  return editor;
}

function leaves(setting: Setting): Leaf[] {
  if (isLeaf(setting)) return [setting];
  if (setting.kind === "list") return leaves(setting.entry);
  const groups = setting.kind === "variant" ? [...setting.options.values()] : [setting];
  return groups.flatMap((group) => group.fields.flatMap(leaves));
}

const all = leaves(settingsOf(config));

test("there is an editor for every setting of the box", () => {
  assert.ok(all.length > 80);
  assert.deepEqual(
    all.filter(({ kind }) => kind === "fixed").map(({ label }) => label),
    [],
  );
});

test("a number is changed digit by digit, with carry, within its limits", () => {
  const rate = z.int().min(100).max(60000);
  assert.deepEqual(edit(rate, 3000).shown(), { value: "03000", cursor: 4 });
  assert.equal(press(edit(rate, 3000), "u").value(), 3001);
  assert.equal(press(edit(rate, 3000), "d").value(), 2999);
  assert.equal(press(edit(rate, 3000), "llu").value(), 3100);
  assert.equal(press(edit(rate, 9900), "llu").value(), 10000);
  assert.equal(press(edit(rate, 59000), "llllu").value(), 60000);
  assert.equal(press(edit(rate, 3000), "lllldddd").value(), 100);
  assert.deepEqual(press(edit(rate, 3000), "llllllllll").shown().cursor, 0);
  assert.deepEqual(press(edit(rate, 3000), "lrrr").shown().cursor, 4);
});

test("a number keeps to its step", () => {
  const width = z.int().min(128).max(3840).multipleOf(2);
  assert.equal(press(edit(width, 1280), "u").value(), 1282);
  assert.equal(press(edit(width, 3840), "u").value(), 3840);
  assert.equal(press(edit(z.int().min(1).max(100).multipleOf(7), 7), "lu").value(), 14);
  assert.equal(press(edit(z.int().min(1).max(100).multipleOf(7), 98), "u").value(), 98);
  assert.equal(press(edit(z.int().min(1).max(100).multipleOf(7), 7), "d").value(), 7);
});

test("a number below zero has its sign", () => {
  const delay = z.int().min(-500).max(500);
  assert.deepEqual(press(edit(delay, 0), "d").shown(), { value: "-001", cursor: 3 });
  assert.deepEqual(press(edit(delay, -1), "u").shown(), { value: "+000", cursor: 3 });
  assert.equal(press(edit(delay, -1), "lu").value(), 9);
});

test("an address is changed digit by digit, each part up to 255", () => {
  const start = "239.10.0.1";
  assert.deepEqual(edit(z.ipv4(), start).shown(), { value: "239.010.000.001", cursor: 0 });
  // The hundreds of 239 go on to 0, then 1; not to 3.
  assert.equal(press(edit(z.ipv4(), start), "u").value(), "39.10.0.1");
  assert.equal(press(edit(z.ipv4(), start), "d").value(), "139.10.0.1");
  assert.equal(press(edit(z.ipv4(), start), "ru").value(), "249.10.0.1");
  assert.equal(press(edit(z.ipv4(), start), "ruu").value(), "209.10.0.1");
  assert.equal(press(edit(z.ipv4(), "255.0.0.0"), "rru").value(), "250.0.0.0");
  assert.deepEqual(press(edit(z.ipv4(), start), "rrr").shown().cursor, 4);
  assert.deepEqual(press(edit(z.ipv4(), start), "r".repeat(20)).shown().cursor, 14);
  assert.equal(press(edit(z.ipv4(), start), `${"r".repeat(11)}u`).value(), "239.10.0.2");
});

test("text is written on a wheel of the characters that the setting takes", () => {
  const code = z.string().regex(/^[a-z]{3}$/);
  assert.equal(press(edit(code, "und"), "u").value(), "vnd");
  assert.equal(press(edit(code, "und"), "ruru").value(), "uoe");
  const letters = new Set<unknown>();
  const editor = edit(code, "und");
  for (let i = 0; i < 30; i++) letters.add(press(editor, "u").shown().value[0]);
  assert.deepEqual([...letters].sort().join(""), "abcdefghijklmnopqrstuvwxyz←→");
});

test("text grows at its end and shrinks by the mark, never beyond its length", () => {
  const name = z.string().max(4);
  assert.deepEqual(press(edit(name, "ab"), "rr").shown(), { value: "ab_", cursor: 2 });
  assert.equal(press(edit(name, "ab"), "rruu").value(), "aba");
  assert.equal(press(edit(name, "abcd"), "rrrrrrru").value(), "abce");
  // One below the first character of the wheel, the blank, is the mark that deletes; below that the one that inserts.
  assert.deepEqual(press(edit(name, " bc"), "d").shown(), { value: "←bc", cursor: 0, mark: "delete" });
  assert.equal(press(edit(name, " bc"), "d").value(), "bc");
  assert.deepEqual(press(edit(name, " bc"), "dr").shown(), { value: "bc", cursor: 0 });
  assert.equal(press(edit(name, " bc"), "ddru").value(), "a bc");
  assert.equal(press(edit(name, " bcd"), "dd").shown().mark, undefined);
});

test("a secret is written anew, and only the character in hand is shown", () => {
  const group = settingsOf(
    z.strictObject({
      pin: z
        .string()
        .regex(/^[0-9]{4,8}$/)
        .meta({ label: "PIN", secret: true }),
    }),
  );
  const [setting] = group.kind === "group" ? group.fields : [];
  assert.ok(setting?.kind === "text");
  const editor = editorFor(setting, "1234");
  assert.deepEqual(editor.shown(), { value: "_", cursor: 0 });
  assert.deepEqual(press(editor, "uuruuru").shown(), { value: "●●0", cursor: 2 });
  assert.equal(editor.value(), "110");
});

test("whatever is pressed, a value stays within its limits", () => {
  for (let seed = 1; seed <= 200; seed++) {
    const random = new Random(seed);
    const setting = random.pick(all);
    if (setting.kind === "fixed" || setting.kind === "choice") continue;
    const editor = editorFor(setting, undefined);
    for (let i = 0; i < 60; i++) {
      const name = random.pick(["up", "down", "left", "right"] as const);
      editor.key(name);
      const { value, cursor } = editor.shown();
      const where = `seed ${seed}, ${setting.label}: ${value}`;
      assert.ok(cursor >= 0 && cursor < value.length, `${where}: cursor ${cursor}`);
      if (setting.kind === "text") assert.ok([...String(editor.value())].length <= setting.max, where);
      else assert.ok(setting.schema.safeParse(editor.value()).success, where);
    }
  }
});
