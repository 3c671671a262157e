import assert from "node:assert/strict";
import test from "node:test";
import { keyNames } from "../../../../src/board/boardFile.ts";
import { config } from "../../../../src/config/schema.ts";
import { Random } from "../../../support/random.ts";
import { FakeHost, Hands, settled, twoChannels } from "./fakeHost.ts";

/** Pages below the home page at most: settings, channels, a new channel, its outputs, a new one, type, value, questions. */
const DEEPEST = 14;

test("10 000 keys at random never break it, and back always leads home", async () => {
  const KEYS = 10_000;
  for (const seed of [1, 2]) {
    const random = new Random(seed);
    const hands = new Hands();
    const titles = new Set<string>();
    let last: string[] = [];
    try {
      for (let i = 0; i < KEYS / 2; i++) {
        // More ways in than out, so that deep pages are reached.
        const key = random.chance(0.3)
          ? "ok"
          : random.pick(keyNames.filter((name) => name !== "back" || random.chance(0.4)));
        last = [...last.slice(-20), key];
        hands.menu.key(key);
        if (random.chance(0.9)) await settled();
        const { title, rows, selected, cursor } = hands.view;
        titles.add(title);
        assert.ok(selected === undefined || rows[selected] !== undefined, `row ${selected} of ${rows.length}`);
        const value = rows[selected ?? 0]?.value ?? "";
        assert.ok(cursor === undefined || (cursor >= 0 && cursor < value.length), `cursor ${cursor} in ${value}`);
        if (random.chance(0.01)) hands.host.document = twoChannels();
        if (random.chance(0.01)) await goHome(hands);
        if (i % 50 === 0) assert.ok(config.safeParse(hands.host.document).success);
      }
      await goHome(hands);
    } catch (error) {
      throw new Error(`seed ${seed}, after ${last.join(" ")}`, { cause: error });
    }
    assert.ok(titles.size > 60, `only ${titles.size} pages were seen`);
    assert.ok(hands.host.patches.length > 20, `only ${hands.host.patches.length} changes were made`);
  }
});

/** Presses back until the home page is there. */
async function goHome(hands: Hands): Promise<void> {
  for (let i = 0; i < DEEPEST; i++) hands.menu.key("back");
  await settled();
  const { rows } = hands.view;
  assert.ok(rows.length >= 1 && hands.view.title.startsWith(hands.host.document.box.name), hands.lines.join(", "));
}

test("a channel list of none still has a menu", async () => {
  const hands = new Hands(new FakeHost(config.parse({ version: 3 })));
  assert.deepEqual(hands.lines, ["Steadycast", "> Menu"]);
  await hands.go("Menu", "Settings", "Channels", "Add");
  assert.equal(hands.view.rows[0]?.value, "-");
});
