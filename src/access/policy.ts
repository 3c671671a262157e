/** Which passwords may be set: long ones that nobody would guess first. There are no rules of what must be in them. */

/** Characters. */
export const PASSWORD_LENGTH = { min: 10, max: 128 };

export interface Surroundings {
  user: string;
  /** Name of the box. */
  box: string;
}

/** Why a password must not be set, after "the password", or undefined when it may. Never repeats it. */
export async function policyWeakness(password: string, { user, box }: Surroundings): Promise<string | undefined> {
  const { min, max } = PASSWORD_LENGTH;
  const length = [...password].length;
  if (length < min || length > max) return `must have ${min} to ${max} characters, has ${length}`;
  const plain = password.normalize("NFKC").toLowerCase();
  const core = coreOf(plain);
  const names = [user, box, "steadycast", "administrator"].map(coreOf).filter((name) => name !== "");
  if (names.includes(core)) return "must not be the name of the user or of the box";
  if (new Set(plain).size < 4) return "must not be the same few characters again and again";
  const known = (await import("./commonPasswords.ts")).commonPasswords;
  // Digits and marks around a common password are what programs that guess try next.
  if (known.has(plain) || (core.length * 2 > plain.length && known.has(core))) {
    return "is one of those that are tried first, because many people have it";
  }
  return undefined;
}

/** Letters and digits alone, and no digits at both ends. */
function coreOf(text: string): string {
  return text
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]/gu, "")
    .replaceAll(/^\p{N}+|\p{N}+$/gu, "");
}
