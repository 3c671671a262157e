/** Public keys of SSH as a line of text, checked as far as that goes without the key's owner. */

/** The types that sshd takes, by what makes them up beside their name (RFC 4253, 6.6; RFC 5656; RFC 8709; PROTOCOL.u2f). */
const types: Readonly<Record<string, (fields: Fields) => string>> = {
  "ssh-ed25519": (fields) => point(fields, 32),
  "ssh-rsa": rsa,
  "ecdsa-sha2-nistp256": (fields) => curve(fields, "nistp256", 65),
  "ecdsa-sha2-nistp384": (fields) => curve(fields, "nistp384", 97),
  "ecdsa-sha2-nistp521": (fields) => curve(fields, "nistp521", 133),
  "sk-ssh-ed25519@openssh.com": (fields) => point(fields, 32) || application(fields),
  "sk-ecdsa-sha2-nistp256@openssh.com": (fields) => curve(fields, "nistp256", 65) || application(fields),
};

const RSA_BITS = { minimum: 2048, maximum: 16384 } as const;
const DAMAGED = "must be a whole public key: this one is cut off or damaged";

/** What is wrong with a line of an authorized_keys file that holds a key and perhaps a comment, "" for nothing. */
export function publicKeyProblem(line: string): string {
  if (/PRIVATE KEY/.test(line)) return "must be the public key, from the file that ends with .pub: this one is private";
  const [, type = "", base64 = ""] = /^([a-z0-9@.-]+) ([A-Za-z0-9+/]+={0,2})(?: [^\p{Cc}]*)?$/u.exec(line) ?? [];
  if (type === "") return "must be one line with an OpenSSH public key, such as ssh-ed25519 AAAA… name";
  const check = Object.hasOwn(types, type) ? types[type] : undefined;
  if (check === undefined) return `must be a key of one of the types ${Object.keys(types).join(", ")}`;
  const bytes = decode(base64);
  if (bytes === undefined) return DAMAGED;
  const fields = new Fields(bytes);
  if (fields.text() !== type) return DAMAGED;
  return check(fields) || (fields.done ? "" : DAMAGED);
}

/** What tells one key from another: not its comment. */
export function publicKeyOf(line: string): string {
  return line.split(" ", 2).join(" ");
}

/** Fields behind their length (RFC 4251, 5). */
class Fields {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get done(): boolean {
    return this.#at === this.#bytes.length;
  }

  /** Empty where there is no whole one. */
  next(): Uint8Array {
    const start = this.#at + 4;
    if (start > this.#bytes.length) return new Uint8Array();
    const length = new DataView(this.#bytes.buffer, this.#at).getUint32(0);
    if (length > this.#bytes.length - start) return new Uint8Array();
    this.#at = start + length;
    return this.#bytes.subarray(start, this.#at);
  }

  text(): string {
    return String.fromCharCode(...this.next());
  }
}

function decode(base64: string): Uint8Array | undefined {
  try {
    // In the page, too, where there is no Buffer.
    return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  } catch {
    return undefined;
  }
}

function point(fields: Fields, length: number): string {
  return fields.next().length === length ? "" : DAMAGED;
}

function curve(fields: Fields, name: string, length: number): string {
  if (fields.text() !== name) return DAMAGED;
  const coordinates = fields.next();
  // An uncompressed point (SEC 1, 2.3.3).
  return coordinates.length === length && coordinates[0] === 4 ? "" : DAMAGED;
}

function application(fields: Fields): string {
  return fields.next().length > 0 ? "" : DAMAGED;
}

function rsa(fields: Fields): string {
  const [exponent, modulus] = [fields.next(), fields.next()];
  // A positive number begins with a zero byte where its highest bit is set.
  const digits = modulus[0] === 0 ? modulus.subarray(1) : modulus;
  const [first] = digits;
  if (exponent.length === 0 || first === undefined || first === 0) return DAMAGED;
  const bits = digits.length * 8 - Math.clz32(first) + 24;
  const { minimum, maximum } = RSA_BITS;
  if (bits >= minimum && bits <= maximum) return "";
  return `must have between ${minimum} and ${maximum} bits, this RSA key has ${bits}`;
}
