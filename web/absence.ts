/** Whether the box is away on order, and what became of it when it is back. */
import type { FirmwareStatus, SlotName, SlotStatus } from "../src/update/status.ts";

export type AwayReason = "firmware" | "reboot" | "shutdown" | "reset";

export interface Away {
  why: AwayReason;
  /** The slot that ran, null where that is not known. */
  from: SlotName | null;
  /** The slot that shall run next, null for the same. */
  to: SlotName | null;
  /** Of the firmware that is started, "" for the same. */
  version: string;
  /** The connection was lost since. */
  gone: boolean;
  /** Of a reset: the network stays as it is. */
  keepNetwork: boolean;
}

/** What runs after a reboot. `back` is the version before, or the one that the box has gone back to. */
export type Outcome =
  | { kind: "up"; version: string }
  /** Another firmware has passed its health gate. */
  | { kind: "good"; version: string }
  /** Another firmware runs and is being tried. */
  | { kind: "trying"; version: string; back: string }
  | { kind: "given-up"; version: string; back: string; why: string }
  /** The box has come up with what it had. */
  | { kind: "not-started"; version: string; back: string };

export interface AbsenceState {
  away: Away | null;
  outcome: Outcome | null;
}

/** An order that has not taken the box down by then never will, ms: services stop within 20 s, the machine in 120 s. */
const downMs = 150_000;

/** The box starts another firmware, or is about to. */
function isStarting({ work, activation }: FirmwareStatus): boolean {
  return work?.what === "activate" || (work === null && activation?.when === "now");
}

const slotThat = (status: FirmwareStatus | null, is: (slot: SlotStatus) => boolean) => status?.slots?.find(is) ?? null;

/** With the build where the version alone does not tell which of the two it is. */
function nameOf({ version, build }: SlotStatus, other: SlotStatus): string {
  return version === other.version && build !== other.build ? `${version} (${build})` : version;
}

export function outcomeOf({ from, to }: Pick<Away, "from" | "to">, status: FirmwareStatus): Outcome {
  const running = slotThat(status, (slot) => slot.running);
  const wanted = slotThat(status, ({ name }) => name === (to ?? running?.name));
  const former = slotThat(status, ({ name }) => name === from);
  if (running === null || wanted === null) return { kind: "up", version: status.version };
  if (wanted !== running) {
    const [version, back] = [nameOf(wanted, running), nameOf(running, wanted)];
    return wanted.state === "bad"
      ? { kind: "given-up", version, back, why: wanted.why }
      : { kind: "not-started", version, back };
  }
  if (former === null || former === running) return { kind: "up", version: running.version };
  const version = nameOf(running, former);
  return running.state === "good"
    ? { kind: "good", version }
    : { kind: "trying", version, back: nameOf(former, running) };
}

export class AbsenceWatch {
  #state: AbsenceState = { away: null, outcome: null };
  #status: FirmwareStatus | null = null;
  /** What the outcome was made from. */
  #last: Away | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #look: () => Promise<FirmwareStatus | null>;
  readonly #listeners = new Set<() => void>();

  /** @param look asks for the state of the firmware, null where the box does not tell */
  constructor(look: () => Promise<FirmwareStatus | null>) {
    this.#look = look;
  }

  get state(): AbsenceState {
    return this.#state;
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The box has taken an order that makes it go. */
  expect(why: AwayReason, keepNetwork = false): void {
    const from = slotThat(this.#status, ({ running }) => running);
    const next = slotThat(this.#status, ({ running, next }) => next && !running);
    // An order to start the other slot now may not have changed the order of the slots yet.
    const to = why === "firmware" ? (next ?? slotThat(this.#status, ({ running }) => !running)) : next;
    const version = to !== null && from !== null ? nameOf(to, from) : "";
    const away = { why, keepNetwork, version, from: from?.name ?? null, to: to?.name ?? null, gone: false };
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#state.away?.gone === false && this.forget(), downMs);
    this.#set({ away, outcome: null });
  }

  /** What is known of the firmware, from the box or from the page. */
  take(status: FirmwareStatus): void {
    this.#status = status;
    const { away, outcome } = this.#state;
    if (away === null && isStarting(status)) this.expect("firmware");
    else if (away?.why === "firmware" && !away.gone && status.work === null && status.trouble !== "") this.forget();
    else if (outcome?.kind === "trying" && this.#last !== null)
      this.#set({ away, outcome: outcomeOf(this.#last, status) });
  }

  /** The connection is lost. */
  lost(): void {
    const { away, outcome } = this.#state;
    if (away !== null) this.#set({ away: { ...away, gone: true }, outcome });
    // What is being tried may be given up.
    else if (outcome?.kind === "trying" && this.#last !== null) this.#set({ away: this.#last, outcome: null });
  }

  /** The connection is there again. */
  async back(): Promise<void> {
    if (this.#state.away?.gone !== true) return;
    const status = await this.#look();
    const { away } = this.#state;
    if (away === null || !away.gone) return;
    if (status !== null && isStarting(status)) {
      // Only the connection was gone.
      this.#set({ away: { ...away, gone: false }, outcome: null });
      return;
    }
    clearTimeout(this.#timer);
    this.#last = away;
    if (status !== null) this.#status = status;
    this.#set({ away: null, outcome: away.why === "reset" || status === null ? null : outcomeOf(away, status) });
  }

  /** What became of it has been read. */
  dismiss(): void {
    this.#set({ ...this.#state, outcome: null });
  }

  /** Nobody is logged in any more, or the box stays. */
  forget(): void {
    clearTimeout(this.#timer);
    this.#last = null;
    this.#set({ away: null, outcome: null });
  }

  #set(state: AbsenceState): void {
    this.#state = state;
    for (const listener of this.#listeners) listener();
  }
}
