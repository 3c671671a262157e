/** A configuration service for tests, and what it told. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { Bus } from "../../../src/bus.ts";
import type { FilePort } from "../../../src/config/files.ts";
import { defaultConfig } from "../../../src/config/schema.ts";
import { ConfigService } from "../../../src/config/store.ts";
import type { Timers } from "../../../src/config/timers.ts";

export async function started(folder: string, files?: FilePort, timers?: Timers): Promise<ConfigService> {
  const service = make(folder, new Bus(), files, timers);
  await service.start();
  return service;
}

export function make(folder: string, bus: Bus, files?: FilePort, timers?: Timers): ConfigService {
  return new ConfigService({
    ...{ folder, bus, initial: defaultConfig },
    ...(files === undefined ? {} : { files }),
    ...(timers === undefined ? {} : { timers }),
  });
}

/** A folder that goes away with the test. */
export function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "steadycast-config-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** The default configuration with another name for the box. */
export function named(name: string) {
  return { ...defaultConfig(), box: { name } };
}
