/** Makes keys, self-signed certificates and signing requests, by the openssl program. No key is ever on disk by itself. */
import { generateKeyPair, type KeyObject } from "node:crypto";
import { isIP } from "node:net";
import { hostname, networkInterfaces } from "node:os";
import { promisify } from "node:util";

/** Runs a program to its end within bounds; never rejects. */
export type Run = (
  program: string,
  args: readonly string[],
  options?: { input?: string },
) => Promise<{ ok: true; stdout: string } | { ok: false; why: string }>;

/**
 * Apple's systems refuse server certificates that are valid for more than 825 days, also those of private issuers; the box
 * makes itself a new one in time.
 */
const DAYS = 820;
/** As many names as a certificate is made for. */
export const MAX_NAMES = 40;

/** A name in DNS, with a star as its first part if need be. */
export const HOST_NAME =
  /^(\*\.)?([a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)(\.[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*$/;

/** openssl could not make it; the message says why, and holds no secret. */
export class IssueError extends Error {}

export async function makeKey(): Promise<KeyObject> {
  return (await promisify(generateKeyPair)("ec", { namedCurve: "P-256" })).privateKey;
}

/**
 * A certificate for these names and addresses, as PEM. It is no authority's: whoever trusts it trusts this box alone, not what
 * its key might sign. Rejects with IssueError.
 */
export async function selfSign(run: Run, keyPem: string, names: readonly string[]): Promise<string> {
  return await openssl(run, keyPem, [
    ...["-x509", "-days", String(DAYS), "-sha256"],
    ...subject(names.find((name) => isIP(name) === 0 && name.length <= 64) ?? "steadycast"),
    ...extension("subjectAltName", alternatives(names)),
    ...extension("basicConstraints", "critical,CA:FALSE"),
    ...extension("keyUsage", "critical,digitalSignature"),
    ...extension("extendedKeyUsage", "serverAuth"),
  ]);
}

/** A request (PKCS #10, RFC 2986) for a certificate authority, as PEM. */
export async function requestFor(
  run: Run,
  keyPem: string,
  commonName: string,
  names: readonly string[],
): Promise<string> {
  const all = [commonName, ...names.filter((name) => name !== commonName)];
  return await openssl(run, keyPem, [
    ...subject(commonName),
    ...extension("subjectAltName", alternatives(all)),
    ...extension("extendedKeyUsage", "serverAuth"),
  ]);
}

/** What this machine is called and can be reached by. */
export function ownNames(): string[] {
  const host = hostname().toLowerCase();
  const short = host.split(".", 1)[0] ?? "";
  const addresses = Object.values(networkInterfaces()).flatMap((entries) => entries ?? []);
  return [
    ...(HOST_NAME.test(host) ? [...new Set([host, `${short}.local`])] : []),
    "localhost",
    // An address of the link is of no use in a browser.
    ...addresses.map(({ address }) => address).filter((address) => !/^fe80:/i.test(address)),
  ];
}

async function openssl(run: Run, keyPem: string, args: readonly string[]): Promise<string> {
  // openssl opens its standard input by name, which works with a pipe and not with the socket that Node makes of it. The
  // empty configuration keeps out what the machine's own would add.
  const program = ["-c", 'cat | exec openssl "$@"', "sh", "req", "-new", "-config", "/dev/null", "-key", "/dev/stdin"];
  const result = await run("sh", [...program, ...args], { input: keyPem });
  if (!result.ok) throw new IssueError(`openssl failed: ${result.why}`);
  const pem = /-----BEGIN [A-Z ]+-----\n[A-Za-z0-9+/=\n]+-----END [A-Z ]+-----\n/.exec(result.stdout)?.[0];
  if (pem === undefined) throw new IssueError("openssl made nothing");
  return pem;
}

function subject(commonName: string): string[] {
  if (isIP(commonName) === 0 && !HOST_NAME.test(commonName)) throw new Error("no host name");
  return ["-subj", `/CN=${commonName}`];
}

function alternatives(names: readonly string[]): string {
  const entries = [...new Set(names)].flatMap((name) => {
    if (isIP(name) !== 0) return `IP:${name}`;
    return HOST_NAME.test(name) ? `DNS:${name}` : [];
  });
  return entries.slice(0, MAX_NAMES).join(",");
}

function extension(name: string, value: string): string[] {
  return ["-addext", `${name}=${value}`];
}
