/** How large the firmware is, by component. */
import assert from "node:assert/strict";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { buildImage } from "./support/emulatedBox.ts";

/** MB. */
const MOST = 250;
interface Component {
  name: string;
  bytes: number;
  limit: number | null;
  onlyDebian: boolean;
}

const image = buildImage();
const budget = JSON.parse(readFileSync(join(image, "budget.json"), "utf8")) as Component[];
const megabytes = (components: Component[]) => components.reduce((sum, { bytes }) => sum + bytes, 0) / 1e6;

after(() => {
  const line = (size: number, what: string) => `${size.toFixed(1).padStart(7)} MB  ${what}`;
  for (const one of budget) {
    const limit = one.limit === null ? "" : `, at most ${one.limit}`;
    console.log(line(megabytes([one]), `${one.name}${limit}`));
  }
  const slot = statSync(join(image, "slot.ext4")).size / 1e6;
  console.log(line(megabytes(budget), "together"));
  console.log(
    line(megabytes(budget.filter(({ onlyDebian }) => !onlyDebian)), "of it what Buildroot's images have, too"),
  );
  console.log(line(slot, "image of a slot"));
});

test("each component keeps to its budget", () => {
  const over = budget.filter((one) => one.limit !== null && megabytes([one]) > one.limit);
  assert.deepEqual(over, []);
  for (const { name, bytes } of budget) assert.ok(bytes > 0, `${name}: nothing is counted in it`);
});

test("what Buildroot's list selects keeps to 250 MB", () => {
  const selected = megabytes(budget.filter(({ onlyDebian }) => !onlyDebian));
  assert.ok(selected <= MOST, `${selected.toFixed(1)} MB`);
});

test("the bench image itself keeps to 250 MB, Debian's chains of packages included", () => {
  assert.ok(statSync(join(image, "slot.ext4")).size / 1e6 <= MOST);
});
