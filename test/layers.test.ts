import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import test from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../", import.meta.url));

/** What each folder of src/ may import beside itself: the table of the supervisor's architecture. */
const layers: Record<string, readonly string[]> = {
  config: [],
  media: ["config"],
  board: ["config"],
  channels: ["media", "board", "config"],
  system: ["config", "board"],
  update: ["system", "config"],
  alarms: [],
  access: ["config"],
  discovery: ["config", "media", "channels", "board", "system", "alarms"],
  metrics: ["config", "media", "channels", "board", "system", "alarms"],
  snmp: ["config", "media", "channels", "board", "system", "alarms"],
  cli: ["config"],
  api: ["access", "alarms", "board", "channels", "config", "media", "metrics", "snmp", "system", "update"],
};

/** Folders whose types alone a folder may import, too: the command line talks to the API from afar. */
const typeLayers: Record<string, readonly string[]> = { cli: ["access", "api", "channels", "system", "update"] };

/** Modules of src/ itself that every folder may import. */
const isShared = (file: string) => file === join("src", "bus.ts");

/** What the page may take from src/ at run time: what is declared once for all; everything else only as types. */
const pageMayRun = ["src/config/schema.ts", "src/access/principal.ts", "src/system/localTime.ts"];

interface Import {
  from: string;
  to: string;
  typeOnly: boolean;
}

function sources(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => /\.tsx?$/.test(name))
    .map((name) => join(folder, name));
}

/** Imports of other files of the repository. */
function importsOf(from: string): Import[] {
  const text = readFileSync(join(root, from), "utf8");
  const found: Import[] = [];
  const statement = /^\s*(?:import|export)\s+(type\s)?(?:([^"';]*?)\sfrom\s*)?"([^"]+)"/gm;
  for (const [, type, names = "", to = ""] of text.matchAll(statement)) {
    if (!to.startsWith(".")) continue;
    const inBraces = /^\{([^}]*)\}$/.exec(names.trim())?.[1];
    const allTypes = inBraces?.split(",").every((name) => name.trim() === "" || name.trim().startsWith("type "));
    found.push({ from, to: join(dirname(from), to), typeOnly: type !== undefined || (allTypes ?? false) });
  }
  for (const [, to = ""] of text.matchAll(/\bimport\(\s*"(\.[^"]+)"/g)) {
    found.push({ from, to: join(dirname(from), to), typeOnly: false });
  }
  return found;
}

const layerOf = (file: string) => {
  const [top, folder, ...rest] = file.split(sep);
  return top === "src" && rest.length > 0 ? folder : undefined;
};

const imports = ["src", "web"].flatMap((folder) => sources(folder)).flatMap(importsOf);

test("the imports are found", () => {
  assert.ok(imports.length > 50, `only ${imports.length}`);
  const store = imports.filter(({ from }) => from === join("src", "config", "store.ts"));
  assert.ok(store.some(({ to, typeOnly }) => to === join("src", "config", "change.ts") && typeOnly));
  assert.ok(store.some(({ to, typeOnly }) => to === join("src", "config", "durableFile.ts") && !typeOnly));
});

test("nothing in src/ imports upwards", () => {
  const wrong = imports.filter(({ from, to, typeOnly }) => {
    const layer = layerOf(from);
    // The files of src/ itself put the services together and know all of them; the bus knows their types.
    if (layer === undefined) return isShared(from) && !typeOnly;
    if (isShared(to)) return false;
    const target = layerOf(to);
    if (typeOnly && typeLayers[layer]?.includes(target ?? "")) return false;
    return target !== layer && !(layers[layer] ?? []).includes(target ?? "");
  });
  assert.deepEqual(
    wrong.map(({ from, to }) => `${from} imports ${to}`),
    [],
  );
});

test("every folder of src/ has its place in the table", () => {
  const folders = readdirSync(join(root, "src"), { withFileTypes: true }).filter((entry) => entry.isDirectory());
  assert.deepEqual(
    folders.map(({ name }) => name).filter((name) => layers[name] === undefined),
    [],
  );
});

test("the page takes only types and the schema", () => {
  const wrong = imports.filter(({ from, to, typeOnly }) => {
    if (layerOf(from) !== undefined || !from.startsWith(`web${sep}`)) return false;
    if (to.startsWith(`web${sep}`) || typeOnly) return false;
    return !pageMayRun.includes(relative(".", to).replaceAll(sep, "/"));
  });
  assert.deepEqual(
    wrong.map(({ from, to }) => `${from} imports ${to}`),
    [],
  );
});
