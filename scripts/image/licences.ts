/** Names of licences, as Debian, npm and Buildroot write them, in the form that CycloneDX 1.6 wants. */
import { SPDX } from "@cyclonedx/cyclonedx-library";

/** A licence of a component: an identifier of SPDX where there is one, else what its author calls it. */
export type Licence = { license: { id: string } } | { license: { name: string } } | { expression: string };

/** Debian's short names (DEP 5) that are not SPDX's. */
const others: Record<string, string> = {
  "bsd-2-clauses": "BSD-2-Clause",
  "bsd-3-clauses": "BSD-3-Clause",
  bsd2: "BSD-2-Clause",
  bsd3: "BSD-3-Clause",
  expat: "MIT",
  isc: "ISC",
  "mit/x11": "MIT",
  x11: "X11",
  zlib: "Zlib",
};

/** SPDX's identifier of one licence, or undefined where it has none. */
export function spdxOf(name: string): string | undefined {
  const plain = name.trim().toLowerCase();
  const gnu = /^(a?gpl|lgpl|gfdl)-?(\d)(?:\.(\d))?(\+|-or-later|-only)?$/.exec(plain);
  if (gnu !== null) {
    const [, family, major, minor, suffix] = gnu;
    const later = suffix === "+" || suffix === "-or-later";
    return SPDX.fixupSpdxId(`${family}-${major}.${minor ?? "0"}-${later ? "or-later" : "only"}`);
  }
  return others[plain] ?? SPDX.fixupSpdxId(plain);
}

/** The licences of a component from their names, in order and once each. */
export function licencesOf(names: readonly string[]): Licence[] {
  const found = new Map<string, Licence>();
  for (const name of names.map((each) => each.trim()).filter((each) => each !== "")) {
    const id = spdxOf(name);
    const licence: Licence = id === undefined ? { license: { name } } : { license: { id } };
    found.set(JSON.stringify(licence), licence);
  }
  return [...found.keys()].sort().flatMap((key) => found.get(key) ?? []);
}

/** Of npm's `license`, which may be an expression of SPDX. */
export function licencesOfPackage(license: string | undefined): Licence[] {
  if (license === undefined) return [];
  return /\s(OR|AND|WITH)\s/.test(license) ? [{ expression: license }] : licencesOf([license]);
}

/** What a file `copyright` of Debian says: its fields `License` (DEP 5), else the common licences that it points to. */
export function namesInCopyright(text: string): string[] {
  const fields = [...text.matchAll(/^License:[ \t]*(\S.*)$/gm)].map((match) => match[1] ?? "");
  const names =
    fields.length > 0 ? fields : [...text.matchAll(/\/common-licenses\/([\w.+-]*\w)/g)].map((match) => match[1] ?? "");
  const alone = names.flatMap((name) => name.split(/,?\s+(?:and|or|and\/or)\s+|,\s+|\s+\|\s+/i));
  return alone.length > 0 ? alone : ["as its file copyright says"];
}
