/** Passwords that many people have, some 49,000, in lower case. To be loaded when they are needed: most starts never need them. */
import { dictionary } from "@zxcvbn-ts/language-common";

export const commonPasswords: ReadonlySet<string> = new Set(
  dictionary["passwords-common"].map((password) => String(password).toLowerCase()),
);
