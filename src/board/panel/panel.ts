/** The front panel: keys in, the menu's view on the display, lights, and the button in the reset hole. */
import type { BoardFile, KeyName, LedFile } from "../boardFile.ts";
import type { I2cDevice } from "../i2c.ts";
import { BusError, type Clock, type GpioPort, type LineRef } from "../ports.ts";
import { CharacterDisplay } from "./display/hd44780.ts";
import { Oled } from "./display/ssd1306.ts";
import { Keys } from "./keys.ts";
import { Leds, type Light, type LightStates } from "./leds.ts";
import { HIDDEN } from "./menu/editors.ts";
import type { MenuHost } from "./menu/host.ts";
import { Menu } from "./menu/menu.ts";
import { RESET_AFTER, ResetHole, type ResetProgress } from "./resetHole.ts";
import type { Brightness, Display, Picture, View } from "./view.ts";

/** What is shown follows what happens within this time, ms; sooner while the menu waits for a change. */
const REFRESH_INTERVAL = 1000;
const WAITING_INTERVAL = 100;
/** A display that does not answer is set up again this often, ms. */
const RETRY_INTERVAL = 5000;
/** How long "find me" blinks, ms. */
const FIND_TIME = 60_000;
/** How long the end of a held reset button can be read, ms. */
const TOLD_TIME = 3000;
/** A box that is to be reset has gone down by then, or will not, ms. */
const RESET_TIME = 60_000;

type ResetState = ResetProgress | { state: "refused"; why: string };

export interface PanelOptions {
  file: BoardFile;
  gpio: GpioPort;
  /** @throws BusError `unavailable` */
  device: (bus: string, address: number) => I2cDevice;
  clock: Clock;
  /** What the menu shows and orders, but for `findMe`, which is the panel's own. */
  host: Omit<MenuHost, "findMe">;
  lights: () => LightStates;
  /** Told in words of what the panel cannot do, and of resets. */
  tell: (level: "info" | "warning", message: string) => void;
}

export class Panel {
  readonly #options: PanelOptions;
  readonly #menu: Menu;
  readonly #endings: (() => void)[] = [];
  #display: Display | undefined;
  #leds: Leds | undefined;
  #reset: ResetState | undefined;
  #cancelReset = () => {};
  #shown = "";
  #picture: Picture | undefined;
  /** Whether the display shows, or may show, what is secret. */
  #showsSecret = false;
  #brightness: Brightness = "normal";
  #setUpAt = 0;
  #broken = false;
  #showing = false;
  #again = false;
  #cancelRefresh = () => {};
  #running = false;

  constructor(options: PanelOptions) {
    this.#options = options;
    const findMe = async () => {
      this.#leds?.findMe(FIND_TIME);
      return "done" as const;
    };
    this.#menu = new Menu({ ...options.host, findMe }, options.clock);
  }

  async start(): Promise<void> {
    const { file, device, clock } = this.#options;
    this.#running = true;
    const { display } = file.panel;
    if (display !== undefined) {
      await this.#try("the display", async () => {
        const chip = device(display.bus, display.address);
        this.#display =
          display.driver === "hd44780"
            ? new CharacterDisplay(chip, { columns: display.columns, rows: display.rows, clock })
            : new Oled(chip, { controller: display.driver });
      });
    }
    await this.#startKeys();
    await this.#startResetHole();
    await this.#try("the lights", () => this.#startLeds());
    this.#refresh();
  }

  stop(): void {
    this.#running = false;
    this.#cancelRefresh();
    this.#cancelReset();
    for (const end of this.#endings.splice(0)) end();
  }

  /** One press of a key, also from afar. */
  press(key: KeyName): void {
    this.#menu.key(key);
    this.#refresh();
  }

  view(): View {
    return this.#reset === undefined ? this.#menu.view() : resetView(this.#reset);
  }

  /** What the display shows; undefined on a box without one. */
  get picture(): Picture | undefined {
    return this.#picture ?? this.#display?.render(this.view());
  }

  /** What others may see of the panel: the same, but for what only those before the box may. */
  get mirror(): { view: View; picture: Picture | undefined } {
    const view = this.view();
    if (view.secret !== true && !this.#showsSecret) return { view, picture: this.picture };
    const covered: View = { title: view.title, rows: [{ text: HIDDEN.repeat(4) }] };
    return { view: covered, picture: this.#display?.render(covered) };
  }

  get brightness(): Brightness {
    return this.#brightness;
  }

  findMe(): void {
    this.#leds?.findMe(FIND_TIME);
  }

  // ---- parts ---------------------------------------------------------------------------------------------------------

  async #startKeys(): Promise<void> {
    const { file, clock } = this.#options;
    const lines: ConstructorParameters<typeof Keys>[0] = {};
    for (const [key, line] of Object.entries(file.panel.keys)) {
      await this.#try(`key ${key}`, async () => {
        lines[key as KeyName] = await this.#input(line);
      });
    }
    const keys = new Keys(lines, {
      clock,
      listener: ({ key, kind }) => {
        if (kind !== "release") this.press(key);
      },
    });
    await this.#try("the keys", () => keys.start());
    this.#endings.push(() => keys.stop());
  }

  async #startResetHole(): Promise<void> {
    const { file, clock, host, tell } = this.#options;
    const { resetHole } = file.panel;
    if (resetHole === undefined) return;
    await this.#try("the reset button", async () => {
      const hole = new ResetHole({
        line: await this.#input(resetHole),
        clock,
        progress: (progress) => this.#resetGoes(progress),
        factoryReset: () => {
          tell("warning", "factory reset by the button in the reset hole");
          const refused = (why: string) => {
            tell("warning", `no factory reset: ${why}`);
            this.#resetGoes({ state: "refused", why });
          };
          host.factoryReset().then(
            (answer) => answer !== "done" && refused(answer[0]?.message ?? ""),
            (error: Error) => refused(error.message),
          );
        },
      });
      await hole.start();
      this.#endings.push(() => hole.stop());
    });
  }

  async #startLeds(): Promise<void> {
    const { file, clock } = this.#options;
    const { power, status, network, channels } = file.leds;
    const lights: ConstructorParameters<typeof Leds>[0] = {
      ...(power && { power: await this.#light(power) }),
      ...(status && { status: await this.#light(status) }),
      ...(network && { network: await this.#light(network) }),
      channels: await Promise.all(channels.map((one) => this.#light(one))),
    };
    const leds = new Leds(lights, { clock });
    this.#leds = leds;
    this.#endings.push(() => leds.stop());
  }

  async #light(file: LedFile): Promise<Light> {
    if ("line" in file) return { line: await this.#output(file.line) };
    const { red, green, blue } = file;
    return {
      ...(red && { red: await this.#output(red) }),
      ...(green && { green: await this.#output(green) }),
      ...(blue && { blue: await this.#output(blue) }),
    };
  }

  async #input(line: LineRef) {
    const input = await this.#options.gpio.input(line);
    this.#endings.push(() => input.close());
    return input;
  }

  async #output(line: LineRef) {
    const output = await this.#options.gpio.output(line, false);
    this.#endings.push(() => output.close());
    return output;
  }

  /** What is missing is told, and the rest of the panel works. */
  async #try(what: string, open: () => Promise<void>): Promise<void> {
    try {
      await open();
    } catch (error) {
      if (!(error instanceof BusError)) throw error;
      this.#options.tell("warning", `front panel: ${what}: ${error.message}`);
    }
  }

  // ---- showing -------------------------------------------------------------------------------------------------------

  #resetGoes(progress: ResetState): void {
    const { state } = progress;
    this.#cancelReset();
    this.#reset = progress;
    this.#leds?.resetCountdown(state === "held" ? progress.seconds : state === "reset" ? RESET_AFTER : undefined);
    if (state !== "held") {
      this.#cancelReset = this.#options.clock.after(state === "reset" ? RESET_TIME : TOLD_TIME, () => {
        this.#reset = undefined;
        this.#leds?.resetCountdown(undefined);
      });
    }
    this.#refresh();
  }

  #refresh(): void {
    if (!this.#running) return;
    this.#cancelRefresh();
    const interval = this.#menu.isWaiting ? WAITING_INTERVAL : REFRESH_INTERVAL;
    this.#cancelRefresh = this.#options.clock.after(interval, () => this.#refresh());
    this.#menu.tick();
    this.#leds?.show(this.#options.lights());
    if (this.#showing) {
      this.#again = true;
      return;
    }
    this.#showing = true;
    this.#show()
      .catch((error: Error) => this.#options.tell("warning", `front panel: ${error.message}`))
      .finally(() => {
        this.#showing = false;
        if (this.#again) {
          this.#again = false;
          this.#refresh();
        }
      });
  }

  /** Brings the display to the view, if that is another one. */
  async #show(): Promise<void> {
    const display = this.#display;
    const { clock, tell } = this.#options;
    if (display === undefined || (this.#broken && clock.now() < this.#setUpAt)) return;
    const view = this.view();
    const key = JSON.stringify(view);
    const { brightness } = this.#menu;
    try {
      if (this.#picture === undefined || this.#broken) {
        this.#setUpAt = clock.now() + RETRY_INTERVAL;
        await display.start();
        this.#shown = "";
      }
      if (key !== this.#shown) {
        const picture = display.render(view);
        if (view.secret === true) this.#showsSecret = true;
        await display.show(picture);
        this.#picture = picture;
        this.#showsSecret = view.secret === true;
        this.#shown = key;
      }
      if (brightness !== this.#brightness) {
        await display.brightness(brightness);
        this.#brightness = brightness;
      }
      this.#broken = false;
    } catch (error) {
      if (!(error instanceof BusError)) throw error;
      if (!this.#broken) tell("warning", `front panel: the display does not answer (${error.message})`);
      this.#broken = true;
      this.#setUpAt = clock.now() + RETRY_INTERVAL;
    }
  }
}

function resetView(progress: ResetState): View {
  switch (progress.state) {
    case "held":
      return {
        title: "FACTORY RESET",
        rows: [
          { text: `Hold ${10 - progress.seconds} s more:` },
          { text: "all settings lost." },
          { text: "Release: nothing" },
        ],
      };
    case "cancelled":
      return { title: "FACTORY RESET", rows: [{ text: "Cancelled." }, { text: "Nothing changed." }] };
    case "reset":
      return { title: "FACTORY RESET", rows: [{ text: "Restoring" }, { text: "factory settings" }] };
    case "refused":
      return { title: "FACTORY RESET", rows: [{ text: "Not now:" }, { text: progress.why }] };
  }
}
