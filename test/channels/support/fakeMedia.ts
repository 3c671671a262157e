/** Workers and slates without processes, whose orders can be read and whose lives the test makes. */
import type { MediaSetup } from "../../../src/channels/channel.ts";
import type { RawEvent } from "../../../src/media/connection.ts";
import type { EncodeSpec, Role, TransmitSpec } from "../../../src/media/protocol.ts";
import { slateSpec } from "../../../src/media/specs.ts";
import type { ApplyResult, Supervised, WorkerHooks, WorkerOptions, WorkerState } from "../../../src/media/worker.ts";

export class FakeWorker implements Supervised<unknown> {
  state: WorkerState = "starting";
  pid: number | null = null;
  starts = 0;
  adopted = false;
  lastExit = "";
  refusal: { message: string; field: string } | undefined;
  quietMs = 0;
  spec: unknown;
  readonly requests: string[] = [];
  readonly #media: FakeMedia;
  readonly #hooks: WorkerHooks;

  constructor(
    readonly options: WorkerOptions,
    hooks: WorkerHooks,
    media: FakeMedia,
  ) {
    this.#hooks = hooks;
    this.#media = media;
  }

  start(spec: unknown): void {
    this.spec = spec;
    this.starts++;
    this.#note("start");
  }

  async apply(spec: unknown): Promise<ApplyResult> {
    this.spec = spec;
    this.#note("apply");
    return { outcome: "applied", live: [], rebuilt: [] };
  }

  async request(method: string, params?: unknown): Promise<unknown> {
    this.requests.push(params === undefined ? method : `${method} ${JSON.stringify(params)}`);
    return {};
  }

  async stop(): Promise<void> {
    this.#note("stop");
    this.#media.workers.delete(this.options.title);
  }

  async detach(): Promise<void> {
    this.#note("detach");
  }

  /** Changes what it shows, as the supervision does. */
  become(state: WorkerState, lastExit = ""): void {
    this.state = state;
    this.lastExit = lastExit;
    this.#hooks.changed();
  }

  says(event: RawEvent): void {
    this.#hooks.event(event);
  }

  #note(what: string): void {
    this.#media.orders.push(`${what} ${this.options.title}`);
  }
}

export class FakeMedia {
  /** In order: `start ch1/encode`, `apply ch1/transmit` … */
  readonly orders: string[] = [];
  readonly workers = new Map<string, FakeWorker>();
  /** Clips that are there, by channel. */
  readonly clips = new Map<string, { path: string; shows: string }>();
  /** Clips that are being made, to be fulfilled by the test. */
  readonly making: { channel: string; done(): void; fail(error: Error): void }[] = [];
  readonly pruned: string[] = [];

  setup(runtimeFolder: string): MediaSetup {
    const command = (role: Role): [string] => [`/nonexistent/${role}`];
    return {
      platform: "pc",
      commands: { encode: command("encode"), transmit: command("transmit"), output: command("output") },
      runtimeFolder,
      orphanSeconds: 60,
      stamp: false,
      slates: {
        find: async (channel, spec) => {
          const clip = this.clips.get(channel);
          return { path: clip?.path ?? "", current: clip?.shows === JSON.stringify(slateSpec(spec)) };
        },
        make: (channel, spec) =>
          new Promise((resolve, reject) => {
            const path = `/slates/${channel}-${this.making.length + 1}.feed`;
            const done = () => {
              this.clips.set(channel, { path, shows: JSON.stringify(slateSpec(spec)) });
              resolve(path);
            };
            this.making.push({ channel, done, fail: reject });
          }),
        prune: async (channel, keep = "") => void this.pruned.push(`${channel} ${keep}`.trim()),
      },
      supervise: <Spec>(options: WorkerOptions, hooks: WorkerHooks): Supervised<Spec> => {
        const worker = new FakeWorker(options, hooks, this);
        this.workers.set(options.title, worker);
        return worker as Supervised<Spec>;
      },
    };
  }

  worker(title: string): FakeWorker {
    const worker = this.workers.get(title);
    if (worker === undefined) throw new Error(`there is no ${title}, only ${[...this.workers.keys()].join(", ")}`);
    return worker;
  }

  encode(channel = "ch1"): EncodeSpec {
    return this.worker(`${channel}/encode`).spec as EncodeSpec;
  }

  transmit(channel = "ch1"): TransmitSpec {
    return this.worker(`${channel}/transmit`).spec as TransmitSpec;
  }

  /** The orders since the last call. */
  takeOrders(): string[] {
    return this.orders.splice(0);
  }
}
