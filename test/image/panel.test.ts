/**
 * The box's board through the real adapters, on the kernel's simulated devices: keys and lights (gpio-sim), receivers and
 * display (i2c-stub), and an HDMI input whose cable is pulled and whose mode changes while its channel is on air (vivid).
 * The command bench of the emulated box is the hand that does it.
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { BoardStatus, PanelStatus } from "../../src/api/boardControl.ts";
import type { InputStatus } from "../../src/board/inputs/inputs.ts";
import type { ChannelStatus } from "../../src/channels/status.ts";
import { Continuity } from "./support/continuity.ts";
import { buildImage, type EmulatedBox, sleep } from "./support/emulatedBox.ts";
import { boxOnAir } from "./support/onAir.ts";
import { stepsBy } from "./support/steps.ts";

const PAGES = 8;
const WIDTH = 128;

describe("the board of the box", { timeout: 1_200_000 }, () => {
  let box: EmulatedBox;
  let wire: Continuity;
  const { step, show } = stepsBy(() => box.seconds);

  before(async () => {
    box = await boxOnAir(buildImage());
    wire = Continuity.watch(box);
    await channelIs("live");
    step("the box is there, channel 1 is live");
  });
  after(async () => {
    await box?.remove();
    show();
  });

  const bench = async (...words: string[]) => {
    const { code, text } = await box.shell(`bench ${words.join(" ")}`, 120);
    assert.equal(code, 0, text);
    return text.split("\n");
  };
  const send = async (method: string, path: string, body?: unknown): Promise<unknown> => {
    const answer = await box.api(method, path, body, { "if-match": "*" });
    assert.ok(answer.status < 300, `${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  };
  const get = async <T>(path: string) => (await send("GET", path)) as T;

  /** Asks until the answer is as it should be. */
  async function until<T>(what: string, ask: () => Promise<T>, holds: (answer: T) => boolean): Promise<T> {
    const end = performance.now() + 180_000;
    for (;;) {
      const answer = await ask();
      if (holds(answer)) return answer;
      if (performance.now() > end) {
        const { text } = await box.shell("journalctl -b -n 30 --no-pager -o short-monotonic -u steadycast");
        assert.fail(`${what}: it is ${JSON.stringify(answer)}\n${text}`);
      }
      await sleep(250);
    }
  }

  const channel = () => get<ChannelStatus>("/channels/ch1/status");
  const channelIs = (state: ChannelStatus["state"]) =>
    until(`channel 1 is ${state}`, channel, (status) => status.state === state);
  const input = (id: string) => get<InputStatus>(`/inputs/${id}`);
  const inputIs = (id: string, what: string, holds: (status: InputStatus) => boolean) =>
    until(`${id} is ${what}`, () => input(id), holds);
  const lights = (what: string, ...lit: string[]) =>
    until(
      what,
      () => bench("leds"),
      (now) => {
        const of = new Set(lit.map((light) => light.split(":")[0]));
        const shown = now.filter((light) => of.has(light.split(":")[0]));
        return `${shown}` === `${lit}`;
      },
    );

  test("has all that its board file names", async () => {
    const { faults, ...board } = await until(
      "nothing is missing",
      () => get<BoardStatus>("/board"),
      (status) => status.faults.length === 0,
    );
    assert.deepEqual([board.model, board.virtual, faults], ["bench", false, []]);
    assert.deepEqual(
      board.readings.supplies.map(({ id, state }) => [id, state]),
      [
        ["a", "ok"],
        ["b", "ok"],
      ],
    );
    await inputIs("hdmi1", "known", ({ signal }) => signal?.state === "locked");
    for (const id of ["hdmi2", "cvbs1"]) await inputIs(id, "known", ({ signal }) => signal?.state === "no-cable");
    const { text } = await box.shell(
      "systemctl is-failed 'bench-*'; ls -l /sys/class/gpio/gpio*/value | cut -d ' ' -f 3",
    );
    assert.doesNotMatch(text, /failed/);
    assert.match(text, /^steadycast$/m);
  });

  test("a pressed key goes through the menu, and the display has what the API shows of it", async () => {
    const panel = () => get<PanelStatus>("/panel");
    const home = (await panel()).view.title;
    const press = (key: string) => send("POST", "/panel/keys", { key });
    const pressUntil = (key: string, what: string, holds: (status: PanelStatus) => boolean) =>
      until(
        what,
        async () => {
          const now = await panel();
          if (!holds(now)) await press(key);
          return now;
        },
        holds,
      );
    const select = async () => {
      await pressUntil("down", "the menu is chosen", ({ view }) => view.rows[view.selected ?? 0]?.text === "Menu");
    };
    await select();
    // A slow machine may miss a short press, and repeat a long one: what counts presses is pressed through the API below.
    await bench("press", "ok");
    const opened = await until("the key OK opens the menu", panel, ({ view }) => view.title !== home);
    await bench("release", "ok");
    step(`the key OK has opened the page ${opened.view.title}`);
    // The display follows a moment later.
    const settled = (what: string, holds: (selected: number | undefined) => boolean) => {
      let last = "";
      return until(what, panel, ({ view, picture }) => {
        const isSame = pixels(picture) === last;
        last = pixels(picture);
        return view.title === "Menu" && holds(view.selected) && isSame;
      });
    };
    // What it shows may change by itself, as when an alarm comes and goes: then it is looked at once more.
    for (let attempt = 1; ; attempt++) {
      await pressUntil("back", "the pages close", ({ view }) => view.title === home);
      await select();
      await press("ok");
      const first = await settled("the menu is shown", () => true);
      await press("down");
      const second = await settled("another row is shown", (selected) => selected !== first.view.selected);
      const registers = await display();
      const wrong = wrongWrite(registers, pagesOf(first), pagesOf(second));
      if (wrong === undefined) break;
      assert.ok(attempt < 5, wrong);
    }
    step("the display has what the API shows of it");
    await pressUntil("back", "the pages close again", ({ view }) => view.title === home);
  });

  test("what receivers have in their registers is what the API tells", async () => {
    const size = ({ signal }: InputStatus) => {
      const { width, height, interlaced, rate } = signal?.video ?? {};
      return `${signal?.state} ${width}x${height}${interlaced ? "i" : "p"} ${rate}`;
    };
    const modes = {
      "1080p50": "locked 1920x1080p 50,1",
      "1080i50": "locked 1920x1080i 25,1",
      "720p60": "locked 1280x720p 60,1",
      "480p60": "locked 720x480p 60000,1001",
    };
    for (const [mode, expected] of Object.entries(modes)) {
      await bench("hdmi2", mode);
      await inputIs("hdmi2", expected, (status) => size(status) === expected);
    }
    for (const [what, state] of Object.entries({
      "no-lock": "no-lock",
      "no-clock": "no-clock",
      "720p50": "locked",
      hdcp: "protected",
      out: "no-cable",
    })) {
      await bench("hdmi2", what);
      await inputIs("hdmi2", state, ({ signal }) => signal?.state === state);
    }
    for (const [what, state, standard] of [
      ["pal", "locked", "pal"],
      ["ntsc", "locked", "ntsc"],
      ["no-lock", "no-lock", undefined],
      ["out", "no-cable", undefined],
    ] as const) {
      await bench("cvbs", what);
      await inputIs("cvbs1", what, ({ signal }) => signal?.state === state && signal.standard === standard);
    }
    step("the receivers' registers have been told");
  });

  test("the lights say how the box is", async () => {
    await lights("all is in order", "power", "status:green", "network", "channel1:green");
    await bench("supply", "b", "failed");
    await until(
      "the supply's fault",
      () => get<BoardStatus>("/board"),
      ({ faults }) => faults.some(({ id }) => id === "supply:b"),
    );
    await lights("a warning is yellow", "status:red", "status:green");
    await bench("supply", "b", "good");
    await lights("all is in order again", "status:green");
    step("a power supply has failed and come back");
  });

  test("a channel stays on air while its cable is pulled and its source changes its mode", async () => {
    const source = async () => {
      const { state, encode } = await channel();
      return `${state} ${encode?.source.state} ${encode?.source.width}x${encode?.source.height}`;
    };
    const shows = (expected: string) => until(expected, source, (now) => now === expected);
    wire.take();
    await bench("mode", "576p50");
    await send("PATCH", "/channels/ch1", { source: { type: "input", connector: "hdmi1" } });
    await shows("live live 720x576");
    step("channel 1 shows HDMI 1");
    await bench("cable", "out");
    await inputIs("hdmi1", "without a cable", ({ signal }) => signal?.state === "no-cable");
    const { faults } = await channelIs("slate");
    assert.ok(
      faults.some(({ id }) => id === "source-lost"),
      JSON.stringify(faults),
    );
    await lights("the slate is blue", "channel1:blue");
    step("the cable is out, the slate is on air");
    await bench("cable", "in");
    await shows("live live 720x576");
    await lights("the picture is green", "channel1:green");
    step("the cable is in again");
    await bench("mode", "640x480p59");
    await inputIs("hdmi1", "of another mode", ({ signal }) => signal?.video?.height === 480);
    await shows("live live 640x480");
    step("the source has changed its mode");
    const { datagrams, errors, gap } = wire.take();
    step(`${datagrams} datagrams, ${errors.length} continuity errors, longest gap ${gap.toFixed(0)} ms`);
    assert.deepEqual(errors, []);
    assert.ok(datagrams > 0, JSON.stringify(await channel()));
  });

  test("a channel that fails is red", async () => {
    const encode = "/usr/lib/steadycast/media/encode/encode";
    // The process that runs keeps its program; the next one finds another.
    assert.equal((await box.shell(`mount --bind /usr/bin/false ${encode} && pkill -x -KILL encode`)).code, 0);
    await channelIs("failed");
    await lights("the channel and the box are red", "status:red", "channel1:red");
    await box.shell(`umount ${encode}`);
    await channelIs("live");
    await lights("the channel is green again", "status:green", "channel1:green");
    step("the channel has failed and come back");
    assert.deepEqual(wire.take().errors, []);
  });

  /** The registers of the display: at 0x00 the last commands, at 0x40 the last data. */
  async function display(): Promise<number[]> {
    const text = (await bench("registers", "0x3c")).join("\n");
    const rows = [...text.matchAll(/^[0-9a-f]0: ((?:[0-9a-f]{2} ){16})/gm)];
    return rows.flatMap(([, bytes = ""]) =>
      bytes
        .trim()
        .split(" ")
        .map((byte) => Number.parseInt(byte, 16)),
    );
  }
});

function pixels(picture: PanelStatus["picture"]): string {
  return picture?.kind === "graphic" ? picture.pixels : "";
}

/** A picture as the display's memory has it: a byte is a column of eight rows, the upper one its lowest bit. */
function pagesOf({ picture }: PanelStatus): number[] {
  const bytes = Buffer.from(pixels(picture), "base64");
  const lit = (x: number, y: number) => ((bytes[y * (WIDTH / 8) + (x >> 3)] ?? 0) >> (7 - (x & 7))) & 1;
  return Array.from({ length: PAGES * WIDTH }, (_, at) => {
    const [page, x] = [Math.floor(at / WIDTH), at % WIDTH];
    return [0, 1, 2, 3, 4, 5, 6, 7].reduce((byte, bit) => byte | (lit(x, page * 8 + bit) << bit), 0);
  });
}

/**
 * i2c-stub keeps what was written last: the place, and up to 32 bytes for it. They must be the last ones in which the
 * pictures differ, or, where the display was set up anew, the picture's last ones. Gives what is wrong.
 */
function wrongWrite(registers: readonly number[], before: readonly number[], now: readonly number[]) {
  const [command = 0, low = 0, high = 0] = registers;
  const last = command === 0x81 ? now.length - 1 : now.findLastIndex((byte, at) => byte !== before[at]);
  const page = Math.floor(last / WIDTH);
  const start = command === 0x81 ? page * WIDTH : page * WIDTH + ((high & 0x0f) << 4) + (low & 0x0f);
  const burst = start + Math.floor((last - start) / 32) * 32;
  const [written, expected] = [registers.slice(0x40, 0x41 + last - burst), now.slice(burst, last + 1)];
  const isThere = last >= 0 && start <= last && (command === 0x81 || command === (0xb0 | page));
  return isThere && `${written}` === `${expected}`
    ? undefined
    : JSON.stringify({ commands: registers.slice(0, 8), last, start, written, expected });
}
