/** Bundles on USB sticks, which the system mounts read-only below one folder. */
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { UsbBundle } from "../status.ts";

const MAX_BUNDLES = 50;

/** Those in the first folder of each stick, by stick and name. Never rejects: a stick that is pulled has nothing. */
export async function usbBundles(root: string): Promise<UsbBundle[]> {
  const found: UsbBundle[] = [];
  for (const stick of await namesIn(root)) {
    for (const file of (await namesIn(join(root, stick))).filter((name) => /^[^.].*\.raucb$/i.test(name))) {
      const info = await stat(join(root, stick, file)).catch(() => undefined);
      if (info?.isFile() !== true || found.length >= MAX_BUNDLES) continue;
      found.push({ id: Buffer.from(`${stick}/${file}`).toString("base64url"), stick, file, size: info.size });
    }
  }
  return found;
}

async function namesIn(folder: string): Promise<string[]> {
  return (await readdir(folder).catch((): string[] => [])).sort();
}
