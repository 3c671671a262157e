/** Work that is dear: little of it at once, a bounded number waiting, and each client gets its turn. */

/** What work that found no room, or lost its place to a client that waits with less, is answered with. */
export const BUSY = Symbol("busy");

interface Job {
  start(): void;
  drop(): void;
}

export interface FairQueueOptions {
  /** How much runs at once. */
  atOnce: number;
  /** How much may wait, beside what is urgent. */
  waiting: number;
}

export class FairQueue {
  readonly #options: FairQueueOptions;
  /** By client; the first is the next. */
  readonly #lanes = new Map<string, Job[]>();
  readonly #urgent: Job[] = [];
  #running = 0;
  #waiting = 0;

  constructor(options: FairQueueOptions) {
    this.#options = options;
  }

  /**
   * Does the work when its turn comes: urgent first, then one of each client in turn. When all places are taken, a client
   * with less in the queue takes the last place of the one with the most.
   */
  run<T>(client: string | "urgent", work: () => Promise<T>): Promise<T | typeof BUSY> {
    return new Promise((done, failed) => {
      const job = {
        start: () => {
          this.#running++;
          work()
            .then(done, failed)
            .finally(() => {
              this.#running--;
              this.#next();
            });
        },
        drop: () => done(BUSY),
      };
      if (client === "urgent") this.#urgent.push(job);
      else if (this.#makeRoom(client)) {
        const lane = this.#lanes.get(client);
        if (lane === undefined) this.#lanes.set(client, [job]);
        else lane.push(job);
        this.#waiting++;
      } else job.drop();
      this.#next();
    });
  }

  #makeRoom(client: string): boolean {
    if (this.#waiting < this.#options.waiting) return true;
    let [most, lane]: [string, Job[]] = ["", []];
    for (const entry of this.#lanes) if (entry[1].length > lane.length) [most, lane] = entry;
    if (lane.length <= (this.#lanes.get(client)?.length ?? 0) + 1) return false;
    lane.pop()?.drop();
    if (lane.length === 0) this.#lanes.delete(most);
    this.#waiting--;
    return true;
  }

  #next(): void {
    if (this.#running >= this.#options.atOnce) return;
    (this.#urgent.shift() ?? this.#nextInTurn())?.start();
  }

  #nextInTurn(): Job | undefined {
    const [first] = this.#lanes;
    if (first === undefined) return undefined;
    const [client, lane] = first;
    const job = lane.shift();
    // Goes to the end of the round.
    this.#lanes.delete(client);
    if (lane.length > 0) this.#lanes.set(client, lane);
    this.#waiting--;
    return job;
  }
}
