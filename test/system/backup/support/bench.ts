/** Daily backups on a simulated disk and clock. */
import { Bus } from "../../../../src/bus.ts";
import { ConfigParts } from "../../../../src/config/backup/configParts.ts";
import { BackupService } from "../../../../src/config/backup/service.ts";
import { type BackupConfig, config as schema } from "../../../../src/config/schema.ts";
import type { ConfigService } from "../../../../src/config/store.ts";
import { DailyBackups, type DailyBackupsOptions } from "../../../../src/system/backup/daily.ts";
import { SimulatedDisk } from "../../../config/support/disk.ts";
import { make } from "../../../config/support/service.ts";
import { VirtualClock } from "../../../support/virtualClock.ts";

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;

type Settings = Partial<Record<keyof BackupConfig, unknown>>;

export class Bench {
  readonly bus = new Bus();
  readonly clock = new VirtualClock();
  readonly disk: SimulatedDisk;
  readonly logged: string[] = [];
  readonly config: ConfigService;
  readonly daily: DailyBackups;
  /** What the clock on the wall shows when the other one shows 0, ms. */
  wall: number;

  constructor(begin: string, options: Partial<DailyBackupsOptions> = {}, disk = new SimulatedDisk()) {
    this.wall = Date.parse(begin);
    this.disk = disk;
    this.bus.on("log", ({ level, message }) => this.logged.push(`${level}: ${message}`));
    this.config = make("/data", this.bus, disk);
    const now = () => new Date(this.wall + this.clock.now());
    const backups = new BackupService({
      ...{ folder: "/data", bus: this.bus, keepers: [new ConfigParts(this.config)], files: disk, now },
      ...{ box: () => this.config.current.box.name, firmware: "1.2.3" },
    });
    this.daily = new DailyBackups({
      ...{ folder: "/data", bus: this.bus, config: this.config, backups, clock: this.clock, now, files: disk },
      ...options,
    });
  }

  static async start(...args: ConstructorParameters<typeof Bench>): Promise<Bench> {
    const bench = new Bench(...args);
    await bench.config.start();
    await bench.daily.start();
    await bench.pass(0);
    return bench;
  }

  /** Changes the settings of backups, in a box in Berlin. */
  async set(backup: Settings): Promise<void> {
    const { current } = this.config;
    const document = { ...current, time: { zone: "Europe/Berlin" }, backup: { ...current.backup, ...backup } };
    await this.config.replace(schema.parse(document));
    await this.pass(0);
  }

  async pass(ms: number): Promise<void> {
    await this.clock.advance(ms);
    // What is written and encrypted takes its turns.
    for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate);
  }

  /** Waits for something that takes real time. */
  async until(isTrue: () => boolean): Promise<void> {
    for (let tries = 0; !isTrue(); tries++) {
      if (tries > 5000) throw new Error(`it does not come; logged: ${this.logged.join("; ")}`);
      await new Promise((done) => setTimeout(done, 2));
    }
  }

  get names(): string[] {
    return this.daily.list().map(({ name }) => name);
  }

  async stop(): Promise<void> {
    await this.daily.stop();
    await this.config.stop();
  }
}
