/**
 * Writes the bill of materials of an image (CycloneDX 1.6, JSON) to the standard output: the same inputs give the same bytes.
 *
 *   node --import tsx scripts/image/sbom.ts --board NAME --version VERSION [--debian LIST DOCS] [--buildroot SHOW_INFO]
 *     [--component NAME VERSION LICENCE]…
 *
 * LIST: lines of name and version (and more) of Debian packages; DOCS: their folder usr/share/doc; SHOW_INFO: what Buildroot's
 * `make show-info` says. The npm packages are those of package-lock.json that are on the box.
 */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Licence, licencesOf, licencesOfPackage, namesInCopyright } from "./licences.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

export interface Component {
  type: "application" | "firmware" | "library" | "operating-system";
  "bom-ref": string;
  name: string;
  version?: string;
  hashes?: { alg: "SHA-512"; content: string }[];
  licenses?: Licence[];
  cpe?: string;
  purl?: string;
}

/** For development alone by package.json, but on the box: the page that shows the API. */
const shippedForDevelopment = new Set(["swagger-ui-dist"]);
/** Asked for by packages that do without. */
const leftOut = new Set(["buildcheck", "cpu-features", "nan"]);

/** What an older package says of its licence, which package-lock.json does not repeat. */
function licenceInFolder(path: string): string | undefined {
  const file = join(root, path, "package.json");
  if (!existsSync(file)) return undefined;
  return (JSON.parse(readFileSync(file, "utf8")) as { licenses?: { type: string }[] }).licenses?.[0]?.type;
}

/** The npm packages that are on the box, by package-lock.json. */
export function npmComponents(lock: string): Component[] {
  const { packages } = JSON.parse(lock) as {
    packages: Record<
      string,
      {
        version: string;
        license?: string;
        integrity?: string;
        dev?: boolean;
        cpu?: string[];
        os?: string[];
        libc?: string[];
      }
    >;
  };
  return Object.entries(packages).flatMap(([path, entry]): Component[] => {
    const name = path.replace(/^.*node_modules\//, "");
    if (path === "" || leftOut.has(name) || (entry.dev === true && !shippedForDevelopment.has(name))) return [];
    const forBox = (entry.cpu ?? ["arm64"]).includes("arm64") && (entry.os ?? ["linux"]).includes("linux");
    if (!forBox || !(entry.libc ?? ["glibc"]).includes("glibc")) return [];
    const purl = `pkg:npm/${name.replace("@", "%40")}@${entry.version}`;
    const sha512 = /^sha512-(.+)$/.exec(entry.integrity ?? "")?.[1];
    const hashes =
      sha512 === undefined
        ? {}
        : { hashes: [{ alg: "SHA-512" as const, content: Buffer.from(sha512, "base64").toString("hex") }] };
    return [
      {
        type: "library",
        "bom-ref": purl,
        name,
        version: entry.version,
        ...hashes,
        licenses: licencesOfPackage(entry.license ?? licenceInFolder(path)),
        purl,
      },
    ];
  });
}

/** Debian packages from lines of name and version, with the licences that their files `copyright` name. */
export function debianComponents(list: string, docs: string): Component[] {
  return list
    .split("\n")
    .filter((line) => line !== "")
    .map((line): Component => {
      const [name = "", version = ""] = line.split(" ");
      const file = join(docs, name, "copyright");
      const licenses = existsSync(file) ? licencesOf(namesInCopyright(readFileSync(file, "utf8"))) : [];
      const purl = `pkg:deb/debian/${encodeURIComponent(name)}@${encodeURIComponent(version)}?arch=arm64&distro=debian-12`;
      return { type: "library", "bom-ref": purl, name, version, licenses, purl };
    });
}

/** What of Buildroot's packages is on the box: not what only builds, nor what stands for another one. */
export function buildrootComponents(showInfo: string): Component[] {
  const info = JSON.parse(showInfo) as Record<
    string,
    { type: string; name?: string; virtual?: boolean; version?: string; licenses?: string; "cpe-id"?: string }
  >;
  return Object.entries(info)
    .filter(([, entry]) => entry.type === "target" && entry.virtual !== true)
    .map(([key, entry]): Component => {
      const name = entry.name ?? key;
      // Alternatives and remarks are in parentheses: "MIT (core), BSD-3-Clause (one, two)".
      const licenses = licencesOf(
        (entry.licenses ?? "").split(/,(?![^(]*\))/).map((each) => each.replace(/\s*\(.*\)\s*/, "")),
      );
      const version = entry.version === undefined || entry.version === "" ? {} : { version: entry.version };
      const cpe = entry["cpe-id"] === undefined ? {} : { cpe: entry["cpe-id"] };
      return {
        type: "library",
        "bom-ref": `buildroot:${key}`,
        name,
        ...version,
        ...(licenses.length > 0 ? { licenses } : {}),
        ...cpe,
      };
    });
}

export function otherComponent(name: string, version: string, licence: string): Component {
  const purl = `pkg:generic/${encodeURIComponent(name)}@${encodeURIComponent(version)}`;
  return {
    type: name === "linux" ? "operating-system" : "library",
    "bom-ref": purl,
    name,
    version,
    licenses: licencesOfPackage(licence),
    purl,
  };
}

/** The whole document. Its serial number is made of its content, so that it changes when that does. */
export function bill(board: string, version: string, components: Component[]): string {
  const once = new Map(components.map((each) => [each["bom-ref"], each]));
  const sorted = [...once.values()].sort((a, b) => (a["bom-ref"] < b["bom-ref"] ? -1 : 1));
  const ref = `steadycast-${board}@${version}`;
  const product = {
    ...{ type: "firmware", "bom-ref": ref, name: `steadycast-${board}`, version },
    licenses: licencesOf(["Apache-2.0"]),
  };
  const content = {
    metadata: { component: product },
    components: sorted,
    dependencies: [{ ref, dependsOn: sorted.map((each) => each["bom-ref"]) }],
  };
  const hash = createHash("sha256").update(JSON.stringify(content)).digest("hex");
  // Of RFC 9562, version 8: made of what its maker likes.
  const uuid = `${hash.slice(0, 8)}-${hash.slice(8, 12)}-8${hash.slice(13, 16)}-a${hash.slice(17, 20)}-${hash.slice(20, 32)}`;
  const head = { bomFormat: "CycloneDX", specVersion: "1.6", serialNumber: `urn:uuid:${uuid}`, version: 1 };
  return `${JSON.stringify({ ...head, ...content }, null, 2)}\n`;
}

function main(argv: string[]): string {
  let board = "";
  let version = "";
  const components = npmComponents(readFileSync(join(root, "package-lock.json"), "utf8"));
  const rest = [...argv];
  const next = (): string => rest.shift() ?? "";
  while (rest.length > 0) {
    const option = next();
    if (option === "--board") board = next();
    else if (option === "--version") version = next();
    else if (option === "--debian") components.push(...debianComponents(readFileSync(next(), "utf8"), next()));
    else if (option === "--buildroot") components.push(...buildrootComponents(readFileSync(next(), "utf8")));
    else if (option === "--component") components.push(otherComponent(next(), next(), next()));
    else throw new Error(`scripts/image/sbom.ts: unknown option ${option}`);
  }
  if (board === "" || version === "") throw new Error("scripts/image/sbom.ts: --board and --version must be given");
  return bill(board, version, components);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.stdout.write(main(process.argv.slice(2)));
