/** The second factor: time-based codes (RFC 6238: SHA-1, 30 s, 6 digits, as every authenticator app has them) and recovery codes. */
import { randomBytes } from "node:crypto";
import { Secret, TOTP } from "otpauth";
import { digest } from "./secrets.ts";

const STEP_MS = 30_000;
const RECOVERY_CODES = 10;
const BASE32 = "abcdefghijklmnopqrstuvwxyz234567";

/** 160 bits in base32, as RFC 4226 recommends. */
export const newTotpSecret = (): string => new Secret({ size: 20 }).base32;

/** What the app reads from a QR code. */
export function totpUri(secret: string, user: string, box: string): string {
  // A colon separates issuer and account in the label.
  const issuer = `Steadycast ${box}`.replaceAll(":", " ").trim();
  return new TOTP({ issuer, label: user, secret: Secret.fromBase32(secret) }).toString();
}

/**
 * The time step that a code belongs to, one before or after now at the most, or undefined when it is of none. Whoever calls
 * it keeps the step, and takes no code of it or an earlier one again (RFC 6238 section 5.2).
 */
export function stepOf(secret: string, code: string, now: Date): number | undefined {
  const token = code.replaceAll(/\s/g, "");
  if (!/^\d{6}$/.test(token)) return undefined;
  const totp = new TOTP({ secret: Secret.fromBase32(secret) });
  const delta = totp.validate({ token, timestamp: now.getTime(), window: 1 });
  return delta === null ? undefined : Math.floor(now.getTime() / STEP_MS) + delta;
}

/** Ten codes of 80 bits, each as four groups of four characters, and what is stored of them. */
export function newRecoveryCodes(): { codes: string[]; hashes: string[] } {
  const codes = Array.from({ length: RECOVERY_CODES }, () => {
    const text = [...randomBytes(16)].map((byte) => BASE32[byte % 32]).join("");
    return (text.match(/.{4}/g) ?? []).join("-");
  });
  return { codes, hashes: codes.map(recoveryHash) };
}

export function recoveryHash(code: string): string {
  return digest(code.toLowerCase().replaceAll(/[^a-z0-9]/g, ""));
}
