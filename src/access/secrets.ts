/** Secrets that the box makes itself: of sessions, devices and API tokens. Only their SHA-256 is ever stored. */
import { createHash, createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { crc32 } from "node:zlib";

const BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/** Without letters and digits that look alike; 32 of them, so that five bits choose one evenly. */
const READABLE = "23456789abcdefghijkmnpqrstuvwxyz";
const TOKEN = /^sc_([0-9A-Za-z]{43})([0-9A-Za-z]{6})$/;

/** 256 random bits as base64url. */
export const newSecret = (): string => randomBytes(32).toString("base64url");

/** Names something without being a secret. */
export const newId = (): string => randomBytes(8).toString("hex");

/** What is kept of a secret of many bits: SHA-256 in hexadecimal. Finding it by its digest tells no time of use. */
export const digest = (secret: string): string => createHash("sha256").update(secret).digest("hex");

/** Compares without telling by its time how much is the same. */
export function same(a: string, b: string): boolean {
  return timingSafeEqual(createHash("sha256").update(a).digest(), createHash("sha256").update(b).digest());
}

/** `sc_`, 43 characters of 256 random bits and 6 of their CRC-32, by which scanners and we tell a token from other text. */
export function newToken(): string {
  const body = base62(BigInt(`0x${randomBytes(32).toString("hex")}`), 43);
  return `sc_${body}${checksum(body)}`;
}

/** Whether a text can be a token: spares looking up what was cut off or mistyped. */
export function isToken(text: string): boolean {
  const [, body = "", sum] = TOKEN.exec(text) ?? [];
  return sum !== undefined && sum === checksum(body);
}

/** Random letters and digits that a person can read off a display and type. */
export function readable(length: number): string {
  return [...randomBytes(length)].map((byte) => READABLE[byte % READABLE.length]).join("");
}

/** For a device that somebody has logged in on: shows later that it is known, without anything being stored of it. */
export function newDevice(key: string, user: string): string {
  const nonce = randomBytes(16).toString("base64url");
  return `${nonce}.${seal(key, user, nonce)}`;
}

/** The nonce of a device that is known for this user; undefined for any other. */
export function knownDevice(device: string | undefined, key: string, user: string): string | undefined {
  const [nonce = "", mac = ""] = device?.split(".") ?? [];
  return device !== undefined && same(mac, seal(key, user, nonce)) ? nonce : undefined;
}

function seal(key: string, user: string, nonce: string): string {
  return createHmac("sha256", key).update(`${user}\n${nonce}`).digest("base64url");
}

function checksum(body: string): string {
  return base62(BigInt(crc32(body)), 6);
}

function base62(value: bigint, length: number): string {
  let text = "";
  for (let rest = value; text.length < length; rest /= 62n) text = BASE62[Number(rest % 62n)] + text;
  return text;
}
