/** Certificates and keys as people upload them: read, checked, and told of in words. */
import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { createSecureContext } from "node:tls";

/** What is wrong with an upload, and in which of its fields. */
export interface UploadError {
  field: "certificate" | "key";
  message: string;
}

export type Read<T> = { ok: true; value: T } | { ok: false; error: UploadError };

/** Longest text of certificates or of a key, characters. */
export const MAX_PEM = 64 * 1024;
const MAX_CHAIN = 10;
const CERTIFICATE =
  /-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END (?:X509 |TRUSTED )?CERTIFICATE-----/g;
const SERVER_USE = "1.3.6.1.5.5.7.3.1";
/** Curves that browsers take (RFC 8446, 4.2.7), as OpenSSL calls them. */
const CURVES: Record<string, string> = { prime256v1: "P-256", secp384r1: "P-384", secp521r1: "P-521" };

const refused = (field: UploadError["field"], message: string): { ok: false; error: UploadError } => ({
  ok: false,
  error: { field, message },
});

/** The box's certificate first, then those of its issuers. */
export function readChain(pem: string): Read<X509Certificate[]> {
  if (pem.length > MAX_PEM) return refused("certificate", `must have at most ${MAX_PEM} characters`);
  if (/PRIVATE KEY/.test(pem))
    return refused("certificate", "must not hold the private key, which has a field of its own");
  const blocks = pem.match(CERTIFICATE) ?? [];
  if (blocks.length === 0) {
    return refused("certificate", 'must be in PEM format, with lines "BEGIN CERTIFICATE" and "END CERTIFICATE"');
  }
  if (blocks.length > MAX_CHAIN) return refused("certificate", `must have at most ${MAX_CHAIN} certificates`);
  const chain: X509Certificate[] = [];
  for (const [index, block] of blocks.entries()) {
    try {
      chain.push(new X509Certificate(block));
    } catch {
      return refused("certificate", `cannot be read: certificate ${index + 1} of ${blocks.length} is damaged`);
    }
  }
  return { ok: true, value: chain };
}

export function readKey(pem: string): Read<KeyObject> {
  if (pem.length > MAX_PEM) return refused("key", `must have at most ${MAX_PEM} characters`);
  if (/ENCRYPTED/.test(pem)) {
    return refused(
      "key",
      "must not be encrypted: take its passphrase away first (openssl pkey -in key.pem -out plain.pem)",
    );
  }
  if (!/-----BEGIN (?:\w+ )?PRIVATE KEY-----/.test(pem)) {
    return refused("key", 'must be in PEM format, with lines "BEGIN PRIVATE KEY" and "END PRIVATE KEY"');
  }
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch {
    return refused("key", "cannot be read: it is damaged, or of a kind that is not known");
  }
  const weak = weakness(key);
  return weak === undefined ? { ok: true, value: key } : refused("key", weak);
}

function weakness({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): string | undefined {
  switch (asymmetricKeyType) {
    case "rsa": {
      const bits = asymmetricKeyDetails?.modulusLength ?? 0;
      // More than 4096 bits make each connection slow, and nothing safer.
      return bits < 2048 || bits > 8192 ? `must have 2048 to 8192 bits when it is RSA, has ${bits}` : undefined;
    }
    case "ec": {
      const curve = asymmetricKeyDetails?.namedCurve ?? "";
      return CURVES[curve] === undefined ? `must be on the curve P-256, P-384 or P-521, is on ${curve}` : undefined;
    }
    case "ed25519":
      return undefined;
    default:
      return `must be RSA, EC or Ed25519, is ${asymmetricKeyType}`;
  }
}

/** Whether a server can use the chain with the key now. */
export function examine(chain: readonly X509Certificate[], key: KeyObject, now: Date): UploadError | undefined {
  const [own] = chain;
  if (own === undefined) return { field: "certificate", message: "is required" };
  const wrong = (message: string): UploadError => ({ field: "certificate", message });
  if (!own.checkPrivateKey(key)) {
    const other = chain.slice(1).some((certificate) => certificate.checkPrivateKey(key));
    return other
      ? wrong("must begin with the box's own certificate")
      : { field: "key", message: "does not belong to the certificate" };
  }
  for (const [index, certificate] of chain.entries()) {
    const which = index === 0 ? "" : `certificate ${index + 1} of the chain `;
    const { from, to } = validity(certificate);
    const clock = `the clock of the box says ${now.toISOString()}`;
    if (now > to) return wrong(`${which}expired on ${to.toISOString()}; ${clock}`);
    if (now < from) return wrong(`${which}is not valid before ${from.toISOString()}; ${clock}`);
    const issuer = chain[index + 1];
    if (issuer !== undefined && !(certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey))) {
      return wrong(
        `is in the wrong order: certificate ${index + 2} did not issue certificate ${index + 1}; the box's own comes first, then the one that issued it, and so on`,
      );
    }
  }
  // The list of extended uses; none: all.
  const uses = own.keyUsage as string[] | undefined;
  if (uses !== undefined && !uses.includes(SERVER_USE)) return wrong("is not for servers (extended key usage)");
  try {
    createSecureContext(toContext(chain, key));
  } catch {
    return wrong("cannot be used for HTTPS: a signature or a key in it is too weak");
  }
  return undefined;
}

export function toPem(chain: readonly X509Certificate[]): string {
  return chain.map((certificate) => certificate.toString()).join("");
}

export function keyToPem(key: KeyObject): string {
  return key.export({ type: "pkcs8", format: "pem" }) as string;
}

function toContext(chain: readonly X509Certificate[], key: KeyObject): { cert: string; key: string } {
  return { cert: toPem(chain), key: keyToPem(key) };
}

export function validity(certificate: X509Certificate): { from: Date; to: Date } {
  return { from: new Date(certificate.validFrom), to: new Date(certificate.validTo) };
}

/** Whether it is signed with its own key. */
export function isSelfSigned(certificate: X509Certificate): boolean {
  // Not by checkIssued: a certificate that is no authority's may not have issued any, itself included.
  return certificate.subject === certificate.issuer && certificate.verify(certificate.publicKey);
}

/** Names and addresses that it is for. */
export function namesOf(certificate: X509Certificate): string[] {
  const entries = certificate.subjectAltName?.split(", ") ?? [];
  return entries.flatMap((entry) => /^(?:DNS|IP Address):(.+)$/.exec(entry)?.[1] ?? []);
}

/** Whether a browser that asks for this name or address takes it. */
export function covers(certificate: X509Certificate, name: string): boolean {
  const found = isIP(name) === 0 ? certificate.checkHost(name, { subject: "never" }) : certificate.checkIP(name);
  return found !== undefined;
}

/** A distinguished name in one line: `CN=box, O=Example`. */
export function nameInOneLine(name: string): string {
  return name.split("\n").filter(Boolean).join(", ");
}

/** Kind and size of a key, such as `EC P-256`. */
export function keyKind({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): string {
  switch (asymmetricKeyType) {
    case "rsa":
      return `RSA ${asymmetricKeyDetails?.modulusLength}`;
    case "ec": {
      const curve = asymmetricKeyDetails?.namedCurve ?? "";
      return `EC ${CURVES[curve] ?? curve}`;
    }
    case "ed25519":
      return "Ed25519";
    default:
      return String(asymmetricKeyType);
  }
}
