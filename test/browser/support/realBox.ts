/** The box itself: supervisor and media processes, in folders of their own. */
import { type ChildProcess, spawn } from "node:child_process";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { Bus } from "../../../src/bus.ts";
import { type Config, config as schema } from "../../../src/config/schema.ts";
import { ConfigService } from "../../../src/config/store.ts";
import { fetchLocally, type Session, setUp } from "../../support/login.ts";

const program = fileURLToPath(new URL("../../../scripts/supervisor", import.meta.url));

export class RealBox {
  readonly folder = mkdtempSync(join(tmpdir(), "box-"));
  /** In memory, as on the box: a disk's writing back would disturb the stream. */
  readonly runtime = mkdtempSync("/dev/shm/box-");
  readonly config: Config;
  url = "";
  readonly #options: readonly string[];
  #process: ChildProcess | null = null;
  #port = 0;
  #admin: Promise<Session> | undefined;

  /**
   * @param config what it has stored when it starts for the first time; without default values.
   * @param options further options of the supervisor.
   */
  constructor(config: unknown, options: readonly string[] = []) {
    this.config = schema.parse(config);
    this.#options = options;
  }

  /** Of the supervisor, while it runs. */
  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** Starts the supervisor; again on the same port. Resolves when it answers. */
  async start(): Promise<void> {
    if (this.#port === 0) await this.#storeConfig();
    const args = ["--port", `${this.#port}`, "--data", join(this.folder, "data"), "--runtime", this.runtime];
    const fixed = ["--https-port", "none", "--orphan-seconds", "15"];
    const child = spawn(program, [...args, ...fixed, ...this.#options], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    this.#process = child;
    for await (const line of createInterface({ input: child.stdout })) {
      const [, url, port] = /^Control +(http:\/\/127\.0\.0\.1:(\d+))/.exec(line) ?? [];
      if (url === undefined) continue;
      this.url = url;
      this.#port = Number(port);
      child.stdout.resume();
      return;
    }
    throw new Error("the supervisor ended before it answered");
  }

  /** Asks as a program on the box does. */
  async fetch(path: string, init?: { method?: string; headers?: Record<string, string>; body?: string }) {
    return await fetchLocally(this.runtime, path, init);
  }

  /** The session of the admin, who sets the box up when this is asked for first. */
  async admin(): Promise<Session> {
    this.#admin ??= setUp(this.url);
    return await this.#admin;
  }

  /** Ends the supervisor: SIGTERM takes the media along, SIGKILL leaves it running. */
  async stop(signal: "SIGTERM" | "SIGKILL" = "SIGTERM"): Promise<void> {
    const child = this.#process;
    this.#process = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill(signal);
    await ended;
  }

  remove(): void {
    for (const folder of [this.folder, this.runtime]) rmSync(folder, { recursive: true, force: true });
  }

  async #storeConfig(): Promise<void> {
    const service = new ConfigService({
      folder: join(this.folder, "data"),
      bus: new Bus(),
      initial: () => this.config,
    });
    await service.start();
    await service.stop();
  }
}

/** A box with one channel on air, and a receiver of it, until the test's end. */
export async function boxOnAir(t: TestContext, address: string, port: number): Promise<[RealBox, Receiver]> {
  const output = { type: "udp", id: "main", address, port, interface: "lo" };
  const box = new RealBox({ version: 3, channels: [{ id: "ch1", name: "Channel 1", outputs: [output] }] });
  t.after(() => box.remove());
  await box.start();
  t.after(() => box.stop());
  const receiver = await Receiver.join(address, port);
  t.after(() => receiver.close());
  return [box, receiver];
}

/** Counts the datagrams of a multicast group on the loopback interface. */
export class Receiver {
  count = 0;
  readonly #socket: Socket;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("message", () => {
      this.count += 1;
    });
  }

  static async join(address: string, port: number): Promise<Receiver> {
    const socket = createSocket({ type: "udp4", reuseAddr: true });
    socket.bind(port, address);
    await once(socket, "listening");
    socket.addMembership(address, "127.0.0.1");
    return new Receiver(socket);
  }

  /** Datagrams that come in that time. */
  async during(ms: number): Promise<number> {
    const before = this.count;
    await new Promise((resolve) => setTimeout(resolve, ms));
    return this.count - before;
  }

  close(): void {
    this.#socket.close();
  }
}
