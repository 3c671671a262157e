/** A signal in the words of the field, and what to check where it is missing. */
import type { AnalogueStandard, FrameRate, Signal, VideoSignal } from "../signal.ts";

const analogueNames: Record<AnalogueStandard, string> = {
  ntsc: "NTSC",
  "ntsc-443": "NTSC 4.43",
  pal: "PAL",
  "pal-m": "PAL-M",
  "pal-n": "PAL-N",
  "pal-60": "PAL-60",
  secam: "SECAM",
};

/** Hz with as many decimals as the rate's usual name has: 59.94, 23.976, 50. */
export function rateName([numerator, denominator]: FrameRate): string {
  const hz = numerator / denominator;
  if (Math.abs(hz - Math.round(hz)) < 0.0005) return String(Math.round(hz));
  return hz < 24 ? hz.toFixed(3) : hz.toFixed(2);
}

/** The signal as broadcasters call it: 1080i50 (fields), 720p59.94 (pictures); other sizes as 1280×1024p60. */
export function videoName({ width, height, interlaced, rate }: VideoSignal): string {
  const usual = [480, 576, 720, 1080, 2160].includes(height) && [720, 1280, 1920, 3840].includes(width);
  const shown: FrameRate = interlaced ? [2 * rate[0], rate[1]] : rate;
  return `${usual ? height : `${width}×${height}`}${interlaced ? "i" : "p"}${rateName(shown)}`;
}

/** As the setting of the input's standard names it. */
export function standardOf({ video, standard }: Signal): string | undefined {
  return standard ?? (video && videoName(video));
}

export function standardName(standard: string): string {
  return analogueNames[standard as AnalogueStandard] ?? standard;
}

/** What comes, or what is missing and what to look at, in one sentence. */
export function signalWords(signal: Signal, kind: "hdmi" | "sdi" | "cvbs" | "asi"): string {
  const { state, video, audio, hdmi, standard } = signal;
  const picture =
    standard !== undefined ? analogueNames[standard] : video === undefined ? "a picture" : videoName(video);
  switch (state) {
    case "no-cable":
      return kind === "hdmi"
        ? "No cable, or nothing switched on at its other end"
        : "No signal: check the cable and that the source is on";
    case "no-clock":
      return "A cable, but no picture from the source: check that it is on and sends to this output";
    case "no-lock":
      return "A signal that cannot be followed: check the cable, its length and the source's mode";
    case "out-of-range":
      return `${picture} is more than this input takes: choose another mode at the source`;
    case "protected":
      return `${picture}, protected by HDCP: the box must not pass it on; use a source without HDCP`;
    case "locked": {
      const sound = audio === undefined ? "no sound" : `sound ${audio.rate / 1000} kHz, ${audio.channels} channels`;
      return `${picture}${hdmi === false ? " (DVI)" : ""}${kind === "cvbs" ? "" : `, ${sound}`}`;
    }
  }
}

/** Why a signal does not fit the standard that the input is set to, or undefined when it does. */
export function mismatchWords(signal: Signal, wanted: string): string | undefined {
  const found = standardOf(signal);
  if (wanted === "auto" || signal.state !== "locked" || found === undefined || found === wanted) return undefined;
  return (
    `The input is set to ${standardName(wanted)}, but ${standardName(found)} comes: ` +
    "change the source's mode, or set the standard to auto"
  );
}
