/**
 * A receiver that a driver of the kernel serves, through V4L2: its sub-device (/dev/v4l-subdevN), or the video device
 * where receiver and capture are one (HDMI-RX of the RK3588). v4l2-ctl makes the calls, so that no native part is needed.
 */
import { realpath } from "node:fs/promises";
import { basename, join } from "node:path";
import { BusError, type Clock } from "../ports.ts";
import { namesIn, readValue } from "./sysfs.ts";
import { SystemTool, type Tool } from "./tool.ts";
import {
  type DvTimings,
  formatEdid,
  ioctlError,
  type Output,
  type PictureFormat,
  parseControls,
  parseEdid,
  parseFormat,
  parseTimings,
} from "./v4l2ctl.ts";

/** Why there are no timings: VIDIOC_QUERY_DV_TIMINGS fails with ENOLINK, ENOLCK or ERANGE. */
export type TimingsFault = "no-link" | "no-lock" | "out-of-range";

/** One look at what a driver tells. */
export interface CaptureStatus {
  timings: DvTimings | TimingsFault;
  /** The 5 V of the cable (V4L2_CID_DV_RX_POWER_PRESENT); undefined where the driver does not tell. */
  power: boolean | undefined;
  /** Undefined where the driver does not tell. */
  audio: { present: boolean | undefined; rate: number | undefined };
  format: PictureFormat | undefined;
}

export interface Capture {
  /** @throws BusError */
  status(): Promise<CaptureStatus>;
  /** Makes the timings that come those in use (VIDIOC_S_DV_TIMINGS). @throws BusError also while pictures are taken */
  adopt(): Promise<void>;
  /**
   * The EDID as it is shown, at most so many blocks of 128 bytes, empty where there is none yet; undefined where the
   * driver has no EDID to write. @throws BusError
   */
  readEdid(blocks: number): Promise<Uint8Array | undefined>;
  /** The driver sets hot plug around it. @throws BusError */
  writeEdid(edid: Uint8Array): Promise<void>;
  /** Tells that the driver saw a change of the source (V4L2_EVENT_SOURCE_CHANGE). Returns the function that ends it. */
  watch(listener: () => void): () => void;
  close(): void;
}

export interface CaptureOptions {
  /** A path below /dev, or the name of the sub-device or video device in sysfs (see findVideoNode). */
  device: string;
  clock: Clock;
  tool?: Tool;
  sysfs?: string;
}

/** A watcher that could not watch is started again after so long, ms. */
const WATCH_RETRY = 5000;
/** The receivers have one pad for their input, the first. */
const PAD = 0;

/**
 * The device node of this name (/sys/class/video4linux/N/name). Names of I2C sub-devices end in their place
 * ("tc358743 7-000f"), which may be left out where it is clear without.
 * @throws BusError `unavailable` when there is none, or more than one
 */
export async function findVideoNode(name: string, sysfs = "/sys"): Promise<string> {
  if (name.startsWith("/dev/")) return name;
  const root = join(sysfs, "class/video4linux");
  const nodes = await namesIn(root, /^(v4l-subdev|video)\d+$/);
  const named = await Promise.all(
    nodes.map(async (node) => ({ node, name: (await readValue(join(root, node, "name"))) ?? "" })),
  );
  const exact = named.filter((one) => one.name === name);
  const found = exact.length > 0 ? exact : named.filter((one) => one.name.replace(/ \d+-[0-9a-f]{4}$/, "") === name);
  const [only] = found;
  if (only === undefined) throw new BusError("unavailable", `there is no video device "${name}"`);
  if (found.length > 1) {
    const which = found.map((one) => `"${one.name}"`).join(", ");
    throw new BusError("unavailable", `more than one video device has the name "${name}": ${which}`);
  }
  return `/dev/${only.node}`;
}

export class V4l2Capture implements Capture {
  readonly #device: string;
  readonly #clock: Clock;
  readonly #tool: Tool;
  readonly #sysfs: string;
  readonly #listeners = new Set<() => void>();
  #node: string | undefined;
  #queue: Promise<unknown> = Promise.resolve();
  /** The run of #follow() that counts, an object of its own. */
  #following: object | undefined;
  /** Ends what #follow() waits for. */
  #endWait = () => {};
  #closed = false;

  constructor({ device, clock, tool, sysfs }: CaptureOptions) {
    this.#device = device;
    this.#clock = clock;
    this.#tool = tool ?? new SystemTool("v4l2-ctl", clock);
    this.#sysfs = sysfs ?? "/sys";
  }

  async status(): Promise<CaptureStatus> {
    const output = await this.#run(async (node) => [
      "--list-ctrls",
      (await isSubdevice(node)) ? `--get-subdev-fmt=${PAD}` : "--get-fmt-video",
      "--query-dv-timings",
    ]);
    const controls = parseControls(output.stdout);
    const power = controls.get("power_present");
    const present = controls.get("audio_present");
    return {
      timings: this.#timings(output),
      // One bit for each pad or input.
      power: power === undefined ? undefined : (power & (1 << PAD)) !== 0,
      audio: { present: present === undefined ? undefined : present !== 0, rate: controls.get("audio_sampling_rate") },
      format: parseFormat(output.stdout),
    };
  }

  async adopt(): Promise<void> {
    this.#check(await this.#run(() => ["--set-dv-bt-timings=query"]), "VIDIOC_S_DV_TIMINGS");
  }

  async readEdid(blocks: number): Promise<Uint8Array | undefined> {
    const output = await this.#run(() => [`--get-edid=pad=${PAD},startblock=0,blocks=${blocks},format=hex`]);
    const error = ioctlError(output, "VIDIOC_G_EDID");
    if (error === "ENOTTY") return undefined;
    if (error !== "ENODATA") this.#check(output, "VIDIOC_G_EDID");
    return error === undefined ? parseEdid(output.stdout) : new Uint8Array();
  }

  async writeEdid(edid: Uint8Array): Promise<void> {
    const output = await this.#run(() => [`--set-edid=pad=${PAD},file=-`], formatEdid(edid));
    this.#check(output, "VIDIOC_S_EDID");
    // v4l2-ctl itself refuses blocks whose checksum is wrong.
    const refused = /^EDID not set.*$/m.exec(output.stderr);
    if (refused !== null) throw this.#failed(refused[0]);
  }

  watch(listener: () => void): () => void {
    this.#listeners.add(listener);
    void this.#follow();
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.#unfollow();
    };
  }

  close(): void {
    this.#closed = true;
    this.#listeners.clear();
    this.#unfollow();
  }

  #timings(output: Output): DvTimings | TimingsFault {
    const error = ioctlError(output, "VIDIOC_QUERY_DV_TIMINGS");
    // With an error, what it prints are no timings.
    if (error === undefined) return parseTimings(output.stdout) ?? "no-lock";
    if (error === "ENOLINK" || error === "ENODATA") return "no-link";
    if (error === "ENOLCK") return "no-lock";
    if (error === "ERANGE") return "out-of-range";
    throw this.#failed(error);
  }

  #check(output: Output, ioctl: string): void {
    const error = ioctlError(output, ioctl);
    if (error !== undefined) throw this.#failed(`${ioctl} fails (${error})`, error);
  }

  /** Runs v4l2-ctl on the device, one run at a time. */
  async #run(args: (node: string) => Promise<string[]> | string[], input?: string): Promise<Output> {
    const result = this.#queue.then(async () => {
      if (this.#closed) throw this.#failed("closed");
      this.#node ??= await findVideoNode(this.#device, this.#sysfs);
      const output = await this.#tool.run(["-d", this.#node, ...(await args(this.#node))], input);
      const refused = /^(Cannot open device|Failed to open|Unable to detect|.*: not a v4l2 node).*$/m.exec(
        output.stderr,
      );
      if (refused === null) return output;
      this.#node = undefined; // it may come back under another number
      throw this.#failed(refused[0]);
    });
    this.#queue = result.catch(() => {});
    return result;
  }

  #failed(why: string, code = why): BusError {
    const kind =
      code === "ENXIO" || code === "EREMOTEIO"
        ? "nack"
        : code === "ETIMEDOUT" || code === "EIO"
          ? "timeout"
          : undefined;
    return new BusError(kind ?? "unavailable", `video device ${this.#device}: ${why}`);
  }

  /** Keeps one watcher running for as long as somebody listens. */
  async #follow(): Promise<void> {
    if (this.#following !== undefined || this.#closed) return;
    const run = {};
    this.#following = run;
    while (this.#following === run) {
      const began = this.#clock.now();
      const changed = await this.#waitForChange(() => this.#following === run);
      if (this.#following !== run) return;
      if (changed) {
        for (const listener of [...this.#listeners]) listener();
      } else if (this.#clock.now() - began < WATCH_RETRY) {
        // It could not watch: there is no device now, or its driver has no such events.
        await new Promise<void>((resume) => {
          const cancel = this.#clock.after(WATCH_RETRY, resume);
          this.#endWait = () => {
            cancel();
            resume();
          };
        });
      }
    }
  }

  #unfollow(): void {
    this.#following = undefined;
    this.#endWait();
  }

  /** True when the driver told a change, false when the watcher ended for another reason. */
  async #waitForChange(wanted: () => boolean): Promise<boolean> {
    try {
      const node = await findVideoNode(this.#device, this.#sysfs);
      if (!wanted()) return false;
      const watcher = this.#tool.watch(["-d", node, `--wait-for-event=source_change=${PAD}`]);
      this.#endWait = () => watcher.stop();
      return /source_change/.test((await watcher.ended).stdout);
    } catch {
      return false;
    }
  }
}

async function isSubdevice(node: string): Promise<boolean> {
  const path = await realpath(node).catch(() => node);
  return basename(path).startsWith("v4l-subdev");
}
