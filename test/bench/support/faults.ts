/** Mild faults for a soak: each is something that the product promises to bear without a break of its streams. */
import { setTimeout as sleep } from "node:timers/promises";
import { type ChannelId, channels, type OnAir } from "./onAir.ts";

export interface Fault {
  /** For the log. */
  what: string;
  /** The process that is replaced for it; "" when none is. */
  replaces: string;
  happen(onAir: OnAir): Promise<void>;
}

function signalEncode(channel: ChannelId, signal: "SIGKILL" | "SIGSTOP"): Fault {
  return {
    what: `encode of ${channel} ${signal === "SIGKILL" ? "killed" : "frozen"}`,
    replaces: `${channel} encode`,
    happen: async (onAir) => {
      const pid = (await onAir.processes()).get(`${channel} encode`);
      if (pid !== undefined) process.kill(pid, signal);
    },
  };
}

const supervisorKilled: Fault = {
  what: "supervisor killed and started again",
  replaces: "supervisor",
  happen: async ({ station }) => {
    await station.box.stop("SIGKILL");
    await sleep(1000);
    await station.box.start();
  },
};

const srtPeerKilled: Fault = {
  what: "SRT receiver killed and started again",
  replaces: "",
  happen: async (onAir) => {
    onAir.killSrtPeer();
    await sleep(2000);
    onAir.startSrtPeer();
  },
};

const bitrateChanged: Fault = {
  what: "bitrate of ch1 changed for some seconds",
  replaces: "",
  happen: async (onAir) => {
    await onAir.patch("ch1", { video: { bitrate: 2000 } });
    await sleep(5000);
    await onAir.patch("ch1", { video: { bitrate: 3000 } });
  },
};

const all = [
  ...channels.flatMap((channel) => [signalEncode(channel, "SIGKILL"), signalEncode(channel, "SIGSTOP")]),
  supervisorKilled,
  srtPeerKilled,
  bitrateChanged,
];

/** All of them in an order of chance, again and again. */
export function* anyFaults(): Generator<Fault, never> {
  for (;;) {
    const left = [...all];
    while (left.length > 0) yield* left.splice(Math.floor(Math.random() * left.length), 1);
  }
}
