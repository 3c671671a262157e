/** A box with a configuration full of secrets and with users, on a disk that can lose power. */
import { isDeepStrictEqual } from "node:util";
import { Bus } from "../../../../src/bus.ts";
import { ConfigParts } from "../../../../src/config/backup/configParts.ts";
import { type BackupPart, keeperOf, type PartContent } from "../../../../src/config/backup/part.ts";
import { BackupService } from "../../../../src/config/backup/service.ts";
import { DurableJsonFile } from "../../../../src/config/durableFile.ts";
import { isObject } from "../../../../src/config/json.ts";
import { type Config, defaultConfig, config as schema } from "../../../../src/config/schema.ts";
import type { ConfigService } from "../../../../src/config/store.ts";
import { SimulatedDisk } from "../../support/disk.ts";
import { make } from "../../support/service.ts";

export const PASSPHRASE = "correct horse battery";

/** Every secret of `fullConfig` and `fullUsers`. */
export const SECRETS = [
  ...["srt-secret-passphrase-1", "second-srt-secret-42", "sftp-secret-word", "backup-secret-phrase", "73915046"],
  ...["$argon2id$hash-of-anna", "$argon2id$hash-of-bert", "TOTPSECRETANNA"],
];

export function fullConfig(): Config {
  const [first] = defaultConfig().channels;
  return schema.parse({
    ...defaultConfig("eth0"),
    box: { name: "Rack 7" },
    inputs: [{ connector: "hdmi1", name: "Lobby camera" }],
    panel: { language: "de", pin: "73915046" },
    time: { zone: "Europe/Berlin" },
    ssh: {
      enabled: true,
      keys: ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDCrcDWPPQCHWDqjPIBUlG0XnIJLnKNzDrLAcM3S2Wx8 Anna"],
    },
    backup: {
      passphrase: "backup-secret-phrase",
      target: { type: "sftp", host: "nas.example", user: "box", password: "sftp-secret-word" },
    },
    presets: [{ id: "own", name: "Own", video: { bitrate: 5000 }, audio: [{}], transport: { bitrate: 7000 } }],
    channels: [
      {
        ...first,
        outputs: [
          { type: "udp", id: "main", address: "239.10.0.1", port: 1234 },
          { type: "srt", id: "away", address: "peer.example", port: 9000, passphrase: "srt-secret-passphrase-1" },
        ],
      },
      { id: "ch2", name: "Two", outputs: [{ type: "srt", id: "b", port: 9001, passphrase: "second-srt-secret-42" }] },
    ],
  });
}

export interface User {
  name: string;
  role: string;
  hash: string;
  totp?: string;
}

export const fullUsers: User[] = [
  { name: "anna", role: "admin", hash: "$argon2id$hash-of-anna", totp: "TOTPSECRETANNA" },
  { name: "bert", role: "viewer", hash: "$argon2id$hash-of-bert" },
];

type Open = { name: string; role: string }[];

/** Users as the access service keeps them: names and roles are open, all else is secret. */
export class Users implements BackupPart {
  readonly name = "users";
  readonly #file: DurableJsonFile<{ users: User[] }>;
  #users: User[] = [];
  #revision = 0;

  /** @param isOpen keeps no secret, so that tests need not wait for encryption. */
  constructor(
    disk: SimulatedDisk,
    readonly isOpen = false,
  ) {
    const check = (document: unknown) => ({ ok: true as const, document: document as { users: User[] } });
    this.#file = new DurableJsonFile({ folder: "/data", name: "users", check, report: () => {}, files: disk });
  }

  async start(): Promise<void> {
    const stored = await this.#file.read();
    this.#users = stored?.document.users ?? [];
    this.#revision = stored?.revision ?? 0;
  }

  get list(): User[] {
    return this.#users;
  }

  async replace(users: User[]): Promise<void> {
    const revision = this.#revision + 1;
    await this.#file.write({ revision, saved: "", document: { users } });
    this.#users = users;
    this.#revision = revision;
  }

  export(): PartContent {
    if (this.isOpen) return { open: this.#users };
    const open = this.#users.map(({ name, role }) => ({ name, role }));
    const secret = Object.fromEntries(this.#users.map(({ name, role: _, ...rest }) => [name, rest]));
    return { open, secret };
  }

  check({ open, secret }: PartContent) {
    const right = Array.isArray(open) && open.every((user) => isObject(user) && typeof user.name === "string");
    if (!right) return [{ pointer: "", message: "must be a list of users" }];
    return secret === undefined || isObject(secret) ? [] : [{ pointer: "", message: "has secrets that make no sense" }];
  }

  async apply({ open, secret }: PartContent): Promise<void> {
    if (this.isOpen) return await this.#change(open as User[]);
    if (secret === undefined) return;
    const secrets = secret as Record<string, Omit<User, "name" | "role">>;
    const users = (open as Open).map((user) => ({ ...user, ...(secrets[user.name] as User) }));
    await this.#change(users);
  }

  async #change(users: User[]): Promise<void> {
    if (!isDeepStrictEqual(users, this.#users)) await this.replace(users);
  }

  notes({ secret }: PartContent): string[] {
    return secret === undefined ? ["without the passphrase, the users that are there stay"] : [];
  }
}

export class Box {
  readonly bus = new Bus();
  readonly logged: string[] = [];
  readonly config: ConfigService;
  readonly users: Users;
  readonly backups: BackupService;

  constructor(
    readonly disk = new SimulatedDisk(),
    { openUsers = false } = {},
  ) {
    this.bus.on("log", ({ message }) => this.logged.push(message));
    this.config = make("/data", this.bus, disk);
    this.users = new Users(disk, openUsers);
    this.backups = new BackupService({
      folder: "/data",
      bus: this.bus,
      keepers: [new ConfigParts(this.config), keeperOf(this.users)],
      box: () => this.config.current.box.name,
      firmware: "1.2.3",
      files: disk,
      now: () => new Date("2026-03-01T02:30:00.000Z"),
    });
  }

  static async start(disk?: SimulatedDisk, options?: ConstructorParameters<typeof Box>[1]): Promise<Box> {
    const box = new Box(disk, options);
    await box.config.start();
    await box.users.start();
    await box.backups.start();
    return box;
  }

  static async full(disk?: SimulatedDisk): Promise<Box> {
    const box = await Box.start(disk);
    await box.config.replace(fullConfig());
    await box.users.replace(fullUsers);
    return box;
  }

  /** All that makes this box this box, secrets too. */
  get everything() {
    return { config: this.config.current, users: this.users.list };
  }

  async stop(): Promise<void> {
    await this.backups.stop();
    await this.config.stop();
  }
}
