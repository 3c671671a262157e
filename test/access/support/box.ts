/** An access service for tests: cheap hashes, a simulated disk, and a clock that is moved on by hand. */
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TOTP } from "otpauth";
import { AccessService } from "../../../src/access/access.ts";
import type { HashCost } from "../../../src/access/hashing.ts";
import type { LoginRequest } from "../../../src/access/login.ts";
import type { AccessSettings } from "../../../src/access/parts.ts";
import type { Principal } from "../../../src/access/principal.ts";
import type { AuditEvent } from "../../../src/access/record.ts";
import type { LoggedIn } from "../../../src/access/results.ts";
import { Bus } from "../../../src/bus.ts";
import { SimulatedDisk } from "../../config/support/disk.ts";
import { VirtualClock } from "../../support/virtualClock.ts";

export const CHEAP: HashCost = { memoryCost: 8, timeCost: 1, parallelism: 1 };
export const PASSWORD = "tall ships in fog";
export const NEAR = "192.168.1.20";
export const FAR = "203.0.113.5";
const START = Date.UTC(2026, 0, 5, 12);

export interface BoxOptions {
  disk?: SimulatedDisk;
  memory?: SimulatedDisk;
  clock?: VirtualClock;
  hashCost?: HashCost;
  boot?: string;
}

export class AccessBox {
  readonly bus = new Bus();
  readonly disk: SimulatedDisk;
  readonly memory: SimulatedDisk;
  readonly clock: VirtualClock;
  readonly audited: AuditEvent[] = [];
  readonly logged: string[] = [];
  readonly settings: AccessSettings = { idleMinutes: 30, sessionHours: 12, secondFactor: "nobody" };
  readonly access: AccessService;

  constructor({ disk, memory, clock, hashCost = CHEAP, boot = "boot-1" }: BoxOptions = {}) {
    this.disk = disk ?? new SimulatedDisk();
    this.memory = memory ?? new SimulatedDisk();
    this.clock = clock ?? new VirtualClock();
    this.bus.on("log", ({ message }) => this.logged.push(message));
    this.access = new AccessService({
      ...{ folder: "/data", runtimeFolder: join(tmpdir(), "run"), bus: this.bus, hashCost, boot },
      ...{ files: this.disk, runtimeFiles: this.memory, clock: this.clock, now: () => this.now() },
      settings: () => this.settings,
      localNetworks: () => ["192.168.1.0/24", "2001:db8:1::/64"],
      boxName: () => "Rack 7 North",
      audit: { record: (event) => this.audited.push(event) },
    });
  }

  static async start(options?: BoxOptions): Promise<AccessBox> {
    const box = new AccessBox(options);
    await box.access.start();
    return box;
  }

  /** A box with the admin `admin`, whose password is PASSWORD. */
  static async ready(options?: BoxOptions): Promise<AccessBox> {
    const box = await AccessBox.start(options);
    await box.setUp();
    return box;
  }

  /** The same box after its supervisor was started again, or the whole of it. */
  async restarted(options: BoxOptions = {}): Promise<AccessBox> {
    await this.access.stop();
    const { disk, memory, clock } = this;
    return await AccessBox.start({ disk, memory, clock, ...options });
  }

  now(): Date {
    return new Date(START + this.clock.now());
  }

  async setUp(password = PASSWORD): Promise<LoggedIn> {
    const first = loggedIn(await this.access.logIn({ user: "admin", password: "admin", address: NEAR }));
    const result = await this.access.setUp(first.principal, password);
    if (!result.ok) throw new Error(`set-up: ${result.reason}`);
    return result;
  }

  async logIn(user = "admin", more: Partial<LoginRequest> = {}): Promise<LoggedIn> {
    return loggedIn(await this.access.logIn({ user, password: PASSWORD, address: NEAR, ...more }));
  }

  /** What became of a try to log in. */
  async tryLogIn(more: Partial<LoginRequest>): Promise<string> {
    const result = await this.access.logIn({ user: "admin", password: PASSWORD, address: NEAR, ...more });
    return result.ok ? "in" : result.reason;
  }

  /** Who a session cookie is of. */
  who(cookie: string, address = NEAR): Principal | undefined {
    return this.access.identify({ cookie, address });
  }

  async add(name: string, role: "viewer" | "operator" | "admin"): Promise<void> {
    const result = await this.access.users.add({ name, role, password: PASSWORD });
    if (!result.ok) throw new Error(`user: ${result.reason}`);
  }

  /** Gives a user who is logged in a second factor. */
  async enrol(principal: Principal): Promise<{ secret: string; recoveryCodes: string[] }> {
    const begun = await this.access.account.beginTotp(principal, PASSWORD);
    if (!begun.ok) throw new Error(begun.reason);
    const active = await this.access.account.activateTotp(principal, this.code(begun.secret));
    if (!active.ok) throw new Error(active.reason);
    return { secret: begun.secret, recoveryCodes: active.recoveryCodes };
  }

  /** What an authenticator app shows, so many steps from now. */
  code(secret: string, steps = 0): string {
    return new TOTP({ secret }).generate({ timestamp: this.now().getTime() + steps * 30_000 });
  }

  stored(): string {
    return new TextDecoder().decode(this.disk.contentOf("access.json"));
  }
}

export function loggedIn(result: LoggedIn | { ok: false; reason: string }): LoggedIn {
  if (!result.ok) throw new Error(`not logged in: ${result.reason}`);
  return result;
}
