/** What the front panel's menu needs of the box. Facts are told in words, so the menu knows nothing of channels. */
import type { FieldError } from "../../../config/explain.ts";
import type { Config } from "../../../config/schema.ts";

export type ChannelState = "stopped" | "starting" | "live" | "held" | "slate" | "failed";

export interface ChannelFacts {
  /** As in the configuration. */
  id: string;
  name: string;
  state: ChannelState;
  /** Where the picture comes from, such as `HDMI 1`. */
  input: string;
  /** Measured, of the whole multiplex, bit/s; 0: nothing is sent. */
  bitrate: number;
  /** In plain words. */
  faults: readonly string[];
}

export interface PresetFacts {
  id: string;
  name: string;
}

export interface InputFacts {
  /** Name of the connector in the board file. */
  id: string;
  /** As printed on the box. */
  label: string;
  /** In plain words, such as `1920x1080p50, 48 kHz` or `no cable`. */
  signal: string;
}

export interface NetworkFacts {
  /** Each address of the box; IPv4 or IPv6, without or with the length of the prefix. */
  addresses: readonly { interface: string; address: string }[];
  /** Where the GUI is reached; undefined without a network. */
  gui?: string;
}

export interface DeviceFacts {
  version: string;
  /** Name of the slot that the firmware runs from. */
  slot: string;
  serial: string;
}

/** Answer to a change or an order: why it is refused, in words, or done. */
export type Answer = readonly FieldError[] | "done";

export interface MenuHost {
  /** The configuration in force. */
  configuration(): Config;
  /** Applies a JSON merge patch (RFC 7396) of the configuration as a whole or not at all. */
  change(patch: unknown): Promise<Answer>;
  channels(): readonly ChannelFacts[];
  /** Those that this box can do. */
  presets(): readonly PresetFacts[];
  /** Gives a channel the coding of a preset. */
  applyPreset(channel: string, preset: string): Promise<Answer>;
  inputs(): readonly InputFacts[];
  /** What is wrong now, in plain words. */
  alarms(): readonly string[];
  network(): NetworkFacts;
  device(): DeviceFacts;
  reboot(): Promise<Answer>;
  /** Gives an admin a new password, to be shown here and nowhere else; or why that cannot be done. */
  resetPassword(): Promise<{ user: string; password: string } | readonly FieldError[]>;
  /** Forgets all settings and restarts. */
  factoryReset(): Promise<Answer>;
  /** Lets the lights of the box blink for a while, so that it is found in a rack. */
  findMe(): Promise<Answer>;
}
