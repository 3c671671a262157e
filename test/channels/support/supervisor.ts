/** The supervisor itself as a process, in folders of its own, on a port of its own. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { ChannelStatus } from "../../../src/channels/status.ts";
import type { ChannelConfig } from "../../../src/config/schema.ts";
import { findProcesses } from "../../../src/media/process.ts";
import { fetchLocally } from "../../support/login.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));

export async function until<T>(
  what: string,
  look: () => Promise<T | undefined | false> | T | undefined | false,
  ms = 10_000,
): Promise<T> {
  const deadline = performance.now() + ms;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > deadline) assert.fail(`waited ${ms} ms in vain for: ${what}`);
    await sleep(20);
  }
}

export class Supervisor {
  readonly folder: string;
  output = "";
  #process: ChildProcess | undefined;
  #url = "";

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** Folders for supervisors to run in; whatever runs there at the end of the test is killed. */
  static async prepare(t: TestContext): Promise<Supervisor> {
    const supervisor = new Supervisor(await mkdtemp("/dev/shm/sup-"));
    t.after(async () => {
      await supervisor.signal("SIGKILL");
      for (const { pid } of supervisor.media()) process.kill(pid, "SIGKILL");
      await rm(supervisor.folder, { recursive: true, force: true });
    });
    return supervisor;
  }

  get runtime(): string {
    return join(this.folder, "run");
  }
  get url(): string {
    return this.#url;
  }

  media() {
    return findProcesses((socket) => socket.startsWith(`${this.runtime}/`));
  }

  /** Runs main; returns when its API answers. */
  async start(...options: string[]): Promise<void> {
    const child = this.spawn(...options);
    this.#url = await until("the API", () => /Control\s+(http\S+)/.exec(this.output)?.[1], 15_000).catch((error) => {
      throw new Error(`${(error as Error).message}\n${this.output}`);
    });
    assert.equal(child.exitCode, null);
  }

  spawn(...options: string[]): ChildProcess {
    this.output = "";
    const folders = ["--data", join(this.folder, "data"), "--runtime", this.runtime];
    const args = ["--import", "tsx", join(root, "src/main.ts"), "--port", "0", "--https-port", "none"];
    const child = spawn(process.execPath, [...args, ...folders, ...options], {
      cwd: root,
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        this.output += text;
      });
    }
    this.#process = child;
    return child;
  }

  /** Signals it and waits for its end; gives its exit code. */
  async signal(name: NodeJS.Signals): Promise<number | null> {
    const child = this.#process;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null;
    const exit = once(child, "exit");
    child.kill(name);
    const [code] = (await exit) as [number | null];
    return code;
  }

  /** Asks as a program on the box does. */
  async request(method: string, path: string, body?: unknown): Promise<Response> {
    const content = body === undefined ? {} : { body: JSON.stringify(body) };
    const type = method === "PATCH" ? "application/merge-patch+json" : "application/json";
    const headers = { "Content-Type": type };
    return await fetchLocally(this.runtime, `/api/v1${path}`, { method, headers, ...content });
  }

  async status(channel = "ch1"): Promise<ChannelStatus> {
    const response = await this.request("GET", `/channels/${channel}/status`);
    assert.equal(response.status, 200);
    return (await response.json()) as ChannelStatus;
  }

  async change(patch: unknown, channel = "ch1"): Promise<void> {
    const response = await this.request("PATCH", `/channels/${channel}`, patch);
    assert.ok(response.ok, `${response.status} ${await response.clone().text()}`);
  }

  async reaches(state: ChannelStatus["state"], ms?: number): Promise<ChannelStatus> {
    return await until(
      `state ${state}`,
      async () => {
        const status = await this.status();
        return status.state === state && status;
      },
      ms,
    ).catch(async (error) => {
      throw new Error(`${(error as Error).message}\n${JSON.stringify(await this.status(), null, 1)}\n${this.output}`);
    });
  }
}

export type Patch = Partial<ChannelConfig>;
