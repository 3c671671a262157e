import { execFileSync } from "node:child_process";
import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TlsService, type TlsServiceOptions } from "../../../src/access/tls/service.ts";
import { Bus, type Events } from "../../../src/bus.ts";
import { commandRunner } from "../../../src/system/command.ts";
import { SimulatedDisk } from "../../config/support/disk.ts";
import { VirtualClock } from "../../support/virtualClock.ts";

export class TlsBench {
  readonly disk: SimulatedDisk;
  readonly clock = new VirtualClock();
  readonly bus = new Bus();
  readonly logged: Events["log"][] = [];
  readonly service: TlsService;
  names = ["box", "box.local", "localhost", "127.0.0.1", "2001:db8::7"];
  /** Beside the real time, ms. */
  later = 0;

  constructor(disk = new SimulatedDisk(), options: Partial<TlsServiceOptions> = {}) {
    const { bus, clock } = this;
    this.disk = disk;
    bus.on("log", (line) => this.logged.push(line));
    const now = () => new Date(Date.now() + this.later);
    this.service = new TlsService({
      ...{ folder: "/data/tls", bus, clock, run: commandRunner(), files: disk, now, names: () => this.names },
      ...options,
    });
  }

  static async start(disk?: SimulatedDisk, options?: Partial<TlsServiceOptions>): Promise<TlsBench> {
    const bench = new TlsBench(disk, options);
    await bench.service.start();
    return bench;
  }
}

export function pem(key: KeyObject): string {
  return key.export({ type: "pkcs8", format: "pem" }) as string;
}

export const ecKey = (): KeyObject => generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
export const rsaKey = (modulusLength: number): KeyObject => generateKeyPairSync("rsa", { modulusLength }).privateKey;
export const edKey = (): KeyObject => generateKeyPairSync("ed25519").privateKey;

/** A certificate authority, made with the real openssl. */
export class Authority {
  readonly #folder = mkdtempSync(join(tmpdir(), "steadycast-tls-"));
  readonly key: KeyObject;
  readonly certificate: string;
  readonly #name: string;

  constructor(name: string, issuer?: Authority) {
    this.#name = name;
    this.key = ecKey();
    const own = { name, days: 1000, extensions: ["basicConstraints=critical,CA:TRUE"] };
    this.certificate = issuer === undefined ? this.sign(this.key, own) : issuer.sign(this.key, own);
  }

  /** Signs a request (PKCS #10), or makes a certificate for a key; self-signed while there is no certificate of its own. */
  sign(
    key: KeyObject | string,
    { name = "box", days = 90, extensions = ["subjectAltName=DNS:box"], digest = "sha256" } = {},
  ): string {
    const request = typeof key === "string" ? key : this.#request(key, name);
    const [config, input, own, ownKey] = ["ext.cnf", "in.csr", "ca.pem", "ca.key"].map((file) =>
      join(this.#folder, file),
    ) as [string, string, string, string];
    writeFileSync(config, extensions.join("\n"));
    writeFileSync(input, request);
    writeFileSync(ownKey, pem(this.key));
    const signer =
      this.certificate === undefined ? ["-key", ownKey] : ["-CA", own, "-CAkey", ownKey, "-CAcreateserial"];
    if (this.certificate !== undefined) writeFileSync(own, this.certificate);
    return openssl("x509", "-req", "-in", input, ...signer, `-${digest}`, "-days", String(days), "-extfile", config);
  }

  #request(key: KeyObject, name: string): string {
    const file = join(this.#folder, "request.key");
    writeFileSync(file, pem(key));
    return openssl("req", "-new", "-key", file, "-subj", `/CN=${name}/O=${this.#name}`);
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true });
  }
}

export function openssl(...args: string[]): string {
  return execFileSync("openssl", args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}
