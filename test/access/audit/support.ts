import { AuditLog, type AuditLogOptions } from "../../../src/access/audit/log.ts";
import type { AuditEvent } from "../../../src/access/record.ts";
import { Bus, type Events } from "../../../src/bus.ts";
import { SimulatedDisk } from "../../config/support/disk.ts";
import { VirtualClock } from "../../support/virtualClock.ts";

export function event(n: number, more: Partial<AuditEvent> = {}): AuditEvent {
  return {
    who: { name: n % 3 === 0 ? "anna" : "bert", role: "admin", via: "session", address: `192.0.2.${n % 250}` },
    what: n % 2 === 0 ? "replaceChannel" : "replaceConfig",
    target: `/api/v1/channels/ch${n}`,
    result: "done",
    diff: [{ pointer: "/video/bitrate", before: n, after: n + 1 }],
    ...more,
  };
}

export class Bench {
  readonly disk: SimulatedDisk;
  readonly clock = new VirtualClock();
  readonly bus = new Bus();
  readonly logged: Events["log"][] = [];
  readonly log: AuditLog;

  constructor(disk = new SimulatedDisk(), options: Partial<AuditLogOptions> = {}) {
    const { bus, clock } = this;
    this.disk = disk;
    bus.on("log", (line) => this.logged.push(line));
    const now = () => new Date(Date.UTC(2026, 0, 1) + clock.now());
    this.log = new AuditLog({ folder: "/data/audit", bus, clock, files: disk, now, ...options });
  }

  static async start(disk?: SimulatedDisk, options?: Partial<AuditLogOptions>): Promise<Bench> {
    const bench = new Bench(disk, options);
    await bench.log.start();
    return bench;
  }

  /** Names of the segments. */
  segments(): string[] {
    return this.disk.names().filter((name) => name.startsWith("audit-"));
  }

  text(name: string): string {
    return Buffer.from(this.disk.contentOf(name) ?? []).toString("utf8");
  }
}

/** What every file held, to make any number of disks from it. */
export class Snapshot {
  readonly #content: ReadonlyMap<string, Uint8Array>;

  constructor(disk: SimulatedDisk) {
    this.#content = new Map(disk.names().map((name) => [name, Uint8Array.from(disk.contentOf(name) ?? [])]));
  }

  /** A disk that holds it, with some files changed or (undefined) missing. */
  disk(changes: Record<string, Uint8Array | string | undefined> = {}): SimulatedDisk {
    const disk = new SimulatedDisk();
    for (const [name, content] of [...this.#content, ...Object.entries(changes)]) {
      if (name in changes && content !== changes[name]) continue;
      if (content !== undefined) disk.damage(name, typeof content === "string" ? Buffer.from(content) : content);
    }
    return disk;
  }

  bytes(name: string): Uint8Array {
    return this.#content.get(name) as Uint8Array;
  }

  names(): string[] {
    return [...this.#content.keys()];
  }
}
