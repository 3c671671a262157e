import type { KeyName } from "../../../../src/board/boardFile.ts";
import type {
  Answer,
  ChannelFacts,
  DeviceFacts,
  InputFacts,
  MenuHost,
  PresetFacts,
} from "../../../../src/board/panel/menu/host.ts";
import { Menu } from "../../../../src/board/panel/menu/menu.ts";
import { settingsOf } from "../../../../src/board/panel/menu/settings.ts";
import type { View } from "../../../../src/board/panel/view.ts";
import { explain } from "../../../../src/config/explain.ts";
import { mergePatch } from "../../../../src/config/json.ts";
import { type Config, config } from "../../../../src/config/schema.ts";
import { VirtualClock } from "../../../support/virtualClock.ts";

/** Two channels: one with all kinds of outputs and two tracks, one as simple as can be. */
export function twoChannels(): Config {
  return config.parse({
    version: 3,
    box: { name: "Rack 7" },
    inputs: [{ connector: "hdmi1", name: "Lobby" }],
    channels: [
      {
        id: "ch1",
        name: "News",
        source: { type: "input", connector: "hdmi1" },
        audio: [{}, { language: "deu" }],
        outputs: [
          { type: "udp", id: "main", address: "239.10.0.1", port: 1234 },
          { type: "rtp", id: "spare", address: "239.10.0.2", port: 1234 },
          { type: "srt", id: "studio", address: "10.0.0.9", port: 9000, passphrase: "correct horse" },
        ],
      },
      { id: "ch2", name: "Sports", enabled: false },
    ],
  });
}

/** A box that holds a configuration, takes valid changes and remembers the orders that it got. */
export class FakeHost implements MenuHost {
  document: Config;
  readonly orders: string[] = [];
  readonly patches: unknown[] = [];
  alarmLines: string[] = [];
  /** What a change answers instead of being made. */
  answer: (() => Promise<Answer>) | undefined;

  constructor(document = twoChannels()) {
    this.document = document;
  }

  configuration(): Config {
    return this.document;
  }

  async change(patch: unknown): Promise<Answer> {
    this.patches.push(patch);
    if (this.answer !== undefined) return this.answer();
    const document = mergePatch(this.document, patch);
    const result = config.safeParse(document);
    if (!result.success) return explain(config, document, result.error.issues);
    this.document = result.data;
    return "done";
  }

  channels(): ChannelFacts[] {
    return this.document.channels.map(({ id, name, enabled, source }) => ({
      id,
      name,
      state: enabled ? "live" : "stopped",
      input: source.type === "input" ? "HDMI 1" : "",
      bitrate: enabled ? 4_000_000 : 0,
      faults: [],
    }));
  }

  inputs(): InputFacts[] {
    return [
      { id: "hdmi1", label: "HDMI 1", signal: "1920x1080p50" },
      { id: "sdi1", label: "SDI 1", signal: "no cable" },
    ];
  }

  alarms(): string[] {
    return this.alarmLines;
  }

  network() {
    return { addresses: [{ interface: "eth0", address: "192.0.2.7/24" }], gui: "https://192.0.2.7/" };
  }

  device(): DeviceFacts {
    return { version: "1.4.0", slot: "A", serial: "SC-0042" };
  }

  reboot(): Promise<Answer> {
    return this.#order("reboot");
  }

  presets(): readonly PresetFacts[] {
    return [
      { id: "sd-pal", name: "SD PAL" },
      { id: "hd-iptv", name: "HD IPTV" },
    ];
  }

  applyPreset(channel: string, preset: string): Promise<Answer> {
    return this.#order(`${preset} for ${channel}`);
  }

  async resetPassword(): Promise<{ user: string; password: string }> {
    this.orders.push("reset password");
    return { user: "admin", password: "abcd-efgh-ijkl" };
  }

  factoryReset(): Promise<Answer> {
    return this.#order("factory reset");
  }

  findMe(): Promise<Answer> {
    return this.#order("find me");
  }

  async #order(name: string): Promise<Answer> {
    this.orders.push(name);
    return "done";
  }
}

const settings = settingsOf(config);

/** A menu, its host and clock, and hands to press its keys. */
export class Hands {
  readonly host: FakeHost;
  readonly clock = new VirtualClock();
  readonly menu: Menu;

  constructor(host = new FakeHost()) {
    this.host = host;
    this.menu = new Menu(host, this.clock, settings);
  }

  get view(): View {
    return this.menu.view();
  }

  /** The view as lines: title, then rows, the selected one with `>`. */
  get lines(): string[] {
    const { title, rows, selected } = this.view;
    const row = ({ text, value }: { text: string; value?: string }) =>
      value === undefined ? text : `${text} | ${value}`;
    return [title, ...rows.map((r, i) => `${i === selected ? ">" : " "} ${row(r)}`)];
  }

  /** Presses keys one after the other, and lets what they start settle. */
  async press(...names: (KeyName | number)[]): Promise<void> {
    let key: KeyName = "ok";
    for (const name of names) {
      // A number repeats the key before it: "down", 3 presses it three times.
      const times = typeof name === "number" ? name - 1 : 1;
      if (typeof name !== "number") key = name;
      for (let i = 0; i < times; i++) {
        this.menu.key(key);
        await Promise.resolve();
      }
    }
    await settled();
  }

  /** Selects the rows with these texts one after the other and presses ok on each. */
  async go(...texts: string[]): Promise<void> {
    for (const text of texts) {
      await this.select(text);
      await this.press("ok");
    }
  }

  async select(text: string): Promise<void> {
    const { rows } = this.view;
    for (let i = 0; i < rows.length; i++) {
      const { rows: now, selected = 0 } = this.view;
      if (now[selected]?.text === text) return;
      await this.press("down");
    }
    throw new Error(`no row "${text}" in ${JSON.stringify(this.lines)}`);
  }

  async home(): Promise<void> {
    for (let i = 0; i < 30; i++) this.menu.key("back");
    await settled();
  }
}

export const settled = (): Promise<void> => new Promise((done) => setImmediate(done));
