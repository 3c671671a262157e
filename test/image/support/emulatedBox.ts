/**
 * The box in QEMU: its image (scripts/bench-image), its console with a shell of root, its ports, the frames that it sends,
 * and its power. A test that needs a box which has booted long ago begins with one (onAir.ts) instead of a boot.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { EventEmitter, once } from "node:events";
import {
  createReadStream,
  createWriteStream,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  type WriteStream,
} from "node:fs";
import type { ClientRequest } from "node:http";
import { request } from "node:https";
import { connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";

/** What QEMU's own emulation of arm64 makes of a second of a box: deadlines here are generous, they only catch hangs. */
const DISK_SIZE = "4G";
const API_TIMEOUT = 60_000;
/** How often a box that comes up is asked whether it does, ms. */
const ASK_MS = 750;

export interface UdpDatagram {
  source: string;
  destination: string;
  port: number;
  payload: Buffer;
}

export interface Answer {
  status: number;
  body: unknown;
  cookies: string[];
}

/** A box that stands still: what its memory and its disk held when it was stopped. */
export interface Still {
  state: string;
  disk: string;
}

export interface BoxOptions {
  /** A folder that the box gets as another disk, /dev/vdb. */
  extra?: string;
  /** File for the console. */
  log?: string;
  /** It goes on from there when it is switched on first, instead of booting; with as many processors as it had. */
  from?: Still;
  /** Two boxes at once are done sooner with one processor each than with two. */
  cpus?: 1 | 2;
}

export interface ShellResult {
  code: number;
  text: string;
}

/** Builds the image, or gives the one that there is. Throws with what is missing. */
export function buildImage(...args: string[]): string {
  const built = spawnSync("scripts/bench-image", args, { encoding: "utf8", maxBuffer: 1 << 26 });
  if (built.status !== 0) throw new Error(`scripts/bench-image: ${built.stderr.slice(-4000)}`);
  return built.stdout.trim();
}

export class EmulatedBox {
  /** Everything that the console has shown since the disk was made. */
  console = "";
  /** Where disk and console's log are. */
  readonly folder = mkdtempSync(join(tmpdir(), "steadycast-box-"));
  readonly #image: string;
  readonly #extra: string[];
  readonly #cpus: number;
  readonly #log: WriteStream;
  readonly #changes = new EventEmitter();
  #qemu: ChildProcess | undefined;
  #frames: Server | undefined;
  #calls = 0;
  #began = 0;
  /** How much the console had shown before. */
  #switchedOn = 0;
  #ports = new Map<number, number>();
  #onDatagram: (datagram: UdpDatagram) => void = () => {};

  /** Sent with each request to the API, where there is one. */
  token = "";
  /** What it goes on from at its next start. */
  #state: string | undefined;

  constructor(
    image: string,
    { extra = "", log = join("build/test", "image-console.log"), from, cpus = 2 }: BoxOptions = {},
  ) {
    this.#image = resolve(image);
    this.#cpus = cpus;
    this.#state = from?.state;
    this.#extra = extra === "" ? [] : this.#makeExtra(extra);
    mkdirSync(dirname(log), { recursive: true });
    this.#changes.setMaxListeners(0);
    this.#log = createWriteStream(log, { flags: "a" });
    const made = spawnSync("qemu-img", [
      ...["create", "-q", "-f", "qcow2", "-F", from === undefined ? "raw" : "qcow2"],
      ...["-b", from?.disk ?? join(this.#image, "disk.img")],
      ...[join(this.folder, "disk.qcow2"), DISK_SIZE],
    ]);
    if (made.status !== 0) throw new Error(`qemu-img: ${made.stderr}`);
  }

  #makeExtra(folder: string): string[] {
    const file = join(this.folder, "extra.img");
    const used = Number(spawnSync("du", ["-skL", folder], { encoding: "utf8" }).stdout.split("\t")[0]);
    const made = spawnSync("mke2fs", ["-q", "-t", "ext4", "-d", folder, file, `${Math.ceil(used * 1.1) + 4096}k`]);
    if (made.status !== 0) throw new Error(`mke2fs: ${made.stderr}`);
    const drive = `if=none,id=extra,file=${file},format=raw,readonly=on`;
    return ["-drive", drive, "-device", "virtio-blk-pci,drive=extra"];
  }

  /** Switches it on. @param more arguments to QEMU for this once */
  async start(more: readonly string[] = []): Promise<void> {
    const path = (name: string) => join(this.folder, name);
    rmSync(path("frames"), { force: true });
    this.#frames = createServer((socket) => this.#readFrames(socket)).listen(path("frames"));
    await once(this.#frames, "listening");
    this.#began = performance.now();
    this.#switchedOn = this.console.length;
    const state = this.#state;
    this.#state = undefined;
    const qemu = spawn(
      "nice",
      [
        ...["-n", "10", "qemu-system-aarch64", "-M", "virt", "-cpu", "cortex-a72", "-m", "1024"],
        ...["-smp", String(this.#cpus)],
        ...["-display", "none", "-nodefaults", "-serial", "stdio", "-bios", join(this.#image, "u-boot.bin")],
        ...["-drive", `if=none,id=disk,file=${path("disk.qcow2")},format=qcow2,cache=writeback,discard=unmap`],
        ...["-device", "virtio-blk-pci,drive=disk", "-device", "virtio-rng-pci"],
        ...this.#extra,
        ...more,
        ...["-netdev", "user,id=net,hostfwd=tcp:127.0.0.1:0-:80,hostfwd=tcp:127.0.0.1:0-:443"],
        ...["-device", "virtio-net-pci,netdev=net,romfile="],
        ...["-chardev", `socket,id=frames,path=${path("frames")}`],
        ...["-object", "filter-mirror,id=mirror,netdev=net,queue=rx,outdev=frames"],
        ...["-device", "i6300esb", "-action", "watchdog=reset", "-device", "qemu-xhci,id=usb"],
        ...["-qmp", `unix:${path("qmp")},server=on,wait=off`],
        ...(state === undefined ? [] : ["-incoming", `exec:cat '${state}'`]),
      ],
      { stdio: ["pipe", "pipe", "pipe"] },
    );
    this.#qemu = qemu;
    const take = (chunk: Buffer) => {
      const text = chunk.toString("latin1").replaceAll("\r", "");
      this.console += text;
      this.#log.write(text);
      this.#changes.emit("change");
    };
    qemu.stdout.on("data", take);
    qemu.stderr.on("data", take);
    qemu.stdin.on("error", () => {});
    qemu.once("exit", () => this.#changes.emit("change"));
    await this.#readPorts();
    if (state !== undefined) {
      // It was stopped when its memory was laid down, and so it comes back.
      await this.#becomes("paused");
      await this.qmp("cont");
    }
  }

  /** Stops it and lays down what it holds; the box itself ends. @param folder of the files, which stay */
  async freeze(folder: string): Promise<Still> {
    const still = { state: join(resolve(folder), "state"), disk: join(resolve(folder), "disk.qcow2") };
    await this.qmp("stop");
    await this.qmp("migrate", { uri: `exec:cat >'${still.state}'` });
    await this.#becomes("postmigrate");
    await this.qmp("quit").catch(() => {});
    await this.cut();
    const moved = spawnSync("mv", [join(this.folder, "disk.qcow2"), still.disk]);
    if (moved.status !== 0) throw new Error(`mv: ${moved.stderr}`);
    return still;
  }

  async #becomes(wanted: string): Promise<void> {
    const end = performance.now() + 60_000;
    for (;;) {
      const { status } = (await this.qmp("query-status")) as { status: string };
      if (status === wanted) return;
      if (performance.now() > end) throw new Error(`QEMU is still ${status}: ${this.#tail()}`);
      await sleep(50);
    }
  }

  /** Cuts its power: nothing is written any more. */
  async cut(): Promise<void> {
    const qemu = this.#qemu;
    this.#qemu = undefined;
    if (qemu !== undefined && qemu.exitCode === null && qemu.signalCode === null) {
      qemu.kill("SIGKILL");
      await once(qemu, "exit");
    }
    this.#frames?.close();
  }

  /** Ends it and removes its disk. */
  async remove(): Promise<void> {
    await this.cut();
    this.#log.end();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Seconds since it was switched on. */
  get seconds(): number {
    return (performance.now() - this.#began) / 1000;
  }

  /** Waits until the console shows it, and gives what follows from there on for the next call. */
  async shows(pattern: RegExp, from = 0, seconds = 120): Promise<number> {
    const end = performance.now() + seconds * 1000;
    for (;;) {
      const match = pattern.exec(this.console.slice(from));
      if (match !== null) return from + match.index + match[0].length;
      if (this.#qemu === undefined || this.#qemu.exitCode !== null) throw new Error(`QEMU has ended: ${this.#tail()}`);
      const left = end - performance.now();
      if (left <= 0) throw new Error(`${pattern} did not show within ${seconds} s: ${this.#tail()}`);
      await Promise.race([once(this.#changes, "change"), sleep(Math.min(left, 1000))]);
    }
  }

  /** Runs a command of the shell in the box, as root. */
  async shell(command: string, seconds = 60): Promise<ShellResult> {
    const id = ++this.#calls;
    const from = this.console.length;
    // What else writes to the console cannot come into the answer: it is one line that is looked for as a whole.
    const line = `o=$( { ${command}\n } 2>&1 ); c=$?; printf '\\n@@${id}:%d:%s@@\\n' $c "$(printf %s "$o" | base64 -w 0)"\n`;
    this.#qemu?.stdin?.write(line);
    await this.shows(new RegExp(`@@${id}:\\d+:[A-Za-z0-9+/=]*@@`), from, seconds);
    const [, code, text = ""] = new RegExp(`@@${id}:(\\d+):([A-Za-z0-9+/=]*)@@`).exec(this.console.slice(from)) ?? [];
    return { code: Number(code), text: Buffer.from(text, "base64").toString() };
  }

  /** Waits until the shell answers. @param from where in the console the boot begins */
  async shellReady(from = this.#switchedOn, seconds = 90): Promise<void> {
    // U-Boot must not take the first key as a wish to stop.
    await this.shows(/Welcome to/, from, seconds);
    const end = performance.now() + seconds * 1000;
    for (;;) {
      try {
        // The kernel's messages need not be on the console any more: the journal has them.
        await this.shell("dmesg -n 1", 5);
        return;
      } catch (error) {
        if (performance.now() > end) throw error;
      }
    }
  }

  /** A request to the API of the box. */
  api(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
    timeout = API_TIMEOUT,
  ): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const sent = this.#request(method, path, { "content-type": "application/json", ...headers }, resolve, reject);
      sent.setTimeout(timeout, () => sent.destroy(new Error(`no answer to ${method} ${path}`)));
      sent.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  /**
   * Sends a file.
   * @param bytes how much of it is sent before the connection is cut; the answer is then the error that this makes
   * @param size what Content-Length says
   */
  upload(path: string, file: string, { bytes = Number.POSITIVE_INFINITY, size = statSync(file).size } = {}) {
    return new Promise<Answer>((resolve, reject) => {
      const headers = { "content-type": "application/octet-stream", "content-length": String(size) };
      const sent = this.#request("POST", path, headers, resolve, reject);
      let left = bytes;
      const source = createReadStream(file);
      source.on("data", (chunk) => {
        const part = Buffer.from(chunk as Buffer).subarray(0, left);
        left -= part.length;
        const flowing = sent.write(part);
        if (left <= 0) {
          source.destroy();
          sent.end(() => sent.destroy(new Error("cut off")));
        } else if (!flowing) {
          source.pause();
          sent.once("drain", () => source.resume());
        }
      });
      source.on("end", () => sent.end());
      source.on("error", reject);
      sent.on("error", () => source.destroy());
    });
  }

  #request(
    method: string,
    path: string,
    headers: Record<string, string>,
    resolve: (answer: Answer) => void,
    reject: (error: Error) => void,
  ): ClientRequest {
    const port = this.#ports.get(443);
    const own: Record<string, string> = { "steadycast-request": "1", origin: `https://127.0.0.1:${port}` };
    if (this.token !== "") own.authorization = `Bearer ${this.token}`;
    const options = {
      host: "127.0.0.1",
      port,
      method,
      path: `/api/v1${path}`,
      rejectUnauthorized: false,
      agent: false,
    };
    const sent = request({ ...options, headers: { ...own, ...headers } }, (answer) => {
      const parts: Buffer[] = [];
      answer.on("data", (part: Buffer) => parts.push(part));
      answer.on("error", reject);
      answer.on("end", () => {
        const text = Buffer.concat(parts).toString();
        const cookies = (answer.headers["set-cookie"] ?? []).map((one) => one.split(";", 1)[0] ?? "");
        let body: unknown = text === "" ? undefined : text;
        try {
          body = text === "" ? undefined : JSON.parse(text);
        } catch {
          // It is text, then.
        }
        resolve({ status: answer.statusCode ?? 0, body, cookies });
      });
    });
    sent.on("error", reject);
    return sent;
  }

  /** Sets the password of a new box, and sends a token of all rights with each request from then on. */
  async setUp(): Promise<void> {
    const session = await this.api("POST", "/session", { user: "admin", password: "admin" });
    const cookie = () => ({ cookie: session.cookies.join("; ") });
    const set = await this.api("POST", "/setup", { password: "a long phrase for the tests" }, cookie());
    if (set.cookies.length > 0) session.cookies = set.cookies;
    const made = await this.api("POST", "/tokens", { name: "tests", role: "admin" }, cookie());
    const { token } = (made.body ?? {}) as { token?: string };
    if (token === undefined) {
      throw new Error(`The box cannot be set up: ${JSON.stringify([session.body, set.body, made.body])}`);
    }
    this.token = token;
  }

  /** Waits until the API answers, and gives the status of the first answer. */
  async apiReady(seconds = 150): Promise<number> {
    const began = performance.now();
    let status: number | undefined;
    let last: unknown;
    while (status === undefined) {
      const waited = performance.now() - began;
      if (waited > seconds * 1000) throw last;
      // What QEMU has for a network that is not up yet it sends again only after seconds: the next one is there before.
      // So few at a time, because the box answers all that wait as soon as it can.
      const patience = 3000 + waited / 5;
      this.api("GET", "/session", undefined, {}, patience).then(
        (answer) => {
          status ??= answer.status;
        },
        (error) => {
          last = error;
        },
      );
      await sleep(ASK_MS);
    }
    return status;
  }

  /** Tells each datagram that the box sends from now on. */
  onDatagram(listener: (datagram: UdpDatagram) => void): void {
    this.#onDatagram = listener;
  }

  #tail(): string {
    return this.console.slice(-2000);
  }

  /** QEMU takes free ports and tells which. */
  async #readPorts(): Promise<void> {
    const told = await this.qmp("human-monitor-command", { "command-line": "info usernet" });
    for (const [, host, guest] of String(told).matchAll(/HOST_FORWARD\]\s+\d+\s+127\.0\.0\.1\s+(\d+)\s+\S+\s+(\d+)/g)) {
      this.#ports.set(Number(guest), Number(host));
    }
    if (this.#ports.size !== 2) throw new Error(`QEMU tells no ports: ${String(told)}`);
  }

  /** Plugs a USB stick in. @param file all that is on it */
  async plugStick(file: string): Promise<void> {
    const medium = { driver: "file", filename: resolve(file) };
    await this.qmp("blockdev-add", { "node-name": "stick", driver: "raw", "read-only": true, file: medium });
    await this.qmp("device_add", { driver: "usb-storage", bus: "usb.0", drive: "stick", id: "stick" });
  }

  /** Pulls it, whatever is being read from it. */
  async pullStick(): Promise<void> {
    await this.qmp("device_del", { id: "stick" });
  }

  /** A command to QEMU. */
  async qmp(command: string, parameters: Record<string, unknown> = {}): Promise<unknown> {
    const socket = await this.#connectQmp();
    let text = "";
    try {
      socket.write(
        `{"execute":"qmp_capabilities"}\n${JSON.stringify({ execute: command, arguments: parameters, id: 1 })}\n`,
      );
      for await (const chunk of socket) {
        text += String(chunk);
        for (const line of text.split("\r\n").slice(0, -1)) {
          const answer = JSON.parse(line) as { id?: number; return?: unknown; error?: { desc: string } };
          if (answer.error !== undefined) throw new Error(`QEMU: ${answer.error.desc}`);
          if (answer.id === 1) return answer.return;
        }
      }
      throw new Error("QEMU has closed its monitor");
    } finally {
      socket.destroy();
    }
  }

  async #connectQmp(): Promise<Socket> {
    const end = performance.now() + 20_000;
    for (;;) {
      const socket = connect(join(this.folder, "qmp"));
      try {
        await once(socket, "connect");
        return socket;
      } catch (error) {
        if (performance.now() > end) throw error;
        await sleep(50);
      }
    }
  }

  /** Ethernet frames behind their length. */
  #readFrames(socket: Socket): void {
    let waiting: Buffer = Buffer.alloc(0);
    socket.on("error", () => {});
    socket.on("data", (chunk) => {
      waiting = waiting.length === 0 ? chunk : Buffer.concat([waiting, chunk]);
      let at = 0;
      while (waiting.length - at >= 4) {
        const length = waiting.readUInt32BE(at);
        if (waiting.length - at - 4 < length) break;
        const datagram = udpOf(waiting.subarray(at + 4, at + 4 + length));
        if (datagram !== undefined) this.#onDatagram(datagram);
        at += 4 + length;
      }
      waiting = waiting.subarray(at);
    });
  }
}

/** What an Ethernet frame carries, when that is UDP over IPv4 in one piece. */
function udpOf(frame: Buffer): UdpDatagram | undefined {
  if (frame.length < 42 || frame.readUInt16BE(12) !== 0x0800 || frame[23] !== 17) return undefined;
  const start = 14 + ((frame[14] ?? 0) & 0x0f) * 4;
  const length = frame.readUInt16BE(start + 4);
  return {
    source: [...frame.subarray(26, 30)].join("."),
    destination: [...frame.subarray(30, 34)].join("."),
    port: frame.readUInt16BE(start + 2),
    payload: frame.subarray(start + 8, start + length),
  };
}

export function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
