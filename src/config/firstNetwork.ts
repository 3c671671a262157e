/**
 * The network that a reset to factory settings has kept: a file in the data folder that is otherwise empty, for the first
 * configuration to begin with. On the box the wipe before the mount lays it there, elsewhere the supervisor.
 */
import { join } from "node:path";
import { replaceFile } from "./atomicFile.ts";
import { type FilePort, files as realFiles } from "./files.ts";
import { type NetworkConfig, network as schema } from "./schema.ts";

const FILE = "first-network.json";

export async function keepNetwork(folder: string, network: NetworkConfig, files: FilePort = realFiles): Promise<void> {
  await files.makeFolder(folder);
  await replaceFile(files, folder, FILE, "first-network", Buffer.from(JSON.stringify(network)));
}

/** Undefined when none was kept, or it cannot be used: then `report` is told why. */
export async function keptNetwork(
  folder: string,
  report: (what: string) => void,
  files: FilePort = realFiles,
): Promise<NetworkConfig | undefined> {
  try {
    const text = Buffer.from(await files.read(join(folder, FILE))).toString("utf8");
    return schema.parse(JSON.parse(text));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT")
      report(`the network that was kept cannot be used: ${error}`);
    return undefined;
  }
}

/** To be called when the configuration that began with it is stored. */
export async function forgetKeptNetwork(folder: string, files: FilePort = realFiles): Promise<void> {
  await files.remove(join(folder, FILE)).catch(() => undefined);
}
