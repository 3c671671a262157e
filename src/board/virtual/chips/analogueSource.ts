/** What a source of analogue video puts on the wire, as a decoder of 525 and 625 lines sees it. */
import type { AnalogueStandard } from "../../signal.ts";
import type { Connector } from "../model.ts";

export interface AnalogueSource {
  /** 625 lines at 50 Hz; else 525 lines at 59.94 Hz. */
  fiftyHz: boolean;
  /** The decoder can follow its sync. */
  steady: boolean;
  /** How its colour is modulated; undefined for YPbPr. */
  standard: AnalogueStandard | undefined;
}

/** Undefined where there is no sync of 525 or 625 lines. */
export function analogueSource({ plug }: Connector): AnalogueSource | undefined {
  if (plug === undefined || plug.health === "no-clock") return undefined;
  const { height, interlaced, rate, standard } = plug.programme;
  const fields = Math.round((rate[0] / rate[1]) * 2);
  const fiftyHz = height === 576 && fields === 50;
  if (!interlaced || !(fiftyHz || (height === 480 && fields === 60))) return undefined;
  return { fiftyHz, steady: plug.health === "good", standard };
}
