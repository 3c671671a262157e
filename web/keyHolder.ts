/** Presses keys for as long as somebody holds them. */
export class KeyHolder<K extends string> {
  readonly #send: (key: K, pressed: boolean) => Promise<void>;
  readonly #held = new Set<K>();
  #last: Promise<void> = Promise.resolve();

  /** @param send tells the box; it must not reject */
  constructor(send: (key: K, pressed: boolean) => Promise<void>) {
    this.#send = send;
  }

  press(key: K): void {
    if (this.#held.has(key)) return;
    this.#held.add(key);
    this.#queue(key, true);
  }

  release(key: K): void {
    if (this.#held.delete(key)) this.#queue(key, false);
  }

  /** When the page is left: a key that stays pressed in the reset hole would reset the box. */
  releaseAll(): void {
    for (const key of [...this.#held]) this.release(key);
  }

  /** One after the other, so that no release overtakes its press. */
  #queue(key: K, pressed: boolean): void {
    this.#last = this.#last.then(() => this.#send(key, pressed));
  }
}
