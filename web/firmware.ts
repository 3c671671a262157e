/** The firmware of the box as it was told last, and the bundle that this page sends. */
import type { FirmwareStatus } from "../src/update/status.ts";
import { ApiError } from "./api.ts";
import { fetchFirmware, type Sending, sendBundle } from "./firmwareApi.ts";

export interface FirmwareState {
  /** Null until the box has told. */
  status: FirmwareStatus | null;
  /** Why the box did not tell. */
  error: ApiError | null;
  /** Bytes of the file that this page sends. */
  upload: { name: string; sent: number; total: number } | null;
  /** Why the last file was not taken. */
  refusal: ApiError | null;
}

const nothing: FirmwareState = { status: null, error: null, upload: null, refusal: null };

export class FirmwareWatch {
  #state = nothing;
  #sending: Sending | null = null;
  /** Counts news, so that an answer to an older question changes nothing. */
  #turn = 0;
  readonly #fetch: () => Promise<FirmwareStatus>;
  readonly #send: typeof sendBundle;
  readonly #listeners = new Set<() => void>();

  constructor(fetch = fetchFirmware, send = sendBundle) {
    this.#fetch = fetch;
    this.#send = send;
  }

  get state(): FirmwareState {
    return this.#state;
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** News of the box. */
  take(status: FirmwareStatus): void {
    this.#turn += 1;
    this.#set({ status, error: null });
  }

  /** Asks the box; what was known stays when it does not answer. */
  async look(): Promise<FirmwareStatus | null> {
    const turn = ++this.#turn;
    try {
      const status = await this.#fetch();
      if (turn === this.#turn) this.take(status);
      return status;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (turn === this.#turn) this.#set({ error });
      return null;
    }
  }

  /** Sends a file, whichever page is shown meanwhile; one at a time. */
  async send(file: File): Promise<void> {
    if (this.#sending !== null) return;
    const { name, size: total } = file;
    this.#set({ upload: { name, sent: 0, total }, refusal: null });
    // The headers of the request count as well.
    const sending = this.#send(file, (sent) => {
      if (this.#sending === sending) this.#set({ upload: { name, sent: Math.min(sent, total), total } });
    });
    this.#sending = sending;
    try {
      await sending.done;
    } catch (refusal) {
      if (!(refusal instanceof ApiError)) throw refusal;
      if (this.#sending === sending) this.#set({ refusal });
    } finally {
      if (this.#sending === sending) {
        this.#sending = null;
        this.#set({ upload: null });
      }
    }
    await this.look();
  }

  /** The box keeps nothing of a file that is cut off. */
  abort(): void {
    this.#sending?.abort();
  }

  /** Why the last file was not taken has been read, or is over. */
  dismiss(): void {
    this.#set({ refusal: null });
  }

  /** Nobody is logged in. */
  forget(): void {
    const sending = this.#sending;
    this.#sending = null;
    sending?.abort();
    this.#turn += 1;
    this.#set(nothing);
  }

  #set(news: Partial<FirmwareState>): void {
    this.#state = { ...this.#state, ...news };
    for (const listener of this.#listeners) listener();
  }
}
