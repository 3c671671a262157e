/** The services that look after the box: who may do what, network, time, power, logs and backups. */
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { AccessService } from "./access/access.ts";
import { AuditLog } from "./access/audit/log.ts";
import { TlsBackupPart } from "./access/tls/backupPart.ts";
import { TlsService } from "./access/tls/service.ts";
import { type DiagnosticsSources, diagnosticsParts } from "./api/diagnosticsParts.ts";
import type { Route } from "./api/route.ts";
import { auditRoutes } from "./api/routes/audit.ts";
import { backupRoutes } from "./api/routes/backups.ts";
import { firmwareRoutes } from "./api/routes/firmware.ts";
import { logRoutes } from "./api/routes/logs.ts";
import { networkRoutes } from "./api/routes/network.ts";
import { powerRoutes } from "./api/routes/power.ts";
import { presetRoutes } from "./api/routes/presets.ts";
import { timeRoutes } from "./api/routes/time.ts";
import { tlsRoutes } from "./api/routes/tls.ts";
import { systemClock } from "./board/ports.ts";
import type { Bus, Events } from "./bus.ts";
import { ConfigParts } from "./config/backup/configParts.ts";
import { keeperOf } from "./config/backup/part.ts";
import { BackupService } from "./config/backup/service.ts";
import type { ConfigService } from "./config/store.ts";
import { DailyBackups } from "./system/backup/daily.ts";
import { commandRunner } from "./system/command.ts";
import { Diagnostics } from "./system/diagnostics/diagnostics.ts";
import { machineParts } from "./system/diagnostics/machineParts.ts";
import type { Fault } from "./system/fault.ts";
import { Journal } from "./system/logs/journal.ts";
import { LogService } from "./system/logs/logService.ts";
import { MediaLogs } from "./system/logs/mediaLogs.ts";
import { configSecrets, type Redact, redactor } from "./system/logs/redactor.ts";
import { DryAdapter } from "./system/network/dryAdapter.ts";
import { managementServices } from "./system/network/firewall.ts";
import { NetworkdAdapter } from "./system/network/networkdAdapter.ts";
import { NetworkService } from "./system/network/service.ts";
import { DryPower, SystemdPower } from "./system/power/adapters.ts";
import { PowerService, type ResetResult } from "./system/power/powerService.ts";
import { DrySsh, SystemdSsh } from "./system/ssh/adapters.ts";
import { SshService, sshServices } from "./system/ssh/service.ts";
import { DryTime, Timesyncd } from "./system/time/adapters.ts";
import { TimeService } from "./system/time/timeService.ts";
import { RaucSlots } from "./update/rauc/raucSlots.ts";
import { UpdateService } from "./update/service.ts";
import { VirtualSlots } from "./update/virtualSlots.ts";

export interface AdministrationOptions {
  config: ConfigService;
  bus: Bus;
  /** Of the data partition. */
  data: string;
  /** In memory. */
  runtime: string;
  /** Of this firmware. */
  version: string;
  /** Whether network, SSH, clock and power of this machine are the box's to set: on the box itself, never on a PC. */
  owns: boolean;
  /** Where web page and API are, while they are. */
  web(): { http: number | undefined; https: number | undefined; localOnly: boolean } | undefined;
  /** Stops what must be stopped in order before the machine goes down. */
  prepare(reason: string): Promise<void>;
  /** Takes that back, when the machine does not go down after all. */
  resume(): Promise<void>;
  /** Puts everything back to what a new box has: on a PC, whose files are not all the box's to wipe. */
  reset(options: { keepNetwork: boolean }): Promise<ResetResult>;
  /** Of a box on a PC: starts it again, with the firmware slots switched. */
  restart(reason: string): void;
  /** Of those whose firmware is taken, on a PC. */
  keyring: string;
}

/** Where the system of the box mounts USB sticks. */
const USB_FOLDER = "/run/media/steadycast";

export class Administration {
  readonly audit: AuditLog;
  readonly access: AccessService;
  readonly tls: TlsService;
  readonly network: NetworkService;
  readonly time: TimeService;
  readonly power: PowerService;
  readonly ssh: SshService;
  readonly logs: LogService;
  readonly backups: BackupService;
  readonly daily: DailyBackups;
  readonly update: UpdateService;
  readonly #run = commandRunner();
  readonly #bus: Bus;
  #unlisten = () => {};
  readonly #redact: Redact;

  constructor({ config, bus, data, runtime, owns, web, ...options }: AdministrationOptions) {
    const run = this.#run;
    const redact = redactor(configSecrets(() => (config.isRunning ? config.current : undefined)));
    this.#redact = redact;
    this.#bus = bus;
    this.audit = new AuditLog({ folder: join(data, "audit"), bus, clock: systemClock });
    this.access = new AccessService({
      ...{ folder: data, runtimeFolder: runtime, bus, audit: this.audit, localNetworks },
      settings: () => config.current.access,
      boxName: () => config.current.box.name,
    });
    this.tls = new TlsService({ folder: join(data, "tls"), bus, clock: systemClock, run });
    this.network = new NetworkService({
      ...{ config, bus, adapter: owns ? new NetworkdAdapter() : new DryAdapter() },
      services: (settings) => {
        const { http, https } = web() ?? {};
        const pages = https === undefined ? [] : managementServices({ https, http });
        return [...pages, ...sshServices(settings)];
      },
      web: () => {
        const { http, https, localOnly = true } = web() ?? {};
        if (https !== undefined) return { scheme: "https", port: https, localOnly };
        return http === undefined ? undefined : { scheme: "http", port: http, localOnly: true };
      },
    });
    this.time = new TimeService({ config, bus, adapter: owns ? new Timesyncd(run) : new DryTime(run) });
    this.power = new PowerService({
      ...{ config, bus, folder: data, adapter: owns ? new SystemdPower(run, runtime) : new DryPower() },
      ...{ prepare: options.prepare, resume: options.resume },
      ...(owns ? {} : { reset: options.reset }),
      busy: () => (this.update.status().work?.what === "install" ? "Firmware is being written: wait for its end" : ""),
    });
    this.update = new UpdateService({
      ...{ bus, folder: data, usb: process.env.STEADYCAST_USB ?? USB_FOLDER },
      slots: owns
        ? new RaucSlots({ run, restart: (reason) => this.power.order("reboot", reason) })
        : new VirtualSlots({
            ...{ folder: data, run, version: options.version, keyring: options.keyring, restart: options.restart },
            report: ({ file, what, action }) =>
              bus.emit("log", { level: "warning", source: "firmware", message: `${file} ${what}: ${action}` }),
          }),
    });
    this.ssh = new SshService({ config, bus, adapter: owns ? new SystemdSsh(run, runtime) : new DrySsh() });
    this.backups = new BackupService({
      ...{ folder: data, bus, firmware: options.version },
      box: () => config.current.box.name,
      keepers: [new ConfigParts(config), keeperOf(this.access.backup), keeperOf(new TlsBackupPart(this.tls))],
    });
    this.daily = new DailyBackups({ folder: data, bus, config, backups: this.backups });
    this.logs = new LogService({
      ...{ folder: join(data, "logs"), bus, redact },
      sources: [new MediaLogs(runtime), ...(owns ? [new Journal(run)] : [])],
    });
  }

  /** What keeps the log, so that it has all that comes after. */
  async startLogs(): Promise<void> {
    await this.logs.start();
  }

  /** To be started once there is a configuration. */
  async start(): Promise<void> {
    await this.audit.start();
    this.#unlisten = this.#bus.on("trial", (trial) => this.#recordTrial(trial));
    await this.access.start();
    await this.tls.start();
    // Everything that keeps parts is there; nothing lives by them yet.
    await this.backups.start();
    await this.power.start();
    await this.update.start();
    await this.daily.start();
    this.time.start();
    this.ssh.start();
  }

  /** To be called when the web server listens: the firewall lets in what there is. */
  async startNetwork(): Promise<void> {
    await this.network.start();
  }

  /** Ends what lives by the configuration. */
  async stop(): Promise<void> {
    await this.ssh.stop();
    await this.time.stop();
    await this.daily.stop();
    await this.update.stop();
    await this.power.stop();
    await this.backups.stop();
    await this.tls.stop();
    await this.access.stop();
  }

  /** To be called when the configuration has stopped: it may have taken a change of the network back. */
  async stopLast(): Promise<void> {
    this.#unlisten();
    await this.network.stop();
    await this.audit.stop();
    await this.logs.stop();
  }

  /** What people decide is recorded with who they are; this is what the box does by itself. */
  #recordTrial({ revision, state, author }: Events["trial"]): void {
    if (state !== "expired" && state !== "stopped") return;
    const why = state === "expired" ? "nobody confirmed it in time" : "the supervisor stopped before it was confirmed";
    this.audit.record({
      who: { name: "box", role: "admin", via: "local", address: "" },
      ...{ what: "revertConfig", target: `revision ${revision}`, result: "done" },
      detail: author === null ? why : `${why}; it was made by ${author}`,
    });
  }

  faults(): Fault[] {
    const { time, power, ssh, logs, update } = this;
    return [time, power, ssh, logs, update].flatMap((service) => service.faults());
  }

  routes(sources: Pick<DiagnosticsSources, "version" | "config" | "channels" | "board">): Route[] {
    const { logs, network, time, power, ssh } = this;
    const diagnostics = new Diagnostics({
      redact: this.#redact,
      parts: [
        ...diagnosticsParts({ ...sources, logs, network, time, power, ssh }),
        ...machineParts({ run: this.#run }),
      ],
    });
    return [
      ...auditRoutes(this.audit),
      ...tlsRoutes(this.tls),
      ...networkRoutes(this.network),
      ...timeRoutes(this.time),
      ...backupRoutes(this.backups, this.daily),
      ...presetRoutes(sources.config),
      ...powerRoutes(this.power, this.access),
      ...firmwareRoutes(this.update),
      ...logRoutes(this.logs, diagnostics),
    ];
  }
}

/** The networks that this machine is in, such as `192.168.1.7/24`. */
function localNetworks(): string[] {
  return Object.values(networkInterfaces()).flatMap((list = []) => list.flatMap(({ cidr }) => cidr ?? []));
}
