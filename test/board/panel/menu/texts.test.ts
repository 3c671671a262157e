import assert from "node:assert/strict";
import test from "node:test";
import { glyphOf } from "../../../../src/board/panel/display/font.ts";
import { CHARACTERS, HIDDEN, MARKS } from "../../../../src/board/panel/menu/editors.ts";
import { type Setting, settingsOf } from "../../../../src/board/panel/menu/settings.ts";
import { languageNames, type Texts, texts } from "../../../../src/board/panel/menu/texts.ts";
import { config, languages } from "../../../../src/config/schema.ts";
import { Hands } from "./fakeHost.ts";

function labels(setting: Setting): string[] {
  if (setting.kind === "list") return [setting.label, ...labels(setting.entry)];
  if (setting.kind === "variant") return [setting.label, ...[...setting.options.values()].flatMap(labels)];
  return setting.kind === "group" ? [setting.label, ...setting.fields.flatMap(labels)] : [setting.label];
}

/** All words of a language, by where they are. */
function words(of: Texts): Record<string, string> {
  const { labels: _, waitFor, ...rest } = of;
  const flat = { ...rest, states: undefined, effects: undefined, ...of.states, ...of.effects, waitFor: waitFor(30) };
  return Object.fromEntries(Object.entries(flat).filter((entry): entry is [string, string] => entry[1] !== undefined));
}

test("every language has every word", () => {
  for (const language of languages) {
    const own = words(texts[language]);
    assert.deepEqual(Object.keys(own), Object.keys(words(texts.en)), language);
    for (const [key, word] of Object.entries(own)) assert.ok(word.trim() !== "", `${language}: ${key}`);
    assert.ok(own.waitFor?.includes("30"), language);
    assert.ok(languageNames[language] !== "");
  }
});

test("what is translated are labels that the schema has", () => {
  const known = new Set(labels(settingsOf(config)));
  for (const language of languages) {
    assert.deepEqual(
      Object.keys(texts[language].labels).filter((label) => !known.has(label)),
      [],
      language,
    );
  }
});

test("the graphic displays' font has every character that the menu shows and writes", () => {
  const own = languages.flatMap((language) => [
    ...Object.values(words(texts[language])),
    ...Object.values(texts[language].labels),
    languageNames[language],
  ]);
  const shown = new Set([...own.join(""), ...CHARACTERS, ...Object.values(MARKS), HIDDEN]);
  assert.deepEqual(
    [...shown].filter((character) => glyphOf(character) === undefined),
    [],
  );
});

test("answers to a question are told apart in every language", () => {
  for (const language of languages) {
    const { yes, no, on, off, start, stop, apply, back } = texts[language];
    assert.equal(new Set([yes, no]).size, 2);
    assert.equal(new Set([on, off]).size, 2);
    assert.equal(new Set([start, stop, apply, back]).size, 4);
  }
});

test("the language is chosen by its own name and takes effect at once", async () => {
  const hands = new Hands();
  await hands.go("Menu", "Language");
  assert.deepEqual(hands.lines, ["Language", "> English | *", "  Deutsch", "  Français", "  Español"]);
  await hands.go("Deutsch");
  assert.deepEqual(hands.host.patches, [{ panel: { language: "de" } }]);
  assert.equal(hands.view.title, "Menü");
  await hands.go("Einstellungen", "Bedienfeld");
  assert.deepEqual(hands.lines, [
    "Bedienfeld",
    "> Sprache | de",
    "  PIN | -",
    "  Sperren nach | 60 s",
    "  Abdunkeln nach | 120 s",
  ]);
});
