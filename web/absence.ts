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

/** A box that goes so long after another firmware was made the next to start goes for that, ms. */
const soonMs = 60_000;

/** Another firmware is the next to start, or is being made so. Whether the box goes for it at once is not told by that. */
function isOrdered({ work, activation }: FirmwareStatus): boolean {
  return work?.what === "activate" || (work === null && activation?.when === "next-boot");
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
  /** This page has ordered that the box starts what it installs. */
  #armed = false;
  /** When another firmware was made the next to start, ms of the page's monotonic clock. */
  #orderedAt = Number.NEGATIVE_INFINITY;
  /** What ran when the connection was lost, unasked. */
  #unasked: Away | null = null;
  /** What the outcome was made from. */
  #last: Away | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #look: () => Promise<FirmwareStatus | null>;
  readonly #now: () => number;
  readonly #listeners = new Set<() => void>();

  /** @param look asks for the state of the firmware, null where the box does not tell */
  constructor(look: () => Promise<FirmwareStatus | null>, now = () => performance.now()) {
    this.#look = look;
    this.#now = now;
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
    this.#armed = false;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#state.away?.gone === false && this.forget(), downMs);
    this.#set({ away: this.#away(why, keepNetwork), outcome: null });
  }

  /** The box has taken an order to install firmware, and to start it then. */
  expectWhenInstalled(): void {
    this.#armed = true;
  }

  #away(why: AwayReason, keepNetwork = false): Away {
    const from = slotThat(this.#status, ({ running }) => running);
    const next = slotThat(this.#status, ({ running, next }) => next && !running);
    // An order to start the other slot now may not have changed the order of the slots yet.
    const to = why === "firmware" ? (next ?? slotThat(this.#status, ({ running }) => !running)) : next;
    const version = to !== null && from !== null ? nameOf(to, from) : "";
    return { why, keepNetwork, version, from: from?.name ?? null, to: to?.name ?? null, gone: false };
  }

  /** What is known of the firmware, from the box or from the page. */
  take(status: FirmwareStatus): void {
    if (isOrdered(status) && (this.#status === null || !isOrdered(this.#status))) this.#orderedAt = this.#now();
    this.#status = status;
    const { away, outcome } = this.#state;
    const failed = status.work === null && status.trouble !== "";
    if (this.#armed && failed) this.#armed = false;
    else if (this.#armed && isOrdered(status)) this.expect("firmware");
    else if (away?.why === "firmware" && !away.gone && failed) this.forget();
    else if (outcome?.kind === "trying" && this.#last !== null)
      this.#set({ away, outcome: outcomeOf(this.#last, status) });
  }

  /** The connection is lost. */
  lost(): void {
    const { away, outcome } = this.#state;
    const isSoon = this.#status !== null && isOrdered(this.#status) && this.#now() - this.#orderedAt < soonMs;
    if (away !== null) this.#set({ away: { ...away, gone: true }, outcome });
    // What is being tried may be given up.
    else if (outcome?.kind === "trying" && this.#last !== null) this.#set({ away: this.#last, outcome: null });
    else if (isSoon) this.#set({ away: { ...this.#away("firmware"), gone: true }, outcome: null });
    else if (this.#status !== null) this.#unasked ??= this.#away("reboot");
  }

  /** The connection is there again. */
  async back(): Promise<void> {
    const before = this.#state.away ?? this.#unasked;
    if (before === null || (this.#state.away !== null && !before.gone)) return;
    const status = await this.#look();
    const { away } = this.#state;
    if ((away ?? this.#unasked) !== before) return;
    this.#unasked = null;
    if (status === null) {
      this.#set({ away: null, outcome: null });
      return;
    }
    if (
      away?.why === "firmware" &&
      isOrdered(status) &&
      slotThat(status, ({ running }) => running)?.name === away.from
    ) {
      // Only the connection was gone.
      this.#set({ away: { ...away, gone: false }, outcome: null });
      return;
    }
    clearTimeout(this.#timer);
    this.#last = { ...before, gone: true };
    const outcome = outcomeOf(before, status);
    const isNews = away === null ? outcome.kind !== "up" && outcome.kind !== "not-started" : away.why !== "reset";
    this.#set({ away: null, outcome: isNews ? outcome : this.#state.outcome });
  }

  /** What became of it has been read. */
  dismiss(): void {
    this.#set({ ...this.#state, outcome: null });
  }

  /** Nobody is logged in any more, or the box stays. */
  forget(): void {
    clearTimeout(this.#timer);
    this.#armed = false;
    this.#unasked = null;
    this.#last = null;
    this.#set({ away: null, outcome: null });
  }

  #set(state: AbsenceState): void {
    this.#state = state;
    for (const listener of this.#listeners) listener();
  }
}
