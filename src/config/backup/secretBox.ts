/** Encrypts the secrets of a backup with a passphrase: AES-256-GCM (NIST SP 800-38D) under a key by scrypt (RFC 7914). */
import { createCipheriv, createDecipheriv, randomBytes, scrypt } from "node:crypto";

/** Encrypted secrets; bytes are base64. */
export interface Sealed {
  kdf: "scrypt";
  N: number;
  r: number;
  p: number;
  salt: string;
  cipher: "aes-256-gcm";
  iv: string;
  tag: string;
  data: string;
}

/** All of it but what encryption gives: what the rest of the file is bound to together with. */
export type SealHeader = Omit<Sealed, "tag" | "data">;

/** Fewest characters of a passphrase. */
export const MIN_PASSPHRASE = 10;
export const MAX_PASSPHRASE = 128;

const KEY_BYTES = 32;
const IV_BYTES = 12;
const TAG_BYTES = 16;
const SALT_BYTES = 16;
const COST = { N: 2 ** 15, r: 8, p: 1 } as const;
/** What a foreign file may ask of this box: 128·N·r bytes of memory. */
const MAX_MEMORY = 128 * 1024 * 1024;

export function newHeader(): SealHeader {
  const salt = randomBytes(SALT_BYTES).toString("base64");
  const iv = randomBytes(IV_BYTES).toString("base64");
  return { kdf: "scrypt", ...COST, salt, cipher: "aes-256-gcm", iv };
}

/** @param bound is authenticated with the text, so that neither can be put together with another one. */
export async function seal(text: string, header: SealHeader, passphrase: string, bound: Uint8Array): Promise<Sealed> {
  const key = await keyOf(header, passphrase);
  const cipher = createCipheriv("aes-256-gcm", key, fromBase64(header.iv), { authTagLength: TAG_BYTES });
  cipher.setAAD(bound);
  const data = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]).toString("base64");
  return { ...header, tag: cipher.getAuthTag().toString("base64"), data };
}

/** The text; undefined when the passphrase is not the one, or anything was changed. */
export async function open(sealed: Sealed, passphrase: string, bound: Uint8Array): Promise<string | undefined> {
  const key = await keyOf(sealed, passphrase);
  const decipher = createDecipheriv("aes-256-gcm", key, fromBase64(sealed.iv), { authTagLength: TAG_BYTES });
  decipher.setAAD(bound);
  decipher.setAuthTag(fromBase64(sealed.tag));
  try {
    return Buffer.concat([decipher.update(fromBase64(sealed.data)), decipher.final()]).toString("utf8");
  } catch {
    return undefined;
  }
}

/** What is wrong with encrypted secrets from outside, after "secrets"; undefined when they may be tried. */
export function refuse(value: Record<string, unknown>): string | undefined {
  const { kdf, N, r, p, salt, cipher, iv, tag, data, ...rest } = value;
  if (Object.keys(rest).length > 0) return "has an unknown field";
  if (kdf !== "scrypt") return 'has a "kdf" that is not scrypt';
  if (cipher !== "aes-256-gcm") return 'has a "cipher" that is not aes-256-gcm';
  if (!isWhole(N, COST.N, 2 ** 20) || (N & (N - 1)) !== 0) return 'has an "N" that is no power of two in its limits';
  if (!isWhole(r, 1, 32)) return 'has an "r" outside of its limits';
  if (!isWhole(p, 1, 4)) return 'has a "p" outside of its limits';
  if (128 * N * r > MAX_MEMORY) return "would need too much memory to be opened";
  if (!isBase64(salt, 16, 64)) return 'has a "salt" that is not base64 of 16 to 64 bytes';
  if (!isBase64(iv, IV_BYTES, IV_BYTES)) return `has an "iv" that is not base64 of ${IV_BYTES} bytes`;
  if (!isBase64(tag, TAG_BYTES, TAG_BYTES)) return `has a "tag" that is not base64 of ${TAG_BYTES} bytes`;
  if (!isBase64(data, 0, Number.POSITIVE_INFINITY)) return 'has a "data" that is not base64';
  return undefined;
}

function keyOf({ N, r, p, salt }: SealHeader, passphrase: string): Promise<Buffer> {
  return new Promise((done, failed) => {
    // NFC, so that the same characters typed on another keyboard are the same bytes.
    const options = { N, r, p, maxmem: 2 * MAX_MEMORY };
    scrypt(passphrase.normalize("NFC"), fromBase64(salt), KEY_BYTES, options, (error, key) => {
      if (error === null) done(key);
      else failed(error);
    });
  });
}

function fromBase64(text: string): Buffer {
  return Buffer.from(text, "base64");
}

function isWhole(value: unknown, from: number, to: number): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= from && value <= to;
}

/** Whether it is base64 as we write it: one spelling only, so that no other text means the same. */
function isBase64(value: unknown, from: number, to: number): boolean {
  if (typeof value !== "string" || value.length % 4 !== 0) return false;
  const bytes = fromBase64(value);
  return bytes.length >= from && bytes.length <= to && bytes.toString("base64") === value;
}
