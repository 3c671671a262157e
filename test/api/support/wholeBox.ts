/** A box with every service that has routes: real ones, on disks, clocks and machines that are models. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { Route } from "../../../src/api/route.ts";
import { auditRoutes } from "../../../src/api/routes/audit.ts";
import { backupRoutes } from "../../../src/api/routes/backups.ts";
import { firmwareRoutes } from "../../../src/api/routes/firmware.ts";
import { logRoutes } from "../../../src/api/routes/logs.ts";
import { networkRoutes } from "../../../src/api/routes/network.ts";
import { powerRoutes } from "../../../src/api/routes/power.ts";
import { presetRoutes } from "../../../src/api/routes/presets.ts";
import { timeRoutes } from "../../../src/api/routes/time.ts";
import { tlsRoutes } from "../../../src/api/routes/tls.ts";
import { Bus } from "../../../src/bus.ts";
import { ConfigParts } from "../../../src/config/backup/configParts.ts";
import { keeperOf } from "../../../src/config/backup/part.ts";
import { BackupService } from "../../../src/config/backup/service.ts";
import { defaultConfig } from "../../../src/config/schema.ts";
import type { ConfigService } from "../../../src/config/store.ts";
import { DailyBackups } from "../../../src/system/backup/daily.ts";
import { commandRunner } from "../../../src/system/command.ts";
import { Diagnostics } from "../../../src/system/diagnostics/diagnostics.ts";
import { LogService } from "../../../src/system/logs/logService.ts";
import { NetworkService } from "../../../src/system/network/service.ts";
import { DryPower } from "../../../src/system/power/adapters.ts";
import { PowerService } from "../../../src/system/power/powerService.ts";
import { DryTime } from "../../../src/system/time/adapters.ts";
import { TimeService } from "../../../src/system/time/timeService.ts";
import { UpdateService } from "../../../src/update/service.ts";
import { VirtualSlots } from "../../../src/update/virtualSlots.ts";
import { Bench as AuditBench } from "../../access/audit/support.ts";
import { AccessBox } from "../../access/support/box.ts";
import { TlsBench } from "../../access/tls/support.ts";
import { SimulatedDisk } from "../../config/support/disk.ts";
import { make } from "../../config/support/service.ts";
import { VirtualClock } from "../../support/virtualClock.ts";
import { FakeAdapter, link } from "../../system/network/support/fakeAdapter.ts";
import { startBoard } from "./board.ts";
import { Box } from "./box.ts";

export interface WholeBox {
  box: Box;
  people: AccessBox;
}

/** Logs, network, time and power. */
async function startSystem(t: TestContext, people: AccessBox): Promise<Route[]> {
  const bus = new Bus();
  const clock = new VirtualClock();
  const config = { current: defaultConfig() };
  const adapter = new FakeAdapter();
  adapter.links = [link("eth0", {})];
  const network = new NetworkService({
    ...{ config, bus, adapter, services: () => [] },
    web: () => ({ scheme: "https", port: 8443, localOnly: false }),
  });
  const time = new TimeService({ config, bus, clock, adapter: new DryTime(commandRunner()) });
  const power = new PowerService({
    ...{ config, bus, clock, folder: "/data", files: new SimulatedDisk(), adapter: new DryPower() },
    prepare: async () => {},
    reset: async () => "done",
  });
  const folder = mkdtempSync(join(tmpdir(), "steadycast-logs-"));
  const redact = (text: string) => text;
  const logs = new LogService({ folder, bus, redact, clock });
  await logs.start();
  await network.start();
  await power.start();
  time.start();
  t.after(async () => {
    for (const service of [time, power, network, logs]) await service.stop();
    rmSync(folder, { recursive: true });
  });
  const diagnostics = new Diagnostics({ parts: [{ name: "a.txt", content: async () => "text" }], redact });
  return [
    ...networkRoutes(network),
    ...timeRoutes(time),
    ...powerRoutes(power, people.access),
    ...logRoutes(logs, diagnostics),
  ];
}

/** Backups of configuration and users, and presets. */
async function startBackups(t: TestContext, config: ConfigService, bus: Bus, people: AccessBox): Promise<Route[]> {
  const files = new SimulatedDisk();
  const now = () => people.now();
  const keepers = [new ConfigParts(config), keeperOf(people.access.backup)];
  const backups = new BackupService({
    ...{ folder: "/data", bus, keepers, firmware: "1.2.3", files, now },
    box: () => config.current.box.name,
  });
  const daily = new DailyBackups({
    ...{ folder: "/data", bus, config, backups, files, now, clock: new VirtualClock() },
    send: async () => ({ ok: true }),
  });
  await daily.start();
  t.after(() => daily.stop());
  return [...backupRoutes(backups, daily), ...presetRoutes(config)];
}

/** Firmware, with slots that take nothing. */
async function startFirmware(t: TestContext): Promise<Route[]> {
  const folder = mkdtempSync(join(tmpdir(), "steadycast-firmware-"));
  const slots = new VirtualSlots({
    ...{ folder, run: commandRunner(), version: "1.2.3", keyring: join(folder, "none.pem"), restart: () => {} },
    report: () => {},
  });
  const update = new UpdateService({ slots, bus: new Bus(), folder, usb: folder });
  await update.start();
  t.after(async () => {
    await update.stop();
    rmSync(folder, { recursive: true });
  });
  return firmwareRoutes(update);
}

/** With the admin of an AccessBox. */
export async function startWholeBox(t: TestContext): Promise<WholeBox> {
  const people = await AccessBox.ready();
  const { board } = await startBoard(t);
  const audit = (await AuditBench.start()).log;
  const tls = (await TlsBench.start()).service;
  const bus = new Bus();
  const config = make("/data", bus, new SimulatedDisk());
  await config.start();
  const routes = [
    ...[...auditRoutes(audit), ...tlsRoutes(tls)],
    ...(await startSystem(t, people)),
    ...(await startFirmware(t)),
    ...(await startBackups(t, config, bus, people)),
  ];
  const box = new Box({ access: people.access, audit, board, bus, config, routes });
  await box.server.start();
  t.after(async () => {
    await box.server.stop();
    await box.config.stop();
    rmSync(box.folder, { recursive: true });
  });
  return { box, people };
}
