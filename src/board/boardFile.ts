/** A model of the box: one JSON file in firmware/boards. What it is made of, by names that stay (labels, never numbers). */
import { readFile } from "node:fs/promises";
import { z } from "zod";

const id = z.string().regex(/^[a-z][a-z0-9-]{0,23}$/, "must be a short name of lower-case letters, digits and hyphens");

/** A GPIO line by the label of its chip and its offset there. */
const line = z.strictObject({
  chip: z.string().min(1).max(64),
  offset: z.int().min(0).max(1023),
  activeLow: z.boolean().default(false),
});

const address = z.int().min(0x03).max(0x77);
const i2cPlace = z.strictObject({ bus: id, address });

/** A bus by the name that the kernel gives its adapter (/sys/bus/i2c/devices/i2c-N/name), or a device tree alias. */
const i2cBus = z.strictObject({ id, adapter: z.string().min(1).max(100) });

export const i2cReceivers = [
  "tc358743",
  "adv7611",
  "adv7612",
  "lt6911uxc",
  "lt6911uxe",
  "lt6911c",
  "rk628d",
  "it6801",
  "it6616",
  "tvp5150",
  "tvp5151",
  "adv7180",
  "adv7280",
] as const;

/** Who reads the signal: a driver of ours over a bus, or the kernel's through V4L2. Never both. */
const receiver = z.discriminatedUnion("driver", [
  z.strictObject({ driver: z.enum(i2cReceivers), bus: id, address, reset: line.optional() }),
  z.strictObject({
    driver: z.literal("gs2971"),
    spi: z.string().regex(/^\/dev\/spidev\d+\.\d+$/),
    reset: line.optional(),
  }),
  z.strictObject({ driver: z.literal("v4l2"), subdevice: z.string().min(1).max(100) }),
]);

export const connectorKinds = ["hdmi", "sdi", "cvbs", "asi"] as const;

const connector = z.strictObject({
  id,
  /** As printed on the box. */
  label: z.string().min(1).max(24),
  kind: z.enum(connectorKinds),
  receiver: receiver.optional(),
  cablePower: line.optional(),
  hotPlug: line.optional(),
  /** What the encoder opens. */
  videoDevice: z
    .string()
    .regex(/^\/dev\//)
    .optional(),
  audioDevice: z.string().max(100).optional(),
});

const display = z.discriminatedUnion("driver", [
  z.strictObject({ driver: z.enum(["ssd1306", "sh1106"]), ...i2cPlace.shape }),
  z.strictObject({
    driver: z.literal("hd44780"),
    ...i2cPlace.shape,
    columns: z.int().min(8).max(40).default(16),
    rows: z.int().min(1).max(4).default(2),
  }),
]);

export const keyNames = ["up", "down", "left", "right", "ok", "back"] as const;

const panel = z.strictObject({
  display: display.optional(),
  keys: z.partialRecord(z.enum(keyNames), line).default({}),
  resetHole: line.optional(),
});

/** A light of one colour, or of red, green and blue. */
const led = z.union([
  z.strictObject({ line }),
  z.strictObject({ red: line.optional(), green: line.optional(), blue: line.optional() }),
]);

/** A value of hwmon by the name of its chip and of its file (temp1_input, in2_input, fan1_input), scaled to °C, V, rpm. */
const hwmon = z.strictObject({
  chip: z.string().min(1).max(64),
  input: z.string().regex(/^(temp|in|fan|curr|power)\d+_input$/),
});

const temperature = z.strictObject({
  id,
  label: z.string().min(1).max(24),
  sensor: z.union([hwmon, z.strictObject({ zone: z.string().min(1).max(64) }), z.strictObject({ lm75: i2cPlace })]),
  /** °C: from here on a warning, and from here on the box protects itself. */
  warning: z.number().min(20).max(150),
  critical: z.number().min(20).max(150),
});

const voltage = z.strictObject({
  id,
  label: z.string().min(1).max(24),
  sensor: hwmon,
  /** V. */
  least: z.number(),
  most: z.number(),
});

const fan = z.strictObject({
  id,
  label: z.string().min(1).max(24),
  speed: hwmon,
  /** hwmon chip and its pwm file. */
  control: z.strictObject({ chip: z.string().min(1).max(64), pwm: z.string().regex(/^pwm\d+$/) }).optional(),
  /** rpm below which it counts as stopped while it should turn. */
  least: z.int().min(0).max(20000).default(500),
});

const supply = z.strictObject({ id, label: z.string().min(1).max(24), present: line.optional(), good: line });

export const boardFile = z
  .strictObject({
    model: id,
    name: z.string().min(1).max(60),
    /** Codec table. */
    platform: z.enum(["pc", "rockchip"]),
    /** What the first channel of a new box has in place of the usual, as a merge patch: what the board can encode. */
    firstChannel: z.record(z.string(), z.unknown()).default({}),
    /** Only the virtual board has models in place of chips. */
    virtual: z.boolean().default(false),
    i2c: z.array(i2cBus).max(16).default([]),
    connectors: z.array(connector).max(16),
    panel: panel.prefault({}),
    leds: z
      .strictObject({
        power: led.optional(),
        status: led.optional(),
        network: led.optional(),
        channels: z.array(led).max(32).default([]),
      })
      .prefault({}),
    temperatures: z.array(temperature).max(16).default([]),
    voltages: z.array(voltage).max(16).default([]),
    fans: z.array(fan).max(8).default([]),
    supplies: z.array(supply).max(4).default([]),
  })
  .check((ctx) => {
    const board = ctx.value;
    const buses = new Set(board.i2c.map((bus) => bus.id));
    const ids = new Set<string>();
    const refuse = (path: PropertyKey[], message: string, input: unknown) =>
      ctx.issues.push({ code: "custom", path, message, input });
    board.connectors.forEach((c, i) => {
      if (ids.has(c.id)) refuse(["connectors", i, "id"], `connector id "${c.id}" is used twice`, c.id);
      ids.add(c.id);
      const chip = c.receiver;
      if (chip !== undefined && "bus" in chip && !buses.has(chip.bus)) {
        refuse(["connectors", i, "receiver", "bus"], `there is no I2C bus "${chip.bus}"`, chip.bus);
      }
    });
    const shown = board.panel.display;
    if (shown !== undefined && !buses.has(shown.bus)) {
      refuse(["panel", "display", "bus"], `there is no I2C bus "${shown.bus}"`, shown.bus);
    }
    board.temperatures.forEach((t, i) => {
      if (t.critical <= t.warning) {
        refuse(["temperatures", i, "critical"], `must be above the warning at ${t.warning} °C`, t.critical);
      }
    });
  });

export type BoardFile = z.infer<typeof boardFile>;
export type ConnectorFile = BoardFile["connectors"][number];
export type ReceiverFile = NonNullable<ConnectorFile["receiver"]>;
export type DisplayFile = NonNullable<BoardFile["panel"]["display"]>;
export type LedFile = NonNullable<BoardFile["leds"]["power"]>;
export type KeyName = (typeof keyNames)[number];

/**
 * Reads a board file.
 * @throws with the file's name, and the field, the limit and the value of what is wrong
 */
export async function loadBoardFile(path: string): Promise<BoardFile> {
  const text = await readFile(path, "utf8");
  const result = boardFile.safeParse(JSON.parse(text));
  if (!result.success) throw new Error(`board file ${path}: ${z.prettifyError(result.error)}`);
  return result.data;
}
