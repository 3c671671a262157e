/**
 * Looks at a bundle before anything is done with it: RAUC checks its signature, and every byte is held against the signed
 * hash. A bundle is a squashfs, its hash tree, the signature (CMS, which holds the manifest), and the signature's length.
 */
import { execFile } from "node:child_process";
import { type FileHandle, open } from "node:fs/promises";
import type { RunCommand } from "../../system/command.ts";
import type { Inspection, Tell } from "../slots.ts";
import { BLOCK, hashTree, treeSize } from "./verity.ts";

export interface InspectOptions {
  run: RunCommand;
  /** Of RAUC, with the keyring; left out: the system's. */
  conf?: string;
  /** Kind of this box. */
  compatible: string;
  /** Of a slot, bytes. */
  capacity: number;
}

const MAX_SIGNATURE = 64 * 1024;
const MAX_NOTES = 16 * 1024;
const VERSION = /^[0-9A-Za-z][0-9A-Za-z.+~_-]{0,63}$/;

/** A reason not to take a bundle, in words for people. */
class Refused extends Error {}

export async function inspectBundle(
  path: string,
  options: InspectOptions,
  tell: Tell,
  signal: AbortSignal,
): Promise<Inspection> {
  let file: FileHandle | undefined;
  try {
    file = await open(path, "r");
    tell(null, "Checking the signature");
    const { size } = await file.stat();
    const signature = await readSignature(file, size);
    await checkSignature(path, options);
    const manifest = sectionsOf(await contentOf(signature));
    const found = read(manifest, options);
    signal.throwIfAborted();
    await checkContent(file, size - 8 - signature.length, manifest, tell, signal);
    return { ok: true, manifest: found };
  } catch (error) {
    if (signal.aborted) return { ok: false, why: "It was given up" };
    if (error instanceof Refused) return { ok: false, why: error.message };
    return { ok: false, why: `It cannot be read: ${error instanceof Error ? error.message : String(error)}` };
  } finally {
    await file?.close().catch(() => {});
  }
}

async function readSignature(file: FileHandle, size: number): Promise<Buffer> {
  const none = "It is not a bundle of firmware, or not all of it: there is no signature at its end";
  if (size < BLOCK + 8) throw new Refused(none);
  const length = Buffer.alloc(8);
  await file.read(length, 0, 8, size - 8);
  const bytes = length.readBigUInt64BE();
  if (bytes === 0n || bytes > MAX_SIGNATURE || Number(bytes) > size - 8 - BLOCK) throw new Refused(none);
  const signature = Buffer.alloc(Number(bytes));
  await file.read(signature, 0, signature.length, size - 8 - signature.length);
  // A sequence, as every CMS message is.
  if (signature[0] !== 0x30) throw new Refused(none);
  return signature;
}

async function checkSignature(path: string, { run, conf }: InspectOptions): Promise<void> {
  const args = [...(conf === undefined ? [] : ["-c", conf]), "info", "--output-format=json", path];
  const result = await run("rauc", args, { timeoutMs: 60_000 });
  if (!result.ok) throw new Refused(inWords(result.stderr, result.why));
}

/** What RAUC says, for people who do not know RAUC. */
function inWords(stderr: string, why: string): string {
  const said = stderr
    .split("\n")
    .filter((line) => line !== "" && !/^rauc-Message|^$/.test(line))
    .join(" ")
    .trim();
  const told = said === "" ? why : said;
  if (/self.signed|unable to get (local )?issuer|certificate (not trusted|signature failure)|unsuitable/i.test(told)) {
    return `It is signed, but not by those whom this box trusts (${told})`;
  }
  if (/expired|not yet valid|revoked/i.test(told)) return `The certificate of its signature is not valid (${told})`;
  if (/not allowed|format/i.test(told)) return `Bundles of this format are not taken (${told})`;
  if (/signature|verif|CMS|asn1/i.test(told)) return `Its signature is damaged or not that of its content (${told})`;
  return `RAUC does not take it: ${told}`;
}

/** The text that is signed. That it is rightly signed, and by whom, RAUC has checked. */
function contentOf(signature: Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { timeout: 30_000, maxBuffer: 4 * MAX_SIGNATURE, encoding: "utf8" } as const;
    const args = ["cms", "-verify", "-noverify", "-inform", "DER"];
    const child = execFile("openssl", args, options, (error, stdout) => {
      if (error === null) resolve(stdout);
      else reject(new Refused("Its signature is damaged, or it is one of another kind of bundle"));
    });
    child.stdin?.on("error", () => {}).end(signature);
  });
}

type Sections = Map<string, Map<string, string>>;

/** A key file of GLib, by group and key. */
export function sectionsOf(text: string): Sections {
  const sections: Sections = new Map();
  let section = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    const group = /^\[([^\]]+)\]\s*$/.exec(line)?.[1];
    if (group !== undefined) {
      section = new Map();
      sections.set(group, section);
      continue;
    }
    const [, key, value] = /^([\w-]+)\s*=\s*(.*)$/.exec(line) ?? [];
    if (key !== undefined && value !== undefined) section.set(key, unescaped(value));
  }
  return sections;
}

function unescaped(value: string): string {
  const meaning: Record<string, string> = { s: " ", n: "\n", t: "\t", r: "\r", "\\": "\\" };
  return value.replaceAll(/\\([sntr\\])/g, (_, letter: string) => meaning[letter] ?? "");
}

function read(sections: Sections, { compatible, capacity }: InspectOptions) {
  const update = sections.get("update");
  const kind = update?.get("compatible") ?? "";
  if (kind !== compatible) {
    throw new Refused(`It is for another kind of box: for ${JSON.stringify(kind)}, and this one is ${compatible}`);
  }
  const version = update?.get("version") ?? "";
  if (!VERSION.test(version)) throw new Refused("It does not say which version it is");
  if (sections.get("image.rootfs") === undefined) throw new Refused("There is no firmware in it");
  const size = Number(sections.get("image.rootfs")?.get("size"));
  if (!(size > 0)) throw new Refused("It does not say how large its firmware is");
  if (size > capacity) {
    throw new Refused(`Its firmware is larger than a slot: ${size} bytes, and there is room for ${capacity}`);
  }
  const notes = (update?.get("description") ?? "").slice(0, MAX_NOTES);
  return { version, build: (update?.get("build") ?? "").slice(0, 64), compatible: kind, notes, size };
}

async function checkContent(
  file: FileHandle,
  length: number,
  sections: Sections,
  tell: Tell,
  signal: AbortSignal,
): Promise<void> {
  const bundle = sections.get("bundle");
  const [format, root, salt] = ["format", "verity-hash", "verity-salt"].map((key) => bundle?.get(key) ?? "");
  if (format !== "verity") throw new Refused(`Bundles of the format ${format || "plain"} are not taken`);
  const stored = Number(bundle?.get("verity-size"));
  const data = length - stored;
  if (!/^[0-9a-f]{64}$/.test(root ?? "") || !/^([0-9a-f]{2})*$/.test(salt ?? "")) {
    throw new Refused("Its manifest is not complete");
  }
  const damaged = new Refused("It is damaged: its content is not what was signed");
  if (!(stored >= 0) || data <= 0 || data % BLOCK !== 0 || treeSize(data) > stored) throw damaged;
  const step = "Checking the content";
  const tree = await hashTree(
    file,
    data,
    Buffer.from(salt ?? "", "hex"),
    (bytes) => tell(Math.floor((bytes / data) * 100), step),
    signal,
  );
  if (tree.root.toString("hex") !== root) throw damaged;
  // The kernel goes by the stored tree: a damaged one would stop it halfway.
  const there = Buffer.alloc(tree.levels.length);
  await file.read(there, 0, there.length, data);
  if (!there.equals(tree.levels)) throw damaged;
}
