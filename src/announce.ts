/** What the supervisor says on the terminal. */
import type { Bus } from "./bus.ts";
import { outputUrl } from "./channels/monitor.ts";
import type { ConfigService } from "./config/store.ts";

export function say(message: string): void {
  process.stdout.write(`${message}\n`);
}

/** Where to look, and how to watch each stream; then, as they come, that channels are on air. */
export function announce(options: {
  bus: Bus;
  config: ConfigService;
  url: string;
  began: number;
  isNew: boolean;
}): void {
  const { bus, config, url, began, isNew } = options;
  say(`\nControl     ${url}`);
  if (isNew) say("  The box waits for its first password: log in as admin with the password admin");
  for (const channel of config.current.channels) {
    if (!channel.enabled) continue;
    for (const output of channel.outputs) {
      if (output.type === "srt" || !output.enabled) continue;
      say(`\n${channel.name}   ${outputUrl(output)}${output.interface === "" ? "" : ` on ${output.interface}`}`);
      for (const line of players(output)) say(`  ${line}`);
    }
  }
  say("");
  const waiting = new Set(config.current.channels.filter(({ enabled }) => enabled).map(({ id }) => id));
  const unlisten = bus.on("channel", ({ id, name, state }) => {
    if (state !== "live" || !waiting.delete(id)) return;
    say(`${name} is live after ${((performance.now() - began) / 1000).toFixed(1)} s`);
    if (waiting.size === 0) unlisten();
  });
}

/** Commands that play a stream on this machine. */
function players(output: { type: "udp" | "rtp"; address: string; port: number; interface: string }): string[] {
  const { type, address, port } = output;
  // Without these the players join where the routing table leads.
  const [local, face] = output.interface === "lo" ? ["?localaddr=127.0.0.1", " --miface lo"] : ["", ""];
  return [`ffplay '${type}://${address}:${port}${local}'`, `vlc${face} '${type}://@${address}:${port}'`];
}
