/** The whole product with one small channel on air, for the fault tests: what is done to it, and what is seen. */
import assert from "node:assert/strict";
import type { ChannelStatus, WorkerStatus } from "../../../src/channels/status.ts";
import { RealBox } from "../../browser/support/realBox.ts";
import type { Scope } from "./worker.ts";

/** PIDs and periods (90 kHz) of the channel below. */
export const videoPid = 256;
export const audioPid = 257;
export const videoStep = 3600;
export const audioStep = 1920;

/** 640×360p25 at 1.2 Mbit/s with AAC in 2 Mbit/s CBR. */
export function smallChannel(address: string, port: number, more: object = {}): object {
  return {
    id: "ch1",
    name: "Channel 1",
    source: { type: "test", width: 640, height: 360 },
    video: { width: 640, height: 360, bitrate: 1200 },
    transport: { bitrate: 2000 },
    outputs: [{ type: "udp", id: "main", address, port, interface: "lo" }],
    ...more,
  };
}

export class Station {
  readonly box: RealBox;

  private constructor(config: object) {
    this.box = new RealBox(config, ["--stamp"]);
  }

  /** Starts the supervisor with these channels; returns when all are live. */
  static async start(t: Scope, channels: object[]): Promise<Station> {
    const station = new Station({ version: 3, channels });
    t.after(() => station.box.remove());
    t.after(() => station.box.stop());
    await station.box.start();
    for (const { id = "ch1" } of channels as { id?: string }[]) await station.settled("live", 15_000, id);
    return station;
  }

  async call(method: string, path: string, body?: unknown): Promise<unknown> {
    const response = await this.box.fetch(`/api/v1${path}`, {
      method,
      ...(body === undefined
        ? {}
        : { body: JSON.stringify(body), headers: { "content-type": "application/merge-patch+json" } }),
    });
    const text = await response.text();
    assert(response.ok, `${method} ${path}: ${response.status} ${text}`);
    return text === "" ? undefined : JSON.parse(text);
  }

  /** Changes the channel by a merge patch. */
  async patch(change: object): Promise<void> {
    await this.call("PATCH", "/channels/ch1", change);
  }

  async status(id = "ch1"): Promise<ChannelStatus> {
    return (await this.call("GET", `/channels/${id}/status`)) as ChannelStatus;
  }

  /** Waits until the channel's status is as wanted. */
  async figures(wanted: (status: ChannelStatus) => boolean, timeoutMs = 15_000, id = "ch1"): Promise<ChannelStatus> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const status = await this.status(id).catch(() => undefined);
      if (status !== undefined && wanted(status)) return status;
      assert(performance.now() < deadline, `not within ${timeoutMs} ms: ${wanted}, but ${JSON.stringify(status)}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Waits until the channel is in a state. */
  async settled(state: ChannelStatus["state"], timeoutMs = 15_000, id = "ch1"): Promise<ChannelStatus> {
    return this.figures((status) => status.state === state, timeoutMs, id);
  }

  /** Waits until the channel is live and its processes have worked for more than a second: until then a death counts as a failed start. */
  async proven(): Promise<void> {
    await this.figures(
      ({ state, encode, transmit }) =>
        state === "live" && (encode?.video.out ?? 0) > 40 && (transmit?.programmes[0]?.units ?? 0) > 120,
    );
  }

  async worker(role: WorkerStatus["role"]): Promise<WorkerStatus & { pid: number }> {
    const found = (await this.status()).workers.find((worker) => worker.role === role);
    assert(found !== undefined && found.pid !== null, `no ${role}`);
    return { ...found, pid: found.pid };
  }

  /** Waits until another process does this work. */
  async replaced(role: WorkerStatus["role"], oldPid: number): Promise<void> {
    const fresh = (worker: WorkerStatus) =>
      worker.role === role && worker.state === "running" && worker.pid !== null && worker.pid !== oldPid;
    await this.figures(({ workers }) => workers.some(fresh));
  }
}

/** Box clock, ns. */
export function now(): bigint {
  return process.hrtime.bigint();
}
