import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { diagnosticsParts } from "../../src/api/diagnosticsParts.ts";
import { logRoutes } from "../../src/api/routes/logs.ts";
import { SECRET_MARK } from "../../src/config/schema.ts";
import { Diagnostics } from "../../src/system/diagnostics/diagnostics.ts";
import { LogService } from "../../src/system/logs/logService.ts";
import { MediaLogs } from "../../src/system/logs/mediaLogs.ts";
import { configSecrets, redactor } from "../../src/system/logs/redactor.ts";
import { untar } from "../system/diagnostics/untar.ts";
import { startBoard } from "./support/board.ts";
import { Box } from "./support/box.ts";

test("the bundle tells of everything, and a secret that is set by the API is in none of it", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "steadycast-parts-"));
  t.after(() => rmSync(folder, { recursive: true }));
  await mkdir(join(folder, "ch1"));
  await writeFile(join(folder, "ch1/encode.log"), "opened srt://10.0.0.1?passphrase=correct-horse-battery\n");
  const { board, bus } = await startBoard(t);
  let box: Box | undefined;
  const redact = redactor(configSecrets(() => box?.config.current));
  const logs = new LogService({ folder: join(folder, "logs"), bus, redact, sources: [new MediaLogs(folder)] });
  await logs.start();
  t.after(() => logs.stop());
  // The box is made with its routes, and the parts ask it when they are asked.
  const parts = () =>
    box === undefined
      ? []
      : diagnosticsParts({ version: "1.2.3", config: box.config, channels: box.channels, logs, board });
  const diagnostics = () => new Diagnostics({ parts: parts(), redact });
  const late = {
    get name() {
      return diagnostics().name;
    },
    bundle: () => diagnostics().bundle(),
  };
  box = await Box.start(t, { bus, board, routes: logRoutes(logs, late) });

  const passphrase = "correct-horse-battery";
  const [channel] = box.config.current.channels;
  const output = { type: "srt", id: "srt", mode: "caller", address: "10.0.0.1", port: 9000, passphrase };
  const changed = await box.call("PUT", `/channels/${channel?.id}`, { ...channel, outputs: [output] });
  assert.equal(changed.status, 200);
  bus.emit("log", { level: "error", source: "test", message: `no answer to ${passphrase}` });

  const response = await box.fetch("/api/v1/diagnostics");
  const { files } = untar(Buffer.from(await response.arrayBuffer()));
  assert.deepEqual([...files.keys()].sort(), [
    ...["board.json", "channels.json", "configuration/current.json", "configuration/history.json"],
    ...["configuration/problems.json", "configuration/trial.json", "faults.json"],
    ...["logs/others.log", "logs/steadycast.log", "versions.json"],
  ]);
  for (const [name, bytes] of files) assert.ok(!bytes.includes(passphrase), `${name}: ${bytes}`);
  const text = (name: string) => files.get(name)?.toString() ?? "";
  assert.ok(text("configuration/current.json").includes(`"passphrase": "${SECRET_MARK}"`));
  assert.match(text("logs/steadycast.log"), /error test: no answer to \*{8}\n/);
  assert.match(text("logs/others.log"), /==== ch1\/encode\n- info ch1\/encode: opened srt:.*\*{8}\n/);
  assert.match(text("configuration/history.json"), /"revision": 2/);
});
