import { useId } from "preact/hooks";
import type { FirmwareStatus } from "../../../src/update/status.ts";
import { bytes } from "../../boardFormat.ts";
import { removeBundle } from "../../firmwareApi.ts";
import { doneWords, workWords } from "../../firmwareFormat.ts";
import { useFirmware, useServices, useTask } from "../../hooks.ts";
import { Trouble } from "../form/Trouble.tsx";

interface Props {
  status: FirmwareStatus;
  isAdmin: boolean;
  linked: boolean;
}

/** What is being done, whoever has ordered it, and how far it is. */
export function Work({ status: { work }, isAdmin, linked }: Props) {
  const { firmware } = useServices();
  const { upload } = useFirmware();
  const { busy, error, run } = useTask();
  // What is on its way from here is told by this page, which knows it first.
  if (upload !== null && (work === null || work.what === "receive")) {
    const { name, sent, total } = upload;
    const percent = total === 0 ? null : (100 * sent) / total;
    const done = `${bytes(sent)} of ${bytes(total)}, ${Math.floor(percent ?? 0)}\u00a0%`;
    return (
      <Progress title={`Sending ${name}`} percent={percent} done={sent === total ? "The box checks it" : done}>
        <button type="button" class="halt" onClick={() => firmware.abort()}>
          Cancel
        </button>
      </Progress>
    );
  }
  const blocked = busy || !linked;
  return (
    <>
      {work !== null && (
        <Progress title={workWords(work)} percent={work.percent} done={doneWords(work)} step={work.step}>
          {isAdmin && work.cancellable && (
            <button
              type="button"
              class="halt"
              aria-disabled={blocked}
              onClick={() => !blocked && void run(removeBundle)}
            >
              Cancel
            </button>
          )}
        </Progress>
      )}
      <Trouble error={error} />
      {/* What screen readers are told: what is done, not each step of it. */}
      <p class="unseen" role="status">
        {work === null ? "" : workWords(work)}
      </p>
    </>
  );
}

interface ProgressProps {
  title: string;
  /** Null while it is not known. */
  percent: number | null;
  done: string;
  step?: string;
  children: preact.ComponentChildren;
}

function Progress({ title, percent, done, step = "", children }: ProgressProps) {
  const id = useId();
  return (
    <div class="work">
      <label for={id}>{title}</label>
      <span class="done">{done}</span>
      <progress id={id} max={100} {...(percent === null ? {} : { value: percent })} />
      {step !== "" && <p class="note">{step}</p>}
      {children}
    </div>
  );
}
