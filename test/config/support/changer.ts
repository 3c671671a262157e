/**
 * Changes the configuration in the folder that is its argument, over and over, and says so on its standard output: what it
 * begins, and what is done. Ends when it is killed.
 */
import { writeSync } from "node:fs";
import { Bus } from "../../../src/bus.ts";
import { defaultConfig } from "../../../src/config/schema.ts";
import { ConfigService } from "../../../src/config/store.ts";
import { Random } from "../../support/random.ts";
import { variant } from "./variant.ts";

export type Word =
  | { say: "found"; revision: number; name: string; problems: string[] }
  /** A document that may be stored from now on; `trial`: which revision is on trial. */
  | { say: "storing"; name: string }
  | { say: "stored"; revision: number; name: string }
  | { say: "trying"; name: string }
  | { say: "trial"; revision: number }
  | { say: "ending" }
  | { say: "ended" };

const say = (word: Word): void => void writeSync(1, `${JSON.stringify(word)}\n`);

const [folder = "", seed = "1"] = process.argv.slice(2);
const random = new Random(Number(seed));
const service = new ConfigService({ folder, bus: new Bus(), initial: defaultConfig });
await service.start();
const problems = service.problems().map(({ file, what, action }) => `${file} ${what}: ${action}`);
say({ say: "found", revision: service.revision, name: service.current.box.name, problems });

for (let n = 1; ; n++) {
  const document = variant(Number(seed) * 1000 + n);
  const { name } = document.box;
  if (random.chance(0.7)) {
    say({ say: "storing", name });
    const result = await service.replace(document, { author: "anna", comment: `Number ${n}` });
    if (result.ok) say({ say: "stored", revision: result.revision, name });
    continue;
  }
  say({ say: "trying", name });
  const tried = await service.replace(document, { author: "bert", confirmSeconds: 600 });
  if (!tried.ok) throw new Error(JSON.stringify(tried));
  say({ say: "trial", revision: tried.revision });
  if (random.chance(0.5)) {
    say({ say: "storing", name });
    await service.confirm(tried.revision);
    say({ say: "stored", revision: tried.revision, name });
  } else {
    say({ say: "ending" });
    await service.revert(tried.revision);
  }
  say({ say: "ended" });
}
