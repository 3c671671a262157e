/** What can be plugged into the virtual board: players with usual programmes, and cables that are not quite right. */

import type { ConnectorFile } from "../boardFile.ts";
import { type Clock, systemClock } from "../ports.ts";
import type { AnalogueStandard, FrameRate } from "../signal.ts";
import type { Connector, Health, Plug, Programme } from "./model.ts";

/** Modes that a player can send, by their usual names. */
export const modes = {
  "480i59.94": [720, 480, true, [30000, 1001]],
  "480p59.94": [720, 480, false, [60000, 1001]],
  "576i50": [720, 576, true, [25, 1]],
  "576p50": [720, 576, false, [50, 1]],
  "720p50": [1280, 720, false, [50, 1]],
  "720p59.94": [1280, 720, false, [60000, 1001]],
  "720p60": [1280, 720, false, [60, 1]],
  "1080i50": [1920, 1080, true, [25, 1]],
  "1080i59.94": [1920, 1080, true, [30000, 1001]],
  "1080p24": [1920, 1080, false, [24, 1]],
  "1080p25": [1920, 1080, false, [25, 1]],
  "1080p30": [1920, 1080, false, [30, 1]],
  "1080p50": [1920, 1080, false, [50, 1]],
  "1080p59.94": [1920, 1080, false, [60000, 1001]],
  "1080p60": [1920, 1080, false, [60, 1]],
  "2160p30": [3840, 2160, false, [30, 1]],
  "2160p60": [3840, 2160, false, [60, 1]],
} as const satisfies Record<string, readonly [number, number, boolean, FrameRate]>;

export type Mode = keyof typeof modes;
export type Pattern = "bars" | "ball" | "snow" | "black";

/** A player as the bench sets it. */
export interface Player {
  plugged: boolean;
  mode: Mode;
  /** Of an analogue player; the mode follows from it. */
  standard: AnalogueStandard;
  pattern: Pattern;
  sound: boolean;
  audioRate: number;
  hdmi: boolean;
  hdcp: boolean;
  health: Health;
  /** What its clock is ahead of a true one, ppm. */
  clockOffset: number;
  /** How long after hot plug is shown it begins to send, ms. */
  hotPlugDelay: number;
  /** Sends whether hot plug is shown or not, as simple ones do. */
  ignoresHotPlug: boolean;
}

const usual: Player = {
  plugged: true,
  mode: "720p50",
  standard: "pal",
  pattern: "bars",
  sound: true,
  audioRate: 48000,
  hdmi: true,
  hdcp: false,
  health: "good",
  clockOffset: 0,
  hotPlugDelay: 0,
  ignoresHotPlug: false,
};

export class VirtualConnector implements Connector {
  #hotPlug: boolean;
  /** Hot plug was shown a moment ago, and the player has not begun to send. */
  #isWaking = false;
  #cancelWaking = () => {};
  readonly #clock: Clock;
  #player: Player;
  /** Made when the player changes: a chip's model looks at it in every transfer. */
  #plug: Plug | undefined;
  readonly #listeners = new Set<() => void>();

  constructor(
    readonly file: ConnectorFile,
    clock: Clock = systemClock,
  ) {
    this.#clock = clock;
    // Only HDMI has it; elsewhere a source sends whether or not somebody listens.
    this.#hotPlug = file.kind !== "hdmi";
    this.#player = usual;
    this.set({ plugged: file.kind !== "asi" });
  }

  get player(): Player {
    return this.#player;
  }

  get hotPlug(): boolean {
    return this.#hotPlug || this.#player.ignoresHotPlug;
  }

  set hotPlug(shown: boolean) {
    if (shown === this.#hotPlug) return;
    this.#hotPlug = shown;
    this.#cancelWaking();
    const { hotPlugDelay, ignoresHotPlug } = this.#player;
    const sleeps = shown && hotPlugDelay > 0 && !ignoresHotPlug;
    if (sleeps) this.#cancelWaking = this.#clock.after(hotPlugDelay, () => this.#wake(false));
    if (sleeps !== this.#isWaking) this.#wake(sleeps);
  }

  #wake(isWaking: boolean): void {
    this.#isWaking = isWaking;
    this.set({});
  }

  set(change: Partial<Player>): void {
    this.#player = { ...this.#player, ...change };
    const { plugged, health } = this.#player;
    const sent = this.#isWaking ? "no-clock" : health;
    this.#plug = plugged ? { health: sent, programme: this.#programme() } : undefined;
    for (const listener of this.#listeners) listener();
  }

  /** Tells each change. Returns the function that ends it. */
  watch(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  get plug(): Plug | undefined {
    return this.#plug;
  }

  #programme(): Programme {
    const { mode, standard, sound, audioRate, hdmi, hdcp, clockOffset } = this.#player;
    const analogue = this.file.kind === "cvbs";
    const lines525 = standard === "ntsc" || standard === "ntsc-443" || standard === "pal-m" || standard === "pal-60";
    const [width, height, interlaced, rate] = modes[analogue ? (lines525 ? "480i59.94" : "576i50") : mode];
    const digital = this.file.kind === "hdmi" && hdmi;
    return {
      ...{ width, height, interlaced, rate, clockOffset },
      colourSpace: this.file.kind === "hdmi" ? "rgb" : "ycbcr-422",
      range: this.file.kind === "hdmi" ? "full" : "limited",
      hdmi: digital,
      hdcp: digital && hdcp,
      audio: sound && (digital || this.file.kind === "sdi") ? { rate: audioRate, channels: 2 } : undefined,
      standard: analogue ? standard : undefined,
    };
  }
}
