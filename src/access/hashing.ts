/** Passwords as Argon2id hashes (RFC 9106), made in the thread pool, two at a time. */
import { randomBytes } from "node:crypto";
import { BUSY, FairQueue } from "./fairQueue.ts";

export interface HashCost {
  /** KiB. */
  memoryCost: number;
  /** Passes. */
  timeCost: number;
  parallelism: number;
}

/** What OWASP's Password Storage Cheat Sheet asks for at the least: 19 MiB, two passes, one lane. */
export const HASH_COST: HashCost = { memoryCost: 19456, timeCost: 2, parallelism: 1 };

/** How many guesses may wait. One takes 6 ms on a PC and many times that on a board: the last still waits for seconds only. */
const WAITING = 64;

export class Hashing {
  readonly #cost: HashCost;
  readonly #queue = new FairQueue({ atOnce: 2, waiting: WAITING });
  /** What the passwords of users who are not there are held against: a hash of nothing that anybody knows. */
  readonly #decoy: string;
  #checked = 0;

  constructor(cost: HashCost = HASH_COST) {
    this.#cost = cost;
    const random = (bytes: number) => randomBytes(bytes).toString("base64").replaceAll("=", "");
    this.#decoy = `${prefix(cost)}${random(16)}$${random(32)}`;
  }

  /** How many passwords have been held against a hash, those of nobody included. */
  get checked(): number {
    return this.#checked;
  }

  /** Passwords are compared in Unicode's form NFKC, so that it does not matter how a keyboard makes an é. */
  async make(password: string): Promise<string> {
    const made = await this.#queue.run("urgent", async () => {
      const { hash } = await argon2();
      return await hash(password.normalize("NFKC"), this.#cost);
    });
    if (made === BUSY) throw new Error("urgent work is never dropped");
    return made;
  }

  /**
   * Whether the password is that of the hash. Without a hash it is not, but takes as long to say so.
   * @param client whose turn it is, or `urgent`.
   */
  async check(stored: string | undefined, password: string, client: string | "urgent"): Promise<boolean | typeof BUSY> {
    const right = await this.#queue.run(client, async () => {
      this.#checked++;
      const { verify } = await argon2();
      return await verify(stored ?? this.#decoy, password.normalize("NFKC"));
    });
    return right === BUSY ? BUSY : right && stored !== undefined;
  }

  /** Whether a hash was made at another cost than today's. */
  isOutdated(stored: string): boolean {
    return !stored.startsWith(prefix(this.#cost));
  }
}

function prefix({ memoryCost, timeCost, parallelism }: HashCost): string {
  return `$argon2id$v=19$m=${memoryCost},t=${timeCost},p=${parallelism}$`;
}

/** Loaded by the first log-in: a box goes for years without one, and it takes megabytes. */
function argon2(): Promise<typeof import("@node-rs/argon2")> {
  loaded ??= import("@node-rs/argon2");
  return loaded;
}

/** Kept, since asking for it again would take a turn of its own for each password. */
let loaded: Promise<typeof import("@node-rs/argon2")> | undefined;
