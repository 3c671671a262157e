import { useId, useState } from "preact/hooks";
import type { Activation } from "../../../src/update/status.ts";
import type { ApiError } from "../../api.ts";
import { boxMoment, instantAt, nextHour, wallTime } from "../../boxTime.ts";
import { useStoreState } from "../../hooks.ts";
import { Choose } from "../form/Choose.tsx";
import { Labelled } from "../form/Labelled.tsx";
import { fieldError } from "../form/TextField.tsx";

type WhenName = Activation["when"];

const words: Record<WhenName, string> = {
  now: "Now",
  "next-boot": "When the box boots next",
  at: "At a time",
  manual: "Later, by hand",
};

const consequences: Record<WhenName, string> = {
  now: "Channels go off air for about a minute",
  "next-boot": "Whoever or whatever boots it. Channels are off air for about a minute then",
  at: "Channels are off air for about a minute then",
  manual: "When somebody starts it on this page",
};

export interface When {
  when: WhenName;
  set: (when: WhenName) => void;
  choices: readonly WhenName[];
  /** As the clock of the box shows it. */
  wall: string;
  setWall: (wall: string) => void;
  zone: string;
  /** The clock of the box, ms since 1970. */
  now: number;
  /** Null and told at its field when it is none. */
  activation: () => Activation | null;
  wrong: string;
}

/** At night, when fewest watch. */
const quietHour = 3;
const yearMs = 365 * 86_400_000;

/** When a firmware shall be started. */
export function useWhen(choices: readonly WhenName[]): When {
  const { config, clockOffset } = useStoreState();
  const zone = config?.time.zone ?? "UTC";
  const now = Date.now() + clockOffset;
  const [when, setWhen] = useState<WhenName>("now");
  const [wall, setWall] = useState(() => nextHour(new Date(now), zone, quietHour));
  const [wrong, setWrong] = useState("");
  const activation = (): Activation | null => {
    if (when !== "at") return { when };
    const at = instantAt(wall, zone);
    const told =
      at === null
        ? "must be a date and a time"
        : at.getTime() <= now
          ? "must be in the future"
          : at.getTime() > now + yearMs
            ? "must be within a year"
            : "";
    setWrong(told);
    return at === null || told !== "" ? null : { when, at: at.toISOString() };
  };
  return {
    ...{ when, choices, wall, zone, now, activation, wrong },
    set: (next) => {
      setWhen(next);
      setWrong("");
    },
    setWall,
  };
}

/** @param props.pointer of the time in the request */
export function WhenField({ of, error, pointer }: { of: When; error: ApiError | null; pointer: string }) {
  const { when, set, choices, wall, setWall, zone, now, wrong } = of;
  const id = useId();
  const at = instantAt(wall, zone);
  const ownZone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const here = at === null || ownZone === zone ? "" : ` On this computer: ${boxMoment(at.toISOString(), ownZone)}.`;
  const help = `In the time zone of the box, ${zone}, where it is ${wallTime(new Date(now), zone).slice(11)} now.${here}`;
  const told = wrong === "" ? fieldError(error, pointer) : wrong;
  return (
    <>
      <Choose
        label="When to start"
        value={when}
        choices={choices.map((choice) => [choice, words[choice]] as const)}
        set={set}
        help={consequences[when]}
      />
      {when === "at" && (
        <Labelled id={id} label="Date and time" help={help} error={told}>
          {(attributes) => (
            <input
              {...attributes}
              type="datetime-local"
              value={wall}
              min={wallTime(new Date(now), zone)}
              max={wallTime(new Date(now + yearMs), zone)}
              onInput={({ currentTarget }) => setWall(currentTarget.value)}
            />
          )}
        </Labelled>
      )}
    </>
  );
}
