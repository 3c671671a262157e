/** What the front panel's menu shows and orders beyond the board: channels, network, firmware. */
import { networkInterfaces } from "node:os";
import type { AccessService } from "./access/access.ts";
import type { LightStates } from "./board/panel/leds.ts";
import type { Answer, ChannelFacts, MenuHost, NetworkFacts } from "./board/panel/menu/host.ts";
import type { Channels } from "./channels/channels.ts";
import { mergePatch } from "./config/json.ts";
import { presetsOf, variantFor, withPreset } from "./config/presets.ts";
import type { SourceConfig } from "./config/schema.ts";
import type { ChangeResult, ConfigService } from "./config/store.ts";
import type { PowerService } from "./system/power/powerService.ts";

/** Who makes the changes, in the history. */
const PANEL = "front panel";

export interface PanelHostOptions {
  config: ConfigService;
  channels: Channels;
  version: string;
  /** Of the firmware that runs. */
  slot: () => string;
  serial: string;
  /** Where the GUI is reached; undefined while it is not. */
  url: () => string | undefined;
  power: Pick<PowerService, "order" | "factoryReset">;
  access: Pick<AccessService, "users">;
}

export function panelHost(options: PanelHostOptions): Omit<MenuHost, "findMe" | "inputs" | "alarms"> {
  const { config, channels, version, slot, serial, url, power, access } = options;
  return {
    configuration: () => config.current,
    change: async (patch) => {
      const options = { ifTag: [config.tag], author: PANEL, local: true };
      return answerTo(await config.replace(mergePatch(config.current, patch), options));
    },
    channels: () => channelFacts(config, channels),
    presets: () => presetsOf(config.current.presets).filter(({ available }) => available),
    applyPreset: (channel, id) => applyPreset(config, channel, id),
    network: () => networkFacts(url()),
    device: () => ({ version, slot: slot(), serial }),
    reboot: async () => {
      const result = await power.order("reboot", "ordered at the front panel");
      return result.ok ? "done" : refused(result.why);
    },
    resetPassword: () => access.users.resetPassword(),
    factoryReset: async () => {
      const result = await power.factoryReset({ keepNetwork: false });
      return result !== "done" && "refused" in result ? refused(result.refused) : "done";
    },
  };
}

async function applyPreset(config: ConfigService, channel: string, id: string): Promise<Answer> {
  const preset = presetsOf(config.current.presets).find((one) => one.id === id);
  const old = config.channel(channel);
  if (preset === undefined || old === undefined) return refused("is not there any more");
  const variant = variantFor(preset, old);
  if (variant === undefined) return refused(`${preset.name} is not made for ${old.video.frameRate} Hz`);
  const options = { author: PANEL, comment: `preset ${preset.name}`, local: true };
  return answerTo(await config.editChannel(channel, (now) => withPreset(now, variant), options));
}

function answerTo(result: ChangeResult): Answer {
  if (result.ok) return "done";
  if (result.reason === "invalid") return result.errors;
  const why = result.reason === "trial" ? "a change waits for its confirmation" : result.reason;
  return [{ pointer: "", message: `it cannot be stored (${why})` }];
}

function refused(message: string): Answer {
  return [{ pointer: "", message }];
}

function channelFacts(config: ConfigService, channels: Channels): ChannelFacts[] {
  return channels.list().map(({ id, name, state, transmit, faults }) => {
    const source = config.channel(id)?.source;
    return {
      ...{ id, name, state },
      input: source === undefined ? "" : sourceName(source),
      bitrate: transmit?.bitrate ?? 0,
      faults: faults.map(({ message }) => message),
    };
  });
}

function sourceName(source: SourceConfig): string {
  switch (source.type) {
    case "input":
      return source.connector;
    case "test":
      return "test signal";
    case "file":
      return source.path.slice(source.path.lastIndexOf("/") + 1);
    case "ip":
      return `${source.address}:${source.port}`;
    case "capture":
      return source.videoDevice;
  }
}

function networkFacts(gui: string | undefined): NetworkFacts {
  const addresses = Object.entries(networkInterfaces()).flatMap(([name, list]) =>
    (list ?? []).filter((one) => !one.internal).map(({ address }) => ({ interface: name, address })),
  );
  return { addresses, ...(gui !== undefined && { gui }) };
}

/** What the box's lights say of its channels, and whether it has a network and is in order. */
export function lightStates(channels: Channels, isLinked: boolean, troubled: boolean): LightStates {
  const states = channels.list().map(({ state }) => state);
  const anyFailed = states.includes("failed");
  return {
    power: "live",
    status: anyFailed ? "failed" : troubled ? "warning" : "live",
    network: isLinked ? "live" : "off",
    channels: states.map((state) => (state === "stopped" ? "off" : state === "held" ? "slate" : state)),
  };
}
