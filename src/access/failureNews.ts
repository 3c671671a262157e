/** Tells the audit log of failed log-ins, without letting whoever guesses fill it. */
import type { AuditEvent } from "./record.ts";

/** So many are told one by one in each minute; of the others, only how many there were. */
const PER_MINUTE = 20;
const MINUTE = 60_000;

export class FailureNews {
  readonly #now: () => number;
  readonly #record: (event: AuditEvent) => void;
  #minute = Number.NEGATIVE_INFINITY;
  #told = 0;
  #untold = 0;

  constructor(now: () => number, record: (event: AuditEvent) => void) {
    this.#now = now;
    this.#record = record;
  }

  tell(event: AuditEvent & { detail: string }): void {
    if (this.#now() >= this.#minute + MINUTE) [this.#minute, this.#told] = [this.#now(), 0];
    if (this.#told >= PER_MINUTE) {
      this.#untold++;
      return;
    }
    this.#told++;
    const more = this.#untold === 0 ? "" : `; before that, ${this.#untold} more that are not listed`;
    this.#untold = 0;
    this.#record({ ...event, detail: `${event.detail}${more}` });
  }
}
