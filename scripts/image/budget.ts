/**
 * Tells how large a root file system is, by the components of firmware/disk/components.txt, in MB of blocks of 4 KiB, as
 * JSON: for each its size, its limit where it has one, and whether only Debian brings it.
 * Usage: budget.ts ROOT CONTENTS, where CONTENTS is scripts/image/contents's list of which file is of which package.
 */
import { lstatSync, readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";

interface Component {
  name: string;
  bytes: number;
  /** MB, null: none. */
  limit: number | null;
  /** The bench image has it for Debian's packages alone. */
  onlyDebian: boolean;
}

const BLOCK = 4096;
const [root = "", contents = ""] = process.argv.slice(2);

/** `*` stands for anything, slashes too. */
const pattern = (text: string) => new RegExp(`^${text.replaceAll(/[.+^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*")}$`);

const components: Component[] = [];
const rules: { test: RegExp; component: Component }[] = [];
for (const line of readFileSync("firmware/disk/components.txt", "utf8").split("\n")) {
  if (line === "" || line.startsWith("#")) continue;
  const name = /^\[(.*)\]$/.exec(line)?.[1];
  const component = components.at(-1);
  if (name !== undefined) components.push({ name, bytes: 0, limit: null, onlyDebian: false });
  else if (component === undefined) throw new Error(`firmware/disk/components.txt: ${line} is in no component`);
  else if (line === "only") component.onlyDebian = true;
  else if (line.startsWith("limit ")) component.limit = Number(line.slice(6));
  else rules.push({ test: pattern(line), component });
}

const packages = new Map<string, string>();
for (const line of readFileSync(contents, "utf8").split("\n")) {
  const [name = "", path = ""] = line.split("\t");
  // Debian's packages still name what is in /usr now as if it were not.
  packages.set(path.replace(/^(bin|sbin|lib)\//, "usr/$1/"), name);
}

function* files(folder: string): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* files(path);
    else if (entry.isFile()) yield path;
  }
}

const seen = new Set<number>();
for (const file of files(root)) {
  const { ino, nlink, size } = lstatSync(file);
  if (nlink > 1 && seen.has(ino)) continue;
  seen.add(ino);
  const path = relative(root, file);
  const rule =
    rules.find(({ test }) => test.source.startsWith("^\\/") && test.test(`/${path}`)) ??
    rules.find(({ test }) => test.test(packages.get(path) ?? "of no package"));
  if (rule === undefined) throw new Error(`firmware/disk/components.txt: /${path} belongs to no component`);
  rule.component.bytes += Math.ceil(size / BLOCK) * BLOCK;
}
console.log(JSON.stringify(components, undefined, 1));
