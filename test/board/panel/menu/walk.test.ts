/** Every path of the menu is walked by key presses, and what is found is compared with the schema's own account. */
import assert from "node:assert/strict";
import test from "node:test";
import { z } from "zod";
import type { KeyName } from "../../../../src/board/boardFile.ts";
import { settingsOf } from "../../../../src/board/panel/menu/settings.ts";
import type { View } from "../../../../src/board/panel/view.ts";
import { type Config, config } from "../../../../src/config/schema.ts";
import { FakeHost, Hands, settled, twoChannels } from "./fakeHost.ts";

type Json = Record<string, unknown>;

/** How settings are named where they have no label. */
const named = (key: string) => key.charAt(0).toUpperCase() + key.slice(1);

/** The paths of rows that lead to each setting of the document, from JSON Schema alone. */
function expectedPaths(schema: Json, value: unknown, path: string[], inDraft = false): string[] {
  const here = schema.label === undefined ? [] : [path.join(" > ")];
  const options = schema.oneOf as Json[] | undefined;
  if (options !== undefined) {
    const typeOf = (option: Json) => ((option.properties as Json).type as Json).const as string;
    const current = (value as Json | undefined)?.type;
    return options.flatMap((option) => {
      const type = typeOf(option);
      if (type === current) return expectedPaths(option, value, path, inDraft);
      // One that is filled in anew has been given its type before.
      return expectedPaths(option, undefined, [...path, ...(current === undefined ? [] : ["Type"]), type], true);
    });
  }
  if (schema.type === "object") {
    return Object.entries(schema.properties as Record<string, Json>).flatMap(([key, field]) => {
      const inner = (value as Json | undefined)?.[key] ?? field.default;
      return expectedPaths(field, inner, [...path, (field.label as string) ?? named(key)], inDraft);
    });
  }
  if (schema.type === "array") {
    const entries = (value ?? []) as Json[];
    const titles = entries.map((entry, i) => entry.name || entry.id || entry.connector || `${path.at(-1)} ${i + 1}`);
    const items = schema.items as Json;
    // Lists of single values: a page for each, which has the list's own name.
    if (items.type === "string" || items.anyOf !== undefined) {
      return [...entries.map(String), "Add"].map((title) => [...path, title, path.at(-1)].join(" > "));
    }
    return [
      ...entries.flatMap((entry, i) => expectedPaths(items, entry, [...path, String(titles[i])], inDraft)),
      ...expectedPaths(items, undefined, [...path, "Add"], true),
    ];
  }
  return here;
}

interface Walk {
  /** Paths of rows to pages that edit a value. */
  leaves: Set<string>;
  /** Paths to rows that gave an order or asked for a change. */
  orders: Map<string, string>;
  pages: number;
}

/** Presses ok on every row of every page, each time coming from the home page. */
async function walk(document: Config): Promise<Walk> {
  const found: Walk = { leaves: new Set(), orders: new Map(), pages: 0 };
  const queue: { rows: number[]; path: string[] }[] = [{ rows: [], path: [] }];
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    const hands = new Hands(new FakeHost(document));
    hands.host.answer = async () => "done";
    const { menu } = hands;
    const seen: View[] = [];
    for (const row of next.rows) {
      const rows = menu.view().rows.length;
      for (let i = 0; i <= rows && menu.view().selected !== row; i++) menu.key("down");
      seen.push(menu.view());
      menu.key("ok");
      if (row === next.rows.at(-1)) await settled();
      else await Promise.resolve();
    }
    const done = [...hands.host.orders, ...hands.host.patches.map(() => "change")];
    const name = next.path.join(" > ");
    if (done.length > 0) {
      found.orders.set(name, done.join());
      continue;
    }
    const view = menu.view();
    // What is applied to a draft within a draft leads on to a page that has more in it, for ever.
    if (/ > (Apply|Remove > Yes)$/.test(name)) continue;
    // Rows that only tell stay, rows that say no lead back.
    if (seen.some((before) => JSON.stringify(before) === JSON.stringify(view))) continue;
    found.pages++;
    assert.ok(found.pages < 5000, `the menu does not end: ${name}`);
    const chooses = view.rows.some(({ value }) => value === "*") && next.path.at(-1) !== "Type";
    const isKnown = ["Connector", "Interface"].includes(next.path.at(-1) ?? "") && view.title === next.path.at(-1);
    if (view.cursor !== undefined || chooses || isKnown) found.leaves.add(name);
    else
      view.rows.forEach(
        ({ text }, i) => void queue.push({ rows: [...(next?.rows ?? []), i], path: [...(next?.path ?? []), text] }),
      );
  }
  return found;
}

const schema = z.toJSONSchema(config, { io: "input" }) as Json;
const walked = walk(twoChannels());

test("every setting of the schema is reached by keys, and nothing else is", async () => {
  const { leaves } = await walked;
  const settings = [...leaves].filter((path) => path.startsWith("Menu > Settings > ")).sort();
  const expected = expectedPaths(schema, twoChannels(), ["Menu", "Settings"]).sort();
  assert.ok(expected.length > 250, `only ${expected.length}`);
  assert.deepEqual(settings, expected);
});

test("each channel's settings are also reached from its own page", async () => {
  const { leaves } = await walked;
  const below = (prefix: string) =>
    [...leaves].filter((path) => path.startsWith(prefix)).map((path) => path.slice(prefix.length));
  for (const [home, name] of [
    ["News: HDMI 1", "News"],
    ["Sports", "Sports"],
  ] as const) {
    const direct = below(`${home} > Settings > `);
    assert.ok(direct.length > 50);
    assert.deepEqual(direct, below(`Menu > Settings > Channels > ${name} > `));
  }
});

test("every order is reached, with its questions on the way", async () => {
  const { orders } = await walked;
  const outside = [...orders].filter(([path]) => !path.includes("Settings >"));
  assert.deepEqual(Object.fromEntries(outside), {
    "News: HDMI 1 > Stop > Yes": "change",
    "Sports > Start": "change",
    "News: HDMI 1 > Preset > SD PAL > Yes": "sd-pal for ch1",
    "News: HDMI 1 > Preset > HD IPTV > Yes": "hd-iptv for ch1",
    "Sports > Preset > SD PAL > Yes": "sd-pal for ch2",
    "Sports > Preset > HD IPTV > Yes": "hd-iptv for ch2",
    "Menu > Find me": "find me",
    "Menu > Reboot > Yes": "reboot",
    "Menu > New admin password > Yes": "reset password",
    "Menu > Factory reset > Yes > Yes": "factory reset",
  });
});

test("a setting added to the schema appears without any code", async () => {
  const { Menu } = await import("../../../../src/board/panel/menu/menu.ts");
  const more = config.safeExtend({
    clock: z
      .strictObject({
        server: z.ipv4().optional().meta({ label: "NTP server", effect: "none" }),
        names: z.array(z.string().max(8)).default([]).meta({ label: "Names", effect: "none" }),
      })
      .prefault({}),
  });
  const host = new FakeHost({ ...twoChannels(), clock: { names: ["a"] } } as Config);
  host.answer = async () => "done";
  const menu = new Menu(host, new Hands().clock, settingsOf(more));
  const press = async (...keys: KeyName[]) => {
    for (const key of keys) {
      menu.key(key);
      await settled();
    }
  };
  await press("up", "ok", "down", "down", "ok", "up", "ok");
  assert.deepEqual(menu.view(), {
    title: "Clock",
    rows: [
      { text: "NTP server", value: "-" },
      { text: "Names", value: "1" },
    ],
    selected: 0,
  });
  // An optional value is added, filled in, applied.
  await press("ok", "ok", "ok", "up", "ok", "down", "ok");
  assert.deepEqual(host.patches, [{ clock: { server: "100.0.0.0" } }]);
  await press("back", "down", "ok", "ok");
  assert.deepEqual(menu.view().rows, [{ text: "Names", value: "a" }, { text: "Remove" }]);
  await press("down", "ok", "down", "ok");
  assert.deepEqual(host.patches.at(-1), { clock: { names: [] } });
});
