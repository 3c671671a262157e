/** A new box must come on air: what each board file has for its first channel makes a configuration. */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { loadBoardFile } from "../../src/board/boardFile.ts";
import { mergePatch } from "../../src/config/json.ts";
import { config, defaultConfig } from "../../src/config/schema.ts";

const folder = fileURLToPath(new URL("../../firmware/boards/", import.meta.url));

for (const name of readdirSync(folder).filter((one) => one.endsWith(".json"))) {
  test(`${name}: its first channel is one that the box takes`, async () => {
    const { firstChannel } = await loadBoardFile(folder + name);
    const first = defaultConfig("eth0");
    const channels = first.channels.map((channel) => mergePatch(channel, firstChannel));
    const made = config.parse({ ...first, channels });
    const { video, source } = made.channels[0] ?? assert.fail("there is no channel");
    assert.ok(source.type === "test" && source.width === video.width, "the test picture has another size");
    for (const part of ["video", "source", "transport"] as const) {
      const wanted = firstChannel[part] ?? {};
      assert.deepEqual({ ...made.channels[0]?.[part], ...wanted }, made.channels[0]?.[part]);
    }
  });
}
