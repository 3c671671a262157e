/**
 * The box's certificate for HTTPS. At the first start it makes itself a key and a self-signed certificate; people can upload
 * their own, or have a request signed. Key and certificate are in one file, so that they always fit each other. The key leaves
 * the box only in encrypted backups.
 */
import { createPrivateKey, type KeyObject, type X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import type { SecureContextOptions } from "node:tls";
import type { Bus } from "../../bus.ts";
import { type Check, DurableJsonFile, type StoreProblem } from "../../config/durableFile.ts";
import type { FilePort } from "../../config/files.ts";
import {
  covers,
  examine,
  isSelfSigned,
  keyKind,
  keyToPem,
  nameInOneLine,
  namesOf,
  readChain,
  readKey,
  toPem,
  type UploadError,
  validity,
} from "./certificates.ts";
import { HOST_NAME, IssueError, makeKey, ownNames, type Run, requestFor, selfSign } from "./issue.ts";

/** What is stored; all of it PEM. */
export interface TlsDocument {
  origin: "self-signed" | "uploaded";
  /** The box's own first, then its issuers'. */
  certificate: string;
  key: string;
  /** The key of the last signing request, until its certificate is uploaded. */
  pending?: string;
}

/** What is told of the certificate. */
export interface TlsInfo {
  /** Who made it: the box, or somebody who uploaded it. */
  origin: TlsDocument["origin"];
  selfSigned: boolean;
  subject: string;
  issuer: string;
  /** Host names and addresses that it is for. */
  names: string[];
  /** Names and addresses of the box that it is not for. */
  missing: string[];
  /** ISO 8601. */
  from: string;
  to: string;
  /** Whether the clock of the box is within. */
  valid: boolean;
  /** `SHA256:` and 32 bytes in hexadecimal with colons. */
  fingerprint: string;
  /** Such as `EC P-256`. */
  key: string;
  /** How many certificates are sent, the issuers' included. */
  chain: number;
  /** Whether a signing request waits for its certificate. */
  pending: boolean;
}

export interface TlsServiceOptions {
  /** Holds `tls.json`. */
  folder: string;
  bus: Bus;
  clock: { after(ms: number, call: () => void): () => void };
  run: Run;
  files?: FilePort;
  now?(): Date;
  /** Host names and addresses for the certificate; the default is what the system tells. */
  names?(): string[];
}

export type TlsResult = { ok: true } | { ok: false; error: UploadError };

/** Forward secrecy and authenticated encryption alone; those of TLS 1.3 are all so. */
const CIPHERS = [
  ...["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"],
  ...["ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256"],
  ...["ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-RSA-AES256-GCM-SHA384"],
  ...["ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-RSA-CHACHA20-POLY1305"],
].join(":");

const HOUR_MS = 3_600_000;
/** A self-signed certificate is renewed so long before its end, ms. */
const RENEWAL_MS = 30 * 24 * HOUR_MS;

interface InForce {
  document: TlsDocument;
  chain: X509Certificate[];
  key: KeyObject;
}

export class TlsService {
  readonly #options: TlsServiceOptions;
  readonly #file: DurableJsonFile<TlsDocument>;
  readonly #now: () => Date;
  readonly #listeners = new Set<() => void>();
  #inForce: InForce | undefined;
  #revision = 0;
  #queue: Promise<unknown> = Promise.resolve();
  #cancel = () => {};

  constructor(options: TlsServiceOptions) {
    this.#options = options;
    const { folder, files } = options;
    this.#now = options.now ?? (() => new Date());
    const report = ({ file, what, action }: StoreProblem): void => this.#tell("warning", `${file} ${what}: ${action}`);
    this.#file = new DurableJsonFile({
      ...{ folder, name: "tls", check, report, now: this.#now },
      ...(files === undefined ? {} : { files }),
    });
  }

  /** Finds the certificate, or makes one. Never rejects: without one there is no HTTPS, and the log says why. */
  async start(): Promise<void> {
    const stored = await this.#file.read();
    if (stored !== null) {
      this.#revision = stored.revision;
      this.#inForce = load(stored.document);
      if (!this.#file.settled) await this.#file.write(stored).catch((error: unknown) => this.#failed(error));
    }
    await this.#look();
  }

  async stop(): Promise<void> {
    this.#cancel();
    await this.#queue;
  }

  /** For `https.createServer` and `setSecureContext`; without a certificate there are no handshakes. */
  context(): SecureContextOptions {
    const { certificate: cert, key } = this.#inForce?.document ?? {};
    const identity = cert === undefined || key === undefined ? {} : { cert, key };
    return { ...identity, minVersion: "TLSv1.2", ciphers: CIPHERS, honorCipherOrder: true };
  }

  /** Calls back when there is another certificate; returns the function that ends it. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Undefined: there is no certificate. */
  info(): TlsInfo | undefined {
    if (this.#inForce === undefined) return undefined;
    const { document, chain, key } = this.#inForce;
    const [own] = chain as [X509Certificate];
    const { from, to } = validity(own);
    const now = this.#now();
    return {
      origin: document.origin,
      selfSigned: isSelfSigned(own),
      subject: nameInOneLine(own.subject),
      issuer: nameInOneLine(own.issuer),
      names: namesOf(own),
      missing: this.#names().filter((name) => !covers(own, name)),
      from: from.toISOString(),
      to: to.toISOString(),
      valid: from <= now && now <= to,
      fingerprint: `SHA256:${own.fingerprint256}`,
      key: keyKind(key),
      chain: chain.length,
      pending: document.pending !== undefined,
    };
  }

  /**
   * Takes a certificate with its issuers'. Without a key it must fit the one of the last signing request or the one in force.
   * Rejects with StoreError, as every change does.
   */
  upload(upload: { certificate: string; key?: string | undefined }): Promise<TlsResult> {
    return this.#change(async () => {
      const chain = readChain(upload.certificate);
      if (!chain.ok) return chain;
      const own = chain.value[0] as X509Certificate;
      const key = upload.key === undefined ? this.#keyFor(own) : readKey(upload.key);
      if (!key.ok) return key;
      const error = examine(chain.value, key.value, this.#now());
      if (error !== undefined) return { ok: false, error };
      const pending = this.#inForce?.document.pending;
      const keep = pending !== undefined && !own.checkPrivateKey(createPrivateKey(pending));
      await this.#put({
        origin: "uploaded",
        certificate: toPem(chain.value),
        key: keyToPem(key.value),
        ...(keep ? { pending } : {}),
      });
      return { ok: true };
    });
  }

  /** Makes a new key and a self-signed certificate for the names and addresses that the box has now. Rejects with IssueError, too. */
  selfSign(): Promise<void> {
    return this.#change(async () => await this.#selfSign(await makeKey()));
  }

  /** A signing request, with a new key that is kept until its certificate is uploaded. Names must be valid. */
  request(commonName: string, names: readonly string[]): Promise<string> {
    return this.#change(async () => {
      const key = keyToPem(await makeKey());
      const pem = await requestFor(this.#options.run, key, commonName, names);
      const { document } = this.#inForce ?? {};
      if (document === undefined) throw new IssueError("there is no certificate yet");
      await this.#put({ ...document, pending: key });
      return pem;
    });
  }

  /** What is stored, for backups. */
  get document(): TlsDocument | undefined {
    return this.#inForce?.document;
  }

  /** Takes what `document` gave at some time, whatever the time is now. Does nothing when it is in force. */
  restore(document: TlsDocument): Promise<void> {
    return this.#change(async () => {
      if (JSON.stringify(document) !== JSON.stringify(this.#inForce?.document)) await this.#put(document);
    });
  }

  #keyFor(own: X509Certificate): { ok: true; value: KeyObject } | { ok: false; error: UploadError } {
    const { pending, key } = this.#inForce?.document ?? {};
    for (const pem of [pending, key]) {
      const found = pem === undefined ? undefined : createPrivateKey(pem);
      if (found !== undefined && own.checkPrivateKey(found)) return { ok: true, value: found };
    }
    const message = "belongs to none of the keys of this box: upload its key with it, or make a new signing request";
    return { ok: false, error: { field: "certificate", message } };
  }

  /** Makes or renews what the box makes by itself; looks again in an hour, since the clock may be set and time passes. */
  async #look(): Promise<void> {
    try {
      await this.#change(async () => {
        if (this.#inForce === undefined) return await this.#selfSign(await makeKey());
        const { document, chain, key } = this.#inForce;
        const { from, to } = validity(chain[0] as X509Certificate);
        const now = this.#now();
        const isDue = now < from || now.getTime() > to.getTime() - RENEWAL_MS;
        if (!isDue) return;
        // With the same key, so that who trusts the key goes on trusting it.
        if (document.origin === "self-signed") await this.#selfSign(key);
        else
          this.#tell("warning", `the certificate ${now < from ? "is not valid yet" : `ends on ${to.toISOString()}`}`);
      });
    } catch (error) {
      this.#failed(error);
    }
    this.#cancel = this.#options.clock.after(HOUR_MS, () => void this.#look());
  }

  async #selfSign(key: KeyObject): Promise<void> {
    const pem = keyToPem(key);
    const certificate = await selfSign(this.#options.run, pem, this.#names());
    const pending = this.#inForce?.document.pending;
    await this.#put({ origin: "self-signed", certificate, key: pem, ...(pending === undefined ? {} : { pending }) });
  }

  async #put(document: TlsDocument): Promise<void> {
    const inForce = load(document);
    const revision = this.#revision + 1;
    await this.#file.write({ revision, saved: this.#now().toISOString(), document });
    const isOther = this.#inForce?.document.certificate !== document.certificate;
    this.#revision = revision;
    this.#inForce = inForce;
    if (!isOther) return;
    for (const listener of [...this.#listeners]) {
      try {
        listener();
      } catch (error) {
        this.#failed(error);
      }
    }
  }

  #names(): string[] {
    const names = (this.#options.names ?? ownNames)();
    return names.filter((name) => isIP(name) !== 0 || HOST_NAME.test(name));
  }

  /** Changes run one after the other. */
  #change<T>(change: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(change);
    this.#queue = result.catch(() => undefined);
    return result;
  }

  #failed(error: unknown): void {
    this.#tell("error", `the certificate for HTTPS: ${error instanceof Error ? error.message : String(error)}`);
  }

  #tell(level: "warning" | "error", message: string): void {
    this.#options.bus.emit("log", { level, source: "tls", message });
  }
}

function load(document: TlsDocument): InForce {
  const chain = readChain(document.certificate);
  if (!chain.ok) throw new Error(chain.error.message);
  return { document, chain: chain.value, key: createPrivateKey(document.key) };
}

/** Whether a stored document makes sense. Its time does not matter: the clock may be wrong. */
export const check: Check<TlsDocument> = (value) => {
  const { origin, certificate, key, pending } = value as Partial<Record<keyof TlsDocument, unknown>>;
  if (origin !== "self-signed" && origin !== "uploaded") return { ok: false, what: "has no origin" };
  if (typeof certificate !== "string" || typeof key !== "string") return { ok: false, what: "has no certificate" };
  const chain = readChain(certificate);
  if (!chain.ok) return { ok: false, what: `has a certificate that ${chain.error.message}` };
  const read = readKey(key);
  if (!read.ok) return { ok: false, what: `has a key that ${read.error.message}` };
  if (!chain.value[0]?.checkPrivateKey(read.value)) return { ok: false, what: "has a key of another certificate" };
  if (pending === undefined) return { ok: true, document: { origin, certificate, key } };
  if (typeof pending !== "string" || !readKey(pending).ok) return { ok: false, what: "has a damaged key in waiting" };
  return { ok: true, document: { origin, certificate, key, pending } };
};
