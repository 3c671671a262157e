/** An update service on slots that are models, with a clock that runs as fast as it is asked to. */
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { Bus, type Events } from "../../../src/bus.ts";
import { BundleStore } from "../../../src/update/bundle/store.ts";
import { UpdateService } from "../../../src/update/service.ts";
import type { Evidence, Inspection, InstallOrder, Outcome, Reading, Slots, Tell } from "../../../src/update/slots.ts";
import type { FirmwareStatus, SlotName } from "../../../src/update/status.ts";
import { VirtualClock } from "../../support/virtualClock.ts";

/** A box with two slots, as RAUC and the boot script have them. */
export class FakeBox implements Slots {
  boot = 1;
  running: SlotName = "A";
  order: SlotName[] = ["A"];
  left: Record<SlotName, number> = { A: 3, B: 0 };
  inside: Record<SlotName, { version: string; build: string; installed: string | null; whole: boolean } | null> = {
    A: { version: "0.1.0", build: "one", installed: null, whole: true },
    B: null,
  };
  unable = "";
  isGood = true;
  givenUp: Evidence["givenUp"] = [];
  room = 1 << 20;
  /** What is done, in order. */
  readonly done: string[] = [];
  /** Called while an installation is under way, before it ends. */
  whileInstalling: (tell: Tell) => Promise<void> = async () => {};
  installFails = "";
  activateFails = "";
  installing = false;

  refusal = async () => this.unable;
  release = async () => {
    const { version = "", build = "" } = this.inside[this.running] ?? {};
    return { version, build };
  };
  capacity = async () => this.room;
  isInstalling = async () => this.installing;
  evidence = async (): Promise<Evidence> => ({ good: this.isGood, givenUp: this.givenUp });

  async read(): Promise<Reading> {
    const next = this.order.find((name) => this.left[name] > 0);
    const slots = (["A", "B"] as const).map((name) => {
      const inside = this.inside[name];
      return {
        ...{ name, running: name === this.running, next: name === next, listed: this.order.includes(name) },
        attemptsLeft: this.left[name],
        content: inside === null ? ("empty" as const) : inside.whole ? ("whole" as const) : ("part" as const),
        ...{ version: inside?.version ?? "", build: inside?.build ?? "", installed: inside?.installed ?? null },
      };
    });
    return { boot: String(this.boot), slots };
  }

  /** A bundle here is a text: `version build`, or the reason why it is refused. */
  async inspect(file: string): Promise<Inspection> {
    const [version = "", build = "", ...more] = readFileSync(file, "utf8").split(" ");
    if (!/^\d/.test(version)) return { ok: false, why: [version, build, ...more].join(" ") };
    return { ok: true, manifest: { version, build, compatible: "kind", notes: "Notes", size: 1000 } };
  }

  async install({ version, build, downgrade }: InstallOrder, tell: Tell): Promise<Outcome> {
    const target = this.running === "A" ? "B" : "A";
    this.done.push(`install ${version} in ${target}${downgrade ? ", older" : ""}`);
    this.order = [this.running];
    this.left[target] = 0;
    this.installing = true;
    if (this.installFails !== "") {
      this.installing = false;
      return { ok: false, why: this.installFails };
    }
    this.inside[target] = { version, build, installed: null, whole: false };
    await this.whileInstalling(tell);
    this.inside[target] = { version, build, installed: `2026-01-01T00:00:0${this.done.length}.000Z`, whole: true };
    this.installing = false;
    return { ok: true };
  }

  async follow(): Promise<Outcome> {
    await this.whileInstalling(() => {});
    return { ok: true };
  }

  async activate(slot: SlotName): Promise<Outcome> {
    if (this.activateFails !== "") return { ok: false, why: this.activateFails };
    this.done.push(`activate ${slot}`);
    this.order = [slot, ...this.order.filter((name) => name !== slot)];
    this.left[slot] = 3;
    return { ok: true };
  }

  async restart(reason: string): Promise<Outcome> {
    this.done.push(`restart: ${reason}`);
    return { ok: true };
  }

  /** The box comes up, as the boot script chooses. */
  reboot(): void {
    this.boot++;
    this.running = this.order.find((name) => this.left[name] > 0) ?? this.running;
    this.isGood = false;
  }
}

export class Bench {
  readonly folder = mkdtempSync(join(tmpdir(), "steadycast-update-"));
  readonly box = new FakeBox();
  clock = new VirtualClock();
  time = Date.parse("2026-01-01T12:00:00Z");
  news: FirmwareStatus[] = [];
  logged: Events["log"][] = [];
  free = 1 << 30;
  update!: UpdateService;
  usb = join(this.folder, "usb");

  static async start(t: TestContext): Promise<Bench> {
    const bench = new Bench();
    t.after(async () => {
      await bench.update.stop();
      rmSync(bench.folder, { recursive: true });
    });
    await bench.start();
    return bench;
  }

  /** Another supervisor on the same disk. */
  async start(): Promise<void> {
    const bus = new Bus();
    bus.on("firmware", (status) => this.news.push(status));
    bus.on("log", (line) => this.logged.push(line));
    this.clock = new VirtualClock();
    const { clock, usb, folder } = this;
    const store = new BundleStore({ folder: join(folder, "firmware"), free: async () => this.free, reserve: 0 });
    const now = () => new Date(this.time + clock.now());
    this.update = new UpdateService({ slots: this.box, bus, folder, usb, store, timers: clock, now });
    await this.update.start();
  }

  async restart(): Promise<void> {
    await this.update.stop();
    await this.start();
  }

  /** The box reboots, and its supervisor starts. */
  async reboot(): Promise<void> {
    await this.update.stop();
    this.time += this.clock.now() + 60_000;
    this.box.reboot();
    await this.start();
  }

  async send(text: string, size = text.length) {
    return await this.update.bundles.upload(bytesOf(text), size, "box.raucb", "anna");
  }

  /** Until no work is under way. */
  async settled(): Promise<FirmwareStatus> {
    const end = performance.now() + 10_000;
    while (this.update.status().work !== null) {
      assert.ok(performance.now() < end, JSON.stringify(this.update.status().work));
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    return this.update.status();
  }

  /** Files of bundles on the disk. */
  files(): string[] {
    return readdirSync(join(this.folder, "firmware"));
  }

  size(name: string): number {
    return statSync(join(this.folder, "firmware", name)).size;
  }

  /** What has happened, newest first, in short. */
  history(): string[] {
    return this.update
      .history()
      .map(({ what, version, slot, who, detail }) =>
        [what, version, slot ?? "", who, detail].filter(Boolean).join(" "),
      );
  }
}

export async function* bytesOf(text: string): AsyncGenerator<Uint8Array> {
  for (const part of text.match(/.{1,4}/gs) ?? []) yield Buffer.from(part);
}
