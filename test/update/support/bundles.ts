/** Real bundles: small ones, made as those of the box, with keys of their own. */
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const KIND = "steadycast-qemu-aarch64";

export interface Wanted {
  version: string;
  notes?: string;
  compatible?: string;
  /** Bytes of the firmware. */
  size?: number;
  /** Signed by somebody else. */
  stranger?: boolean;
}

export class Bundles {
  readonly folder = mkdtempSync(join(tmpdir(), "steadycast-bundles-"));
  readonly #keys = join(this.folder, "keys");
  #count = 0;

  constructor() {
    execFileSync("scripts/image/keys", [this.#keys]);
  }

  /** Of those who are trusted. */
  get keyring(): string {
    return join(this.#keys, "ca.pem");
  }

  /** Makes a bundle; gives its path. */
  make({ version, notes = `Release ${version}`, compatible = KIND, size = 300_000, stranger = false }: Wanted): string {
    const image = join(this.folder, "firmware.img");
    writeFileSync(image, randomBytes(size));
    const keys = stranger ? join(this.folder, "others") : this.#keys;
    if (stranger) execFileSync("scripts/image/keys", [keys]);
    const file = this.#name();
    const env = { ...process.env, STEADYCAST_KEYS: keys, STEADYCAST_COMPATIBLE: compatible };
    execFileSync("scripts/image/bundle", [image, version, file, notes], { env });
    return file;
  }

  /** One that RAUC makes of any manifest. */
  raw(manifest: string): string {
    const content = mkdtempSync(join(this.folder, "content-"));
    writeFileSync(join(content, "rootfs.img"), randomBytes(5000));
    writeFileSync(join(content, "manifest.raucm"), manifest);
    const file = this.#name();
    const keys = [`--cert=${join(this.#keys, "sign.pem")}`, `--key=${join(this.#keys, "sign.key")}`];
    execFileSync("rauc", ["bundle", ...keys, content, file], { stdio: "ignore" });
    return file;
  }

  /** A copy without what is behind `size`. */
  cut(file: string, size: number): string {
    const copy = this.#name();
    writeFileSync(copy, readFileSync(file).subarray(0, size));
    return copy;
  }

  /** A copy with a bit changed. */
  flip(file: string, at: number): string {
    const bytes = readFileSync(file);
    bytes[at] = (bytes[at] ?? 0) ^ 0x10;
    const copy = this.#name();
    writeFileSync(copy, bytes);
    return copy;
  }

  /** Where the signature of a bundle begins. */
  signatureOf(file: string): number {
    const bytes = readFileSync(file);
    return bytes.length - 8 - Number(bytes.readBigUInt64BE(bytes.length - 8));
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }

  #name(): string {
    return join(this.folder, `${++this.#count}.raucb`);
  }
}

export function sizeOf(file: string): number {
  return statSync(file).size;
}

/** Overwrites a place of a file. */
export function overwrite(file: string, at: number, bytes: Uint8Array): void {
  const handle = openSync(file, "r+");
  writeSync(handle, bytes, 0, bytes.length, at);
  closeSync(handle);
}
