/** Unpacks a bundle with the system's tar, as whoever gets one does. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Contents by name, without the bundle's own folder; and the name of that. */
export function untar(archive: Uint8Array): { folder: string; files: Map<string, Buffer> } {
  const place = mkdtempSync(join(tmpdir(), "steadycast-untar-"));
  try {
    writeFileSync(join(place, "x.tar.gz"), archive);
    execFileSync("tar", ["-xzf", "x.tar.gz"], { cwd: place });
    const [folder = ""] = readdirSync(place).filter((name) => name !== "x.tar.gz");
    const names = readdirSync(join(place, folder), { recursive: true, encoding: "utf8" });
    const paths = names.filter((name) => statSync(join(place, folder, name)).isFile());
    return { folder, files: new Map(paths.map((name) => [name, readFileSync(join(place, folder, name))])) };
  } finally {
    rmSync(place, { recursive: true });
  }
}
