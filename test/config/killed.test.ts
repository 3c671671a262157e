/** A process that changes the configuration all the time is killed at random moments. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { defaultConfig } from "../../src/config/schema.ts";
import { Random } from "../support/random.ts";
import type { Word } from "./support/changer.ts";
import { started, temporaryFolder } from "./support/service.ts";
import { numberOf, variant } from "./support/variant.ts";

const KILLS = 60;
/** Boxes at once, each killed again and again. */
const BOXES = 3;
/** After its first word a process lives this long at most, ms. */
const LIFE_MS = 80;

/** One program file: the bare start of Node takes long enough. */
async function bundle(folder: string): Promise<string> {
  const outfile = join(folder, "changer.mjs");
  const entry = fileURLToPath(new URL("support/changer.ts", import.meta.url));
  await build({ entryPoints: [entry], outfile, bundle: true, platform: "node", format: "esm", logLevel: "error" });
  return outfile;
}

/** Lets it run, kills it, and gives what it said. */
async function live(program: string, folder: string, seed: number, random: Random): Promise<Word[]> {
  const child = spawn(process.execPath, [program, folder, String(seed)], { stdio: ["ignore", "pipe", "pipe"] });
  let [text, errors] = ["", ""];
  child.stderr.on("data", (data: Buffer) => {
    errors += data.toString();
  });
  const closed = new Promise<string | null>((done) => child.on("close", (_, signal) => done(signal)));
  await new Promise<void>((begun) => {
    child.stdout.on("data", (data: Buffer) => {
      text += data.toString();
      begun();
    });
    child.on("close", () => begun());
  });
  // Not a wait for something to happen: when it is killed is what is random.
  await sleep(random.below(LIFE_MS));
  child.kill("SIGKILL");
  assert.equal(await closed, "SIGKILL", errors);
  const lines = text.split("\n").slice(0, -1);
  return lines.map((line) => JSON.parse(line) as Word);
}

/** What may be found after such a life. */
function outcome(words: readonly Word[]) {
  let [stored, storing, trial] = [{ revision: 0, name: "" }, "", 0];
  let uncertain = false;
  for (const word of words) {
    switch (word.say) {
      case "found":
      case "stored":
        stored = { revision: word.revision, name: word.name };
        storing = "";
        break;
      case "storing":
        storing = word.name;
        uncertain = trial > 0;
        break;
      case "trying":
        uncertain = true;
        break;
      case "trial":
        trial = word.revision;
        uncertain = false;
        break;
      case "ending":
        uncertain = true;
        break;
      case "ended":
        trial = 0;
        uncertain = false;
    }
  }
  return { stored, storing, trial, uncertain };
}

test(`${KILLS} times killed while it changes the configuration: the last or the coming version, never a mix`, async (t) => {
  const program = await bundle(temporaryFolder(t));
  const counts = { kills: 0, stored: 0, coming: 0, trials: 0 };
  const box = async (number: number) => {
    const random = new Random(number);
    const folder = temporaryFolder(t);
    for (let life = 0; life < KILLS / BOXES; life++) {
      const words = await live(program, folder, 1 + number * 100 + life, random);
      const { stored, storing, trial, uncertain } = outcome(words);
      const service = await started(folder);
      const { current, revision } = service;
      const { name } = current.box;
      const isComing = name !== stored.name;
      assert.ok(!isComing || name === storing, `${name} was neither stored nor about to be: ${JSON.stringify(words)}`);
      assert.ok(isComing ? revision > stored.revision : revision === stored.revision, JSON.stringify(words.slice(-4)));
      assert.deepEqual(current, Number.isNaN(numberOf(current)) ? defaultConfig() : variant(numberOf(current)));
      const told = service.problems();
      if (trial > revision && !uncertain) {
        assert.deepEqual(
          told.map(({ file, what }) => `${file} ${what}`),
          [`config.trial.json tells of revision ${trial} by bert, which was not confirmed`],
        );
      } else if (trial === 0 && !uncertain) assert.deepEqual(told, []);
      const versions = await service.versions();
      assert.ok(versions.length <= 50 && versions.find(({ current }) => current)?.revision === revision);
      assert.equal(service.problems().length, told.length, "no version is damaged");
      const names = [...readdirSync(folder), ...readdirSync(join(folder, "history"))];
      assert.ok(!names.some((file) => file.endsWith(".tmp") || file.includes("damaged")), names.join(" "));
      await service.stop();
      counts.kills++;
      counts[isComing ? "coming" : "stored"]++;
      if (trial > 0) counts.trials++;
    }
  };
  await Promise.all(Array.from({ length: BOXES }, (_, number) => box(number)));
  t.diagnostic(JSON.stringify(counts));
  assert.equal(counts.kills, KILLS);
});
