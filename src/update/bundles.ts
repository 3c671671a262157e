/** The bundle at hand: it comes by upload, from a URL or from a USB stick, is checked, and is kept until it is installed. */
import { createReadStream } from "node:fs";
import { isWeb, nameOf, openUrl } from "./bundle/fetching.ts";
import type { BundleStore, Received } from "./bundle/store.ts";
import { usbBundles } from "./bundle/usb.ts";
import type { Desk } from "./desk.ts";
import { noWork, type StoredBundle } from "./memory.ts";
import { conflict, failed, inWords, type Refusal, type Taken } from "./results.ts";
import type { BundleOrigin, BundleStatus, UsbBundle } from "./status.ts";

export type Uploaded = { ok: true; bundle: BundleStatus } | Refusal;

type Source =
  | { ok: true; source: AsyncIterable<Uint8Array>; size: number | null; title: string }
  | { ok: false; why: string };

interface Order {
  origin: BundleOrigin;
  who: string;
  /** Lower case; undefined: not given. */
  sha256?: string | undefined;
  /** As people know it; "" until its source tells. */
  title: string;
}

export class Bundles {
  readonly #desk: Desk;
  readonly #store: BundleStore;
  readonly #usb: string;
  /** Ends what is received or checked. */
  #abort = new AbortController();
  #receiving: Promise<unknown> = Promise.resolve();

  /** @param usb where sticks are mounted */
  constructor(desk: Desk, store: BundleStore, usb: string) {
    this.#desk = desk;
    this.#store = store;
    this.#usb = usb;
  }

  /** Finds the bundle that was at hand, and removes what is not whole. */
  async start(): Promise<void> {
    const { memory } = this.#desk;
    const { bundle } = memory.current;
    const kept = await this.#store.start(bundle?.file).catch((error: unknown) => {
      this.#desk.log("error", `the folder of bundles cannot be used: ${inWords(error)}`);
      return false;
    });
    if (bundle !== null && (!kept || (await this.#store.sizeOf(bundle.file)) !== bundle.size)) {
      await this.#store.remove(bundle.file);
      await memory.change({ bundle: null });
    }
  }

  /** Tells what an earlier supervisor was receiving. */
  async interrupted(who: string): Promise<void> {
    const detail = "The box went down, or its supervisor ended, while a bundle was received";
    const event = this.#desk.event("interrupted", { version: "", who, detail });
    await this.#desk.memory.change({ work: null, trouble: `${detail}: send it again` }, event);
  }

  /** Ends what is being received; returns when nothing is left of it. */
  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#receiving;
  }

  /** Takes a bundle as it comes; returns when it has been checked, too. */
  async upload(source: AsyncIterable<Uint8Array>, size: number, title: string, who: string): Promise<Uploaded> {
    const refusal = (await this.#desk.unable()) ?? this.#desk.busy();
    if (refusal !== undefined) return refusal;
    return await this.#receive({ origin: "upload", who, title }, async () => ({ ok: true, source, size, title }));
  }

  /** Fetches a bundle in the background. */
  async fetch(url: string, sha256: string | undefined, who: string): Promise<Taken> {
    if (!isWeb(new URL(url)))
      return { ok: false, kind: "invalid", why: "The URL must be http or https, without a user" };
    const refusal = (await this.#desk.unable()) ?? this.#desk.busy();
    if (refusal !== undefined) return refusal;
    const order = { origin: "url" as const, who, sha256: sha256?.toLowerCase(), title: nameOf(new URL(url)) };
    void this.#receive(order, async (signal) => {
      const opened = await openUrl(url, signal);
      return opened.ok ? { ok: true, source: opened.body, size: opened.size, title: opened.name } : opened;
    });
    return { ok: true };
  }

  async onSticks(): Promise<UsbBundle[]> {
    return await usbBundles(this.#usb);
  }

  /** Takes a bundle from a stick in the background; undefined: it is not there. */
  async takeFromStick(id: string, who: string): Promise<Taken | undefined> {
    const found = (await this.onSticks()).find((one) => one.id === id);
    if (found === undefined) return undefined;
    const refusal = (await this.#desk.unable()) ?? this.#desk.busy();
    if (refusal !== undefined) return refusal;
    const { stick, file, size } = found;
    void this.#receive({ origin: "usb", who, title: file }, async () => {
      const source = createReadStream(`${this.#usb}/${stick}/${file}`, { highWaterMark: 256 * 1024 });
      return { ok: true, source, size, title: `${stick}/${file}` };
    });
    return { ok: true };
  }

  /** Removes the bundle at hand, or ends the receiving of one. */
  async remove(): Promise<Taken> {
    const { work } = this.#desk;
    if (work?.cancellable === false) {
      return conflict("The firmware is being installed: that is not given up halfway");
    }
    if (work === null) await this.#forget();
    else await this.stop();
    return { ok: true };
  }

  path({ file }: StoredBundle): string {
    return this.#store.path(file);
  }

  /** Removes what is not at hand any more. */
  async drop({ file }: StoredBundle): Promise<void> {
    await this.#store.remove(file);
  }

  async #forget(): Promise<void> {
    const { memory } = this.#desk;
    const { bundle } = memory.current;
    if (bundle === null) return;
    await memory.change({ bundle: null });
    await this.drop(bundle);
    this.#desk.changed();
  }

  #receive(order: Order, open: (signal: AbortSignal) => Promise<Source>): Promise<Uploaded> {
    this.#abort = new AbortController();
    const { signal } = this.#abort;
    if (!this.#desk.isOpen) this.#abort.abort();
    const received = this.#take(order, open, signal);
    this.#receiving = received;
    return received;
  }

  async #take(order: Order, open: (signal: AbortSignal) => Promise<Source>, signal: AbortSignal): Promise<Uploaded> {
    const desk = this.#desk;
    desk.begin({ what: "receive", percent: null, step: "Receiving", bytes: 0, totalBytes: null, cancellable: true });
    await desk.memory.change({ trouble: "", work: { ...noWork, what: "receive", who: order.who } });
    const opened = await open(signal).catch((error: unknown): Source => failed(error));
    if (!opened.ok) return await this.#notTaken("failed", opened.why, order);
    const { source, size, title } = opened;
    const max = await desk.slots.capacity().catch(() => 0);
    // Rather a new bundle than none: the old one makes room where it must.
    if (size !== null && size <= max && size > (await this.#store.room().catch(() => 0))) await this.#forget();
    const received = await this.#store.receive(source, {
      ...{ size, max, signal, sum: order.sha256 !== undefined },
      tell: (bytes) => {
        const percent = size === null || size === 0 ? null : Math.floor((bytes / size) * 100);
        desk.progress({ bytes, totalBytes: size, percent, step: `Receiving ${title}` });
      },
    });
    if (!received.ok) return await this.#notTaken(received.kind, received.why, { ...order, title });
    return await this.#check(received, { ...order, title }, signal);
  }

  async #check(
    { part, size, sha256 }: Extract<Received, { ok: true }>,
    order: Order,
    signal: AbortSignal,
  ): Promise<Uploaded> {
    const desk = this.#desk;
    desk.begin({ what: "verify", percent: null, step: "Checking", bytes: size, totalBytes: size, cancellable: true });
    const found =
      order.sha256 !== undefined && order.sha256 !== sha256
        ? { ok: false as const, why: `Its SHA-256 is ${sha256}, not the one that was given` }
        : await desk.slots
            .inspect(this.#store.path(part), (percent, step) => desk.progress({ percent, step }), signal)
            .catch((error: unknown) => failed(error));
    if (!found.ok) {
      await this.#store.remove(part);
      return await this.#notTaken(signal.aborted ? "cancelled" : "refused", found.why, order);
    }
    let file: string;
    try {
      file = await this.#store.keep(part);
    } catch (error) {
      await this.#store.remove(part);
      return await this.#notTaken("failed", inWords(error), order);
    }
    const { origin, title, who } = order;
    const old = desk.memory.current.bundle;
    const { version, build, compatible, notes, size: imageSize } = found.manifest;
    const received = desk.now().toISOString();
    const bundle = { version, build, compatible, notes, size, origin, received, file, imageSize, title };
    const event = desk.event("received", { version, who, detail: `${title} (${origin})` });
    await desk.memory.change({ bundle, work: null }, event);
    if (old !== null) await this.drop(old);
    desk.log("info", `a bundle with version ${version} has been received`);
    desk.end();
    return { ok: true, bundle: desk.bundleStatus(bundle) };
  }

  async #notTaken(
    kind: Extract<Received, { ok: false }>["kind"] | "refused",
    why: string,
    { title, who }: Order,
  ): Promise<Refusal> {
    const desk = this.#desk;
    const what = kind === "refused" ? "refused" : kind === "cancelled" || kind === "cut-off" ? "interrupted" : "failed";
    const trouble = kind === "cancelled" ? "" : `The bundle could not be taken: ${why}`;
    const event = desk.event(what, { version: "", who, detail: title === "" ? why : `${title}: ${why}` });
    await desk.memory.change({ work: null, trouble }, event);
    desk.log("warning", `a bundle was not taken: ${why}`);
    desk.end();
    const refused = kind === "too-large" || kind === "no-space" ? kind : kind === "cancelled" ? "conflict" : "invalid";
    return { ok: false, kind: refused, why };
  }
}
