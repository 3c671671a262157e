/** Takes secrets out of text. What is written for people or sent to them goes through here, whatever made it. */
import { type Config, SECRET_MARK } from "../../config/schema.ts";
import { extractSecrets } from "../../config/secrets.ts";

export type Redact = (text: string) => string;

/** Shorter ones say nothing that could be looked for: any text is full of them. */
const SHORTEST = 4;
/** From here on a secret is taken out of the middle of a word, too. */
const SURE = 8;

/** What is secret by its form, whoever's it is. */
const FORMS: readonly [RegExp, string][] = [
  // Keys in PEM (RFC 7468), also one that is cut off.
  [/-----BEGIN ([A-Z ]*)PRIVATE KEY-----[\s\S]*?(-----END \1PRIVATE KEY-----|$)/g, SECRET_MARK],
  // API tokens of this box, and hashes of passwords.
  [/\bsc_[A-Za-z0-9_-]{8,}/g, SECRET_MARK],
  [/\$argon2(id|i|d)?\$[A-Za-z0-9+/=,$.-]+/g, SECRET_MARK],
  // Credentials in HTTP, of either kind, and in URLs (RFC 3986, 3.2.1).
  [/\b(Bearer|Basic) [A-Za-z0-9._~+/=-]{6,}/gi, `$1 ${SECRET_MARK}`],
  [/\b(__Host-)?(steadycast_(?:session|device))=[^;\s"]+/g, `$1$2=${SECRET_MARK}`],
  [/(:\/\/[^\s:/@]*):[^\s/@]+@/g, `$1:${SECRET_MARK}@`],
  [/\b(passphrase|password|passwd|secret|token)=[^&\s"'<>]+/gi, `$1=${SECRET_MARK}`],
];

/**
 * Makes a function that puts SECRET_MARK in the place of secrets.
 *
 * @param secrets those set now; asked each time, and cheap when the list is the same one as before
 */
export function redactor(secrets: () => readonly string[]): Redact {
  let known: readonly string[] | undefined;
  let pattern: RegExp | undefined;
  return (text) => {
    const now = secrets();
    if (now !== known) {
      known = now;
      pattern = patternOf(now);
    }
    const without = pattern === undefined ? text : text.replace(pattern, SECRET_MARK);
    return FORMS.reduce((kept, [form, mark]) => kept.replace(form, mark), without);
  };
}

/**
 * The values of all settings that the schema marks as secret.
 *
 * @param current the configuration in force; undefined while there is none
 */
export function configSecrets(current: () => Config | undefined): () => readonly string[] {
  let last: Config | undefined;
  let secrets: readonly string[] = [];
  return () => {
    const config = current();
    if (config !== last) secrets = config === undefined ? [] : Object.values(extractSecrets(config).secrets);
    last = config;
    return secrets;
  };
}

function patternOf(secrets: readonly string[]): RegExp | undefined {
  const forms = new Set(
    secrets.filter((secret) => secret.length >= SHORTEST && secret !== SECRET_MARK).flatMap(formsOf),
  );
  if (forms.size === 0) return undefined;
  // The longest first: one may be the beginning of another.
  const longest = [...forms].sort((a, b) => b.length - a.length);
  return new RegExp(longest.map(toPattern).join("|"), "g");
}

/**
 * The ways in which a text may come to hold a secret: as it is, within JSON, within a URL, as base64, and its UTF-8 taken for
 * Latin-1.
 */
function formsOf(secret: string): string[] {
  const base64 = Buffer.from(secret).toString("base64");
  // Half a surrogate pair cannot be told in a URL.
  const inUrl = encodeURIComponent(Buffer.from(secret).toString());
  return [
    secret,
    JSON.stringify(secret).slice(1, -1),
    inUrl,
    base64.replace(/=+$/, ""),
    Buffer.from(secret).toString("latin1"),
  ];
}

/** A short one, such as a PIN, only as a word of its own: it is also part of numbers that have nothing to do with it. */
function toPattern(form: string): string {
  const literal = form.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
  return form.length >= SURE ? literal : `(?<![A-Za-z0-9])${literal}(?![A-Za-z0-9])`;
}
