/**
 * Removes the shared libraries of a root file system that nothing needs, neither in it nor in folders that come beside it.
 * Usage: sweep.ts ROOT [FOLDER…]
 */
import { execFileSync } from "node:child_process";
import { closeSync, existsSync, lstatSync, openSync, readdirSync, readSync, realpathSync, rmSync } from "node:fs";
import { basename, join } from "node:path";

const [root = "", ...beside] = process.argv.slice(2);
const libraries = join(root, "usr/lib/aarch64-linux-gnu");
/** They are loaded by name at run time. */
const BY_NAME =
  /^(ld-linux|libnss_|libc\.|libgcc_s|libcryptsetup|libkmod|libip4tc|libpam|libseccomp|libtss2|libidn2|libpwquality|libbpf|libqrencode)/;

function isElf(path: string): boolean {
  const start = Buffer.alloc(4);
  const file = openSync(path, "r");
  readSync(file, start, 0, 4, 0);
  closeSync(file);
  return start.equals(Buffer.from("\x7fELF"));
}

function* files(folder: string): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* files(path);
    else if (entry.isFile() && isElf(path)) yield path;
  }
}

/** What each of these files asks for. */
function needed(paths: readonly string[]): Map<string, string[]> {
  const text = execFileSync("aarch64-linux-gnu-readelf", ["-d", ...paths], { encoding: "utf8", maxBuffer: 1 << 28 });
  const result = new Map<string, string[]>();
  let names: string[] = [];
  if (paths.length === 1) result.set(paths[0] ?? "", names);
  for (const line of text.split("\n")) {
    const file = /^File: (.*)$/.exec(line)?.[1];
    if (file !== undefined) {
      names = [];
      result.set(file, names);
    }
    const name = /\(NEEDED\).*\[(.*)\]/.exec(line)?.[1];
    if (name !== undefined) names.push(name);
  }
  return result;
}

const all = [...files(join(root, "usr"))];
const others = beside.flatMap((folder) => [...files(folder)]);
const wants = needed([...all, ...others]);
const isLibrary = (path: string) =>
  path.startsWith(libraries) &&
  /\.so(\.|$)/.test(path) &&
  !/\/(gstreamer-1\.0|security|systemd|engines-3|ossl-modules)\//.test(path);
const byName = new Map<string, string>();
for (const folder of ["", "lapack", "blas", "pulseaudio", "systemd"].map((name) => join(libraries, name))) {
  if (!existsSync(folder)) continue;
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (!existsSync(path) || !/\.so/.test(name)) continue;
    if (lstatSync(path).isDirectory()) continue;
    const real = realpathSync(path);
    if (!byName.has(name)) byName.set(name, real);
  }
}
const kept = new Set<string>();
const waiting = [...others, ...all.filter((path) => !isLibrary(path) || BY_NAME.test(basename(path)))];
for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
  if (kept.has(path)) continue;
  kept.add(path);
  for (const name of wants.get(path) ?? []) {
    const library = byName.get(name);
    if (library !== undefined) waiting.push(library);
  }
}
let freed = 0;
for (const path of all.filter((one) => isLibrary(one) && !kept.has(one))) {
  freed += lstatSync(path).size;
  rmSync(path);
  console.log(`not needed: ${path.slice(root.length)}`);
}
// Links to what is gone.
for (const [name] of byName) {
  const path = join(libraries, name);
  if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() && !existsSync(path)) rmSync(path);
}
console.log(`${(freed / 1e6).toFixed(0)} MB of libraries that nothing needs`);
