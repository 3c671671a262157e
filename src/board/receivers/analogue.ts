/** What the decoders of analogue video have in common. */
import type { VideoSignal } from "../signal.ts";
import type { AnalogueAccess } from "./receiver.ts";

export type AnalogueInput = AnalogueAccess["inputs"][number];
export type AnalogueChoice = Parameters<AnalogueAccess["force"]>[0];

/** The picture that a decoder makes of 625 lines at 50 Hz, or of 525 lines at 59.94 Hz (ITU-R BT.601 and BT.656). */
export function decodedVideo(fiftyHz: boolean): VideoSignal {
  const picture = fiftyHz ? ({ height: 576, rate: [25, 1] } as const) : ({ height: 480, rate: [30000, 1001] } as const);
  return { width: 720, interlaced: true, ...picture, colourSpace: "ycbcr-422", range: "limited" };
}
