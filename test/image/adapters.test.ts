/** The tests of board.test.ts run in the emulated box, whose kernel has gpio-sim, i2c-stub and vivid: none is skipped. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { build } from "esbuild";
import { buildImage, EmulatedBox } from "./support/emulatedBox.ts";

const folder = mkdtempSync(join(tmpdir(), "steadycast-adapters-"));
let box: EmulatedBox | undefined;
after(async () => {
  await box?.remove();
  rmSync(folder, { recursive: true, force: true });
});

test("the real adapters work on the kernel's simulated devices", { timeout: 420_000 }, async () => {
  await build({
    entryPoints: ["test/image/board.test.ts"],
    outfile: join(folder, "board.test.mjs"),
    ...{ bundle: true, platform: "node", target: "node20", format: "esm", logLevel: "error" },
    external: ["i2c-bus", "onoff", "spi-device"],
    banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
  });
  symlinkSync("/usr/lib/steadycast/node_modules", join(folder, "node_modules"));
  box = new EmulatedBox(buildImage(), { extra: folder });
  await box.start();
  await box.shellReady();
  // They ask for these devices alone, with chips of their own.
  const freed = await box.shell("systemctl stop steadycast && modprobe -r i2c-stub vivid", 60);
  assert.equal(freed.code, 0, freed.text);
  const mounted = await box.shell("mkdir -p /run/extra && mount -o ro /dev/vdb /run/extra");
  assert.equal(mounted.code, 0, mounted.text);
  const { code, text } = await box.shell("cd /run/extra && node --test-reporter=spec board.test.mjs", 240);
  console.log(text);
  assert.equal(code, 0);
  assert.match(text, /skipped 0\b/);
  assert.match(text, /pass [1-9]/);
});
