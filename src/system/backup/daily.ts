/**
 * Daily backups: on the box, and sent to a server. One that was due while the box was off is made at its start. What fails is
 * logged and tried again, at first after a minute, then less and less often down to once an hour.
 */
import { join } from "node:path";
import { type Clock, systemClock } from "../../board/ports.ts";
import type { Bus } from "../../bus.ts";
import type { BackupService } from "../../config/backup/service.ts";
import type { FilePort } from "../../config/files.ts";
import type { BackupTarget, Config } from "../../config/schema.ts";
import { BackupFolder, type KeptBackup } from "./folder.ts";
import { type BackupState, StateFile } from "./state.ts";
import { send as realSend, serverOf } from "./target.ts";
import { around } from "./timeOfDay.ts";

export interface DailyBackupsOptions {
  /** Of the data partition; holds `backups/` and `backup-state.json`. */
  folder: string;
  bus: Bus;
  config: { readonly current: Config };
  backups: Pick<BackupService, "export">;
  clock?: Clock;
  now?(): Date;
  files?: FilePort;
  send?: typeof realSend;
}

export interface BackupStatus {
  /** When the next daily backup is due, ISO 8601; null: never. */
  nextRun: string | null;
  /** The last one that was made, daily or by hand. */
  made: BackupState["made"];
  /** Why the last one could not be made; null when it could. */
  failure: BackupState["failure"];
  /** Null when backups stay on the box. */
  target: {
    type: "sftp" | "http";
    server: string;
    sent: BackupState["sent"];
    failure: BackupState["sendFailure"];
    nextTry: string | null;
    /** Fingerprint that an SFTP server must have; null: that of the first connection will be kept. */
    hostKey: string | null;
  } | null;
}

export type MakeResult = { ok: true; backup: KeptBackup } | { ok: false; reason: string };

/** How often it looks whether something is due, ms: the clock on the wall may jump. */
const TICK_MS = 30_000;
const FIRST_RETRY_MS = 60_000;
const LAST_RETRY_MS = 3_600_000;

/** When to try again what has failed. */
class Retry {
  #failures = 0;
  #at = 0;

  isDue(now: number): boolean {
    return now >= this.#at;
  }

  /** Until the next try, ms; null: nothing has failed. */
  remaining(now: number): number | null {
    return this.#failures === 0 ? null : Math.max(0, this.#at - now);
  }

  failed(now: number): void {
    this.#at = now + Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** this.#failures);
    this.#failures++;
  }

  reset(): void {
    this.#failures = 0;
    this.#at = 0;
  }
}

export class DailyBackups {
  readonly #bus: Bus;
  readonly #config: { readonly current: Config };
  readonly #backups: Pick<BackupService, "export">;
  readonly #clock: Clock;
  readonly #now: () => Date;
  readonly #send: typeof realSend;
  readonly #folder: BackupFolder;
  readonly #state: StateFile;
  readonly #making = new Retry();
  readonly #sending = new Retry();
  #queue: Promise<unknown> = Promise.resolve();
  #delivery: Promise<void> = Promise.resolve();
  #cancel = (): void => {};
  #unlisten = (): void => {};
  #abort = new AbortController();
  #target = "";

  constructor({ folder, bus, config, backups, clock, now, files, send }: DailyBackupsOptions) {
    this.#bus = bus;
    this.#config = config;
    this.#backups = backups;
    this.#clock = clock ?? systemClock;
    this.#now = now ?? (() => new Date());
    this.#send = send ?? realSend;
    this.#folder = new BackupFolder(join(folder, "backups"), files);
    const report = ({ file, what, action }: { file: string; what: string; action: string }): void =>
      this.#log("warning", `${file} ${what}: ${action}`);
    this.#state = new StateFile(folder, this.#now, report, files);
  }

  /** Never rejects: a disk that cannot be used is logged. */
  async start(): Promise<void> {
    this.#abort = new AbortController();
    await this.#state.start();
    await this.#folder.start().catch((error: unknown) => {
      this.#log("error", `the folder of the backups cannot be used: ${inWords(error)}`);
    });
    // A new box has nothing to catch up with.
    if (this.#state.current.done === null) await this.#keep({ done: this.#now().toISOString() });
    this.#target = JSON.stringify(this.#config.current.backup.target);
    this.#unlisten = this.#bus.on("config", () => this.#retarget());
    this.#tick();
  }

  /** Ends what is being sent; waits for what is being written. */
  async stop(): Promise<void> {
    this.#unlisten();
    this.#cancel();
    this.#abort.abort();
    await this.#queue;
    await this.#delivery;
  }

  /** Those on the box, newest first. */
  list(): KeptBackup[] {
    return this.#folder.list();
  }

  /** The bytes of one; undefined when there is none of this name. */
  read(name: string): Promise<Uint8Array | undefined> {
    return this.#folder.read(name);
  }

  /** False when there is none of this name. */
  remove(name: string): Promise<boolean> {
    return this.#serially(() => this.#folder.remove(name));
  }

  /** Makes one now, as the daily ones are made; it is sent after that. */
  async make(): Promise<MakeResult> {
    const result = await this.#serially(() => this.#make());
    if (result.ok) this.#dispatch();
    return result;
  }

  status(): BackupStatus {
    const { backup, time } = this.#config.current;
    const { target } = backup;
    const { made, failure } = this.#state.current;
    const now = this.#now();
    const nextRun = backup.daily ? around(now, backup.time, time.zone).next.toISOString() : null;
    if (target.type === "none") return { nextRun, made, failure, target: null };
    const known = this.#known(target);
    const remaining = this.#sending.remaining(this.#clock.now());
    return {
      ...{ nextRun, made, failure },
      target: {
        type: target.type,
        server: serverOf(target),
        sent: known.sent,
        failure: known.sendFailure,
        nextTry: remaining === null ? null : new Date(now.getTime() + remaining).toISOString(),
        hostKey: target.type === "sftp" ? target.hostKey || known.hostKey : null,
      },
    };
  }

  /** What is known of the server that is set; another one has nothing to do with it. */
  #known(target: BackupTarget): Pick<BackupState, "sent" | "sendFailure" | "hostKey"> {
    const { server, sent, sendFailure, hostKey } = this.#state.current;
    return server === serverOf(target)
      ? { sent, sendFailure, hostKey }
      : { sent: null, sendFailure: null, hostKey: null };
  }

  #tick(): void {
    this.#serially(() => this.#look())
      .catch((error: unknown) => this.#log("error", inWords(error)))
      .finally(() => {
        if (!this.#abort.signal.aborted) this.#cancel = this.#clock.after(TICK_MS, () => this.#tick());
      });
  }

  async #look(): Promise<void> {
    const { backup, time } = this.#config.current;
    const now = this.#now();
    const { last } = around(now, backup.time, time.zone);
    const done = Date.parse(this.#state.current.done ?? "");
    // A clock that was ahead must not keep the box from making backups until that time comes.
    const isDue = !(done >= last.getTime() && done <= now.getTime());
    if (backup.daily && isDue && this.#making.isDue(this.#clock.now())) await this.#make();
    this.#dispatch();
  }

  /** Sends what is to be sent, beside everything else: a server may take its time. */
  #dispatch(): void {
    this.#delivery = this.#delivery
      .then(() => this.#deliver())
      .catch((error: unknown) => this.#log("error", inWords(error)));
  }

  async #make(): Promise<MakeResult> {
    const { backup: settings, time } = this.#config.current;
    const at = this.#now().toISOString();
    try {
      const exported = await this.#backups.export(
        settings.passphrase === "" ? {} : { passphrase: settings.passphrase },
      );
      if (!exported.ok) throw new Error(exported.errors.map(({ message }) => message).join("; "));
      const kept = await this.#folder.add(exported.backup, time.zone, settings.keep);
      this.#making.reset();
      this.#sending.reset();
      await this.#keep({ done: at, made: { at, name: kept.name }, failure: null });
      this.#log("info", `made the backup ${kept.name}`);
      return { ok: true, backup: kept };
    } catch (error) {
      const reason = inWords(error);
      this.#making.failed(this.#clock.now());
      this.#log("error", `a backup could not be made: ${reason}`);
      await this.#keep({ failure: { at, reason } });
      return { ok: false, reason };
    }
  }

  /** Sends the newest backup, unless it is there already. */
  async #deliver(): Promise<void> {
    const { target } = this.#config.current.backup;
    const [newest] = this.#folder.list();
    if (target.type === "none" || newest === undefined || this.#abort.signal.aborted) return;
    const known = this.#known(target);
    if (known.sent?.name === newest.name || !this.#sending.isDue(this.#clock.now())) return;
    const bytes = await this.#folder.read(newest.name);
    if (bytes === undefined) return;
    const { signal } = this.#abort;
    const parcel = { name: newest.name, bytes };
    const options = { clock: this.#clock, signal };
    const sent = await this.#send(target, parcel, known.hostKey ?? undefined, options).catch((error: unknown) => ({
      ok: false as const,
      reason: inWords(error),
    }));
    if (signal.aborted) return;
    const at = this.#now().toISOString();
    const server = serverOf(target);
    if (!sent.ok) {
      this.#sending.failed(this.#clock.now());
      this.#log("warning", `the backup ${newest.name} could not be sent to ${server}: ${sent.reason}`);
      await this.#keep({ ...known, server, sendFailure: { at, reason: sent.reason } });
      return;
    }
    this.#sending.reset();
    const hostKey = sent.hostKey ?? null;
    if (hostKey !== null && known.hostKey === null)
      this.#log("info", `${server} has the host key ${hostKey}; it is kept`);
    await this.#keep({ server, sent: { at, name: newest.name }, sendFailure: null, hostKey });
    this.#log("info", `sent the backup ${newest.name} to ${server}`);
  }

  /** Another target is tried at once. */
  #retarget(): void {
    const target = JSON.stringify(this.#config.current.backup.target);
    if (target === this.#target) return;
    this.#target = target;
    this.#sending.reset();
    this.#dispatch();
  }

  async #keep(change: Partial<BackupState>): Promise<void> {
    await this.#state.change(change).catch((error: unknown) => {
      this.#log("warning", `the state of the backups ${inWords(error)}`);
    });
  }

  #serially<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(work);
    this.#queue = result.catch(() => undefined);
    return result;
  }

  #log(level: "info" | "warning" | "error", message: string): void {
    this.#bus.emit("log", { level, source: "backup", message });
  }
}

function inWords(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
