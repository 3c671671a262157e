/** What the sensors of the box tell: the shape behind the API and the GUI. A value that is not known is null, never a number. */

/** `missing`: it cannot be read, so nothing is known of it. */
export type ReadingState = "ok" | "warning" | "critical" | "missing";

/** What all that is watched has in common. */
export interface Watched {
  /** Of the board file. */
  id: string;
  /** As printed on the box, or as people call it. */
  label: string;
  state: ReadingState;
  /** What is wrong, in plain words, or "". */
  message: string;
}

export interface TemperatureReading extends Watched {
  unit: "°C";
  value: number | null;
  /** From here on a warning, and from here on the box protects itself. */
  limits: { warning: number; critical: number };
}

export interface VoltageReading extends Watched {
  unit: "V";
  value: number | null;
  limits: { least: number; most: number };
}

export interface FanReading extends Watched {
  unit: "rpm";
  value: number | null;
  /** Below `least` it counts as stopped. */
  limits: { least: number };
  /** What the fan is asked for, % of its full speed; null where the box does not control it. */
  drive: number | null;
}

/** Not there is a warning, there without good power is critical. */
export interface SupplyReading extends Watched {
  /** Null: not known, or the box has no line that tells it. */
  present: boolean | null;
  good: boolean | null;
}

/**
 * How far the box protects itself from heat. `normal`. `warning`: told, nothing done. `cooling`: fans at full speed.
 * `shedding`: previews are off, and channels are stopped from the last one upwards.
 */
export type ThermalState = "normal" | "warning" | "cooling" | "shedding";

export interface ThermalStatus {
  state: ThermalState;
  /** What is done about it, and because of what, in plain words; "" while normal. */
  message: string;
  fanFull: boolean;
  previewsOff: boolean;
  /** How many channels are stopped, from the last one in the configuration upwards. */
  channelsShed: number;
}

export interface StorageReading {
  /** Where it is mounted. */
  path: string;
  /** Bytes; `available` to the product, without what is reserved for the system. */
  size: number;
  used: number;
  available: number;
}

/** An eMMC's own account of its wear: JEDEC JESD84-B51, EXT_CSD [267] to [269]. */
export interface WearReading {
  /** The kernel's name of the chip's place, such as mmc0:0001. */
  device: string;
  /** % of its life that is used at most (the chip tells steps of 10); 110: more than it was made for. */
  lifeUsed: number;
  /** How much of the spare blocks is used: `warning` 80 %, `urgent` 90 %; null: not told. */
  spare: "normal" | "warning" | "urgent" | null;
}

export interface NetworkReading {
  name: string;
  /** The kernel's operational state (RFC 2863), such as up, down or lowerlayerdown. */
  state: string;
  /** bit/s; null while there is no link, or where it is not told. */
  speed: number | null;
  /** bit/s since the reading before; null in the first one. */
  receiveRate: number | null;
  sendRate: number | null;
  /** Since the interface is there. */
  receiveErrors: number;
  sendErrors: number;
  receiveDropped: number;
  sendDropped: number;
}

export interface MachineReadings {
  /** % since the reading before, of all cores together and of each; null in the first reading. */
  cpu: { total: number; cores: number[] } | null;
  /** Average number of processes that run or wait for it: over 1, 5 and 15 minutes. */
  load: [number, number, number];
  /** Bytes; `available` is what processes can still get, including the caches that would be given up. */
  memory: { total: number; available: number } | null;
  /** Seconds since the machine was started. */
  uptime: number;
  storage: StorageReading[];
  wear: WearReading[];
  network: NetworkReading[];
}

export interface BoardReadings {
  temperatures: TemperatureReading[];
  voltages: VoltageReading[];
  fans: FanReading[];
  supplies: SupplyReading[];
  thermal: ThermalStatus;
  /** Null before the first reading. */
  machine: MachineReadings | null;
}
