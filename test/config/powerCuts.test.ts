/** Five hundred power cuts while the configuration is changed in every way there is. */
import assert from "node:assert/strict";
import test from "node:test";
import { type Config, defaultConfig } from "../../src/config/schema.ts";
import { redact } from "../../src/config/secrets.ts";
import type { ConfigService } from "../../src/config/store.ts";
import { Random } from "../support/random.ts";
import { VirtualClock } from "../support/virtualClock.ts";
import { SimulatedDisk } from "./support/disk.ts";
import { started } from "./support/service.ts";
import { variant } from "./support/variant.ts";

const CHAINS = 10;
const CUTS = 50;
const MARKER = "config.trial.json";

interface Version {
  revision: number;
  document: Config;
}

/** A box that loses its power again and again, and what must be found on its disk. */
class Chain {
  readonly #random: Random;
  #disk = new SimulatedDisk();
  #clock = new VirtualClock();
  #count = 0;
  /** The last change that was said to be stored while there was power. */
  #committed: Version = { revision: 1, document: defaultConfig() };
  /** The one that was being stored when the power went. */
  #inHand: Config | undefined;
  /** On trial for certain; or perhaps, while that is being begun or ended. */
  #trial: { version: Version; certain: boolean } | undefined;
  /** All that may ever have been stored, by revision. */
  readonly #stored = new Map<number, string>();
  readonly counts = { committed: 0, inHand: 0, trials: 0, told: 0, damaged: 0, pruned: 0 };

  constructor(seed: number) {
    this.#random = new Random(seed);
    this.#note(this.#committed);
  }

  async run(cuts: number): Promise<void> {
    for (let cut = 0; cut < cuts; cut++) {
      if (cut > 0 || this.#random.chance(0.5)) this.#disk.cutPowerAt(1 + this.#random.below(180));
      else this.#disk.cutPowerAt(1000);
      this.#clock = new VirtualClock();
      const service = await started("/data", this.#disk, this.#clock);
      for (let n = 0; n < 200 && !this.#disk.cut; n++) await this.#act(service);
      assert.ok(this.#disk.cut, "the power is cut");
      await this.#examine(cut);
    }
  }

  async #act(service: ConfigService): Promise<void> {
    const random = this.#random;
    const trial = service.trial();
    if (trial !== null) {
      const { version } = this.#trial as { version: Version };
      switch (random.below(8)) {
        case 0:
          this.#trial = { version, certain: false };
          await service.revert(trial.revision);
          if (!this.#disk.cut) this.#trial = undefined;
          return;
        case 1:
          this.#trial = { version, certain: false };
          await this.#clock.advance(trial.remainingSeconds * 1000);
          await service.versions();
          if (!this.#disk.cut) this.#trial = undefined;
          return;
        case 2:
        case 3:
          this.#trial = { version, certain: false };
          await this.#storing(version.document, () => service.confirm(trial.revision));
          if (!this.#disk.cut) this.#trial = undefined;
          return;
        default:
          // Somebody looks at the history meanwhile.
          for (let n = 0; n < 40; n++) await service.version(1 + random.below(service.revision));
          return;
      }
    }
    const document = variant(++this.#count + random.below(3) * 1000);
    switch (random.below(5)) {
      case 0:
        await this.#try(service, document);
        return;
      case 1: {
        const versions = await service.versions();
        if (this.#disk.cut) return;
        const { revision } = random.pick(versions);
        const text = this.#stored.get(revision) ?? "";
        await this.#storing(JSON.parse(text) as Config, () => service.restore(revision));
        return;
      }
      default: {
        const options = { author: "anna", comment: `Number ${this.#count}` };
        await this.#storing(document, () => service.replace(document, options));
      }
    }
  }

  async #try(service: ConfigService, document: Config): Promise<void> {
    const result = await service.replace(document, { confirmSeconds: 60, author: "bert" });
    assert.ok(result.ok);
    const { revision } = result;
    if (result.changed) this.#trial = { version: { revision, document }, certain: !this.#disk.cut };
  }

  async #storing(document: Config, work: () => Promise<{ ok: boolean; revision?: number }>): Promise<void> {
    this.#inHand = document;
    let result: { ok: boolean; revision?: number };
    try {
      result = await work();
    } catch {
      assert.ok(this.#disk.cut);
      return;
    }
    // A version that cannot be read for want of power is refused.
    if (this.#disk.cut) return;
    assert.equal(result.ok, true);
    this.#committed = { revision: result.revision ?? 0, document };
    this.#note(this.#committed);
    this.#inHand = undefined;
  }

  #note({ revision, document }: Version): void {
    this.#stored.set(revision, JSON.stringify(document));
  }

  async #examine(cut: number): Promise<void> {
    const disk = this.#disk.afterPowerCut(this.#random);
    const damaged = this.#random.chance(0.15) && disk.contentOf("config.json") !== undefined;
    if (damaged) disk.damage("config.json", new Uint8Array(this.#random.below(600)));
    const service = await started("/data", disk, this.#clock);
    const where = `cut ${cut}`;
    const isNew = service.revision !== this.#committed.revision;
    const found = { revision: service.revision, document: isNew ? this.#inHand : this.#committed.document };
    assert.ok(!isNew || service.revision > this.#committed.revision, where);
    assert.deepEqual(service.current, found.document, `${where}: never a mix`);
    this.#committed = { revision: service.revision, document: service.current };
    this.#note(this.#committed);

    const problems = service.problems();
    const told = problems.filter(({ file }) => file === MARKER);
    const isTried = this.#trial !== undefined && this.#trial.version.revision > service.revision;
    if (isTried && this.#trial?.certain) {
      assert.equal(told.length, 1, `${where}: the trial that is gone is told`);
      this.counts.told++;
    }
    if (!isTried) assert.deepEqual(told, [], where);
    for (const { what, action } of told) {
      assert.equal(what, `tells of revision ${this.#trial?.version.revision} by bert, which was not confirmed`);
      assert.equal(action, `it is not in force; config.json (revision ${service.revision}) is`);
    }
    const others = problems.filter(({ file }) => file !== MARKER);
    if (damaged) {
      assert.ok(others.length >= 1, where);
      const used = `config.last-good.json (revision ${service.revision}) is used`;
      assert.ok(others[0]?.file === "config.json" && others[0].action.endsWith(used), JSON.stringify(others));
    } else assert.deepEqual(others, [], where);

    const versions = await service.versions();
    assert.equal(versions.find(({ current }) => current)?.revision, service.revision, where);
    assert.ok(versions.length <= 50, `${where}: ${versions.length} versions`);
    for (const { revision } of versions.slice(0, 3)) {
      const document = JSON.parse(this.#stored.get(revision) ?? "null") as Config;
      assert.deepEqual((await service.version(revision))?.document, redact(document), `${where}: version ${revision}`);
    }
    assert.equal(service.problems().length, problems.length, "no version is damaged");
    for (const name of [...disk.names(), ...disk.names("history")]) assert.doesNotMatch(name, /\.tmp$/);
    assert.equal(disk.contentOf(MARKER), undefined);

    if (isTried) this.counts.trials++;
    if (damaged) this.counts.damaged++;
    if (isNew) this.counts.inHand++;
    else this.counts.committed++;
    if (versions.length === 50) this.counts.pruned++;
    await service.stop();
    this.#disk = disk;
    this.#inHand = undefined;
    this.#trial = undefined;
  }
}

test("500 power cuts: each start finds the last or the coming version, never a mix, and says which", async (t) => {
  const sum: Record<string, number> = {};
  for (let seed = 0; seed < CHAINS; seed++) {
    const chain = new Chain(seed);
    try {
      await chain.run(CUTS);
    } catch (error) {
      throw new Error(`seed ${seed}: ${error instanceof Error ? error.stack : ""}`, { cause: error });
    }
    for (const [name, count] of Object.entries(chain.counts)) sum[name] = (sum[name] ?? 0) + count;
  }
  t.diagnostic(JSON.stringify(sum));
  assert.equal((sum.committed ?? 0) + (sum.inHand ?? 0), CHAINS * CUTS);
  for (const name of ["committed", "inHand", "trials", "told", "damaged", "pruned"])
    assert.ok((sum[name] ?? 0) > 20, name);
});
