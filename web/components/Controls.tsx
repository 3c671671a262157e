import { useRef, useState } from "preact/hooks";
import type { ChannelStatus } from "../../src/channels/status.ts";
import { ApiError, type Order, order } from "../api.ts";
import { useMay } from "../hooks.ts";
import { Refusal } from "./Refusal.tsx";

const pendingWords: Record<Order, string> = {
  start: "Starting …",
  stop: "Stopping …",
  restart: "Restarting …",
  keyframe: "Key frame …",
};

/** Orders that viewers notice are asked for twice. */
const questions: Partial<Record<Order, { title: string; text: string; yes: string }>> = {
  stop: { title: "Stop", text: "Its stream ends until it is started again.", yes: "Stop channel" },
  restart: { title: "Restart", text: "Its stream is interrupted for a moment.", yes: "Restart channel" },
};

export function Controls({ status, linked }: { status: ChannelStatus; linked: boolean }) {
  const [pending, setPending] = useState<Order | null>(null);
  const [refusal, setRefusal] = useState("");
  const [asked, setAsked] = useState<Order>("stop");
  const dialog = useRef<HTMLDialogElement>(null);
  const blocked = pending !== null || !linked;
  const may = useMay("operator");

  const send = async (what: Order) => {
    setPending(what);
    setRefusal("");
    try {
      await order(status.id, what);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setRefusal(error.message);
    } finally {
      setPending(null);
    }
  };

  const press = (what: Order) => {
    if (blocked) return;
    if (questions[what] === undefined) {
      void send(what);
    } else {
      setAsked(what);
      dialog.current?.showModal();
    }
  };

  // Not `disabled`, which would throw the focus of a keyboard user away.
  const button = (what: Order, text: string, kind = "") => (
    <button
      key={what === "start" ? "stop" : what}
      type="button"
      class={kind}
      aria-disabled={blocked}
      aria-busy={pending === what}
      onClick={() => press(what)}
    >
      {pending === what ? pendingWords[what] : text}
    </button>
  );

  if (!may) return null;
  const stopped = status.state === "stopped";
  const question = questions[asked];
  return (
    <div class="controls">
      {!stopped && button("keyframe", "Key frame")}
      {!stopped && button("restart", "Restart")}
      {stopped ? button("start", "Start", "go") : button("stop", "Stop", "halt")}
      <Refusal text={refusal} dismiss={() => setRefusal("")} />
      <dialog ref={dialog} aria-labelledby={`ask-${status.id}`}>
        <form
          method="dialog"
          onSubmit={(event) => {
            const choice = (event as SubmitEvent).submitter;
            if (choice instanceof HTMLButtonElement && choice.value === "yes") void send(asked);
          }}
        >
          <h3 id={`ask-${status.id}`}>
            {question?.title} “{status.name}”?
          </h3>
          <p>{question?.text}</p>
          <div class="choices">
            <button type="submit" value="no">
              Cancel
            </button>
            <button type="submit" value="yes" class="halt">
              {question?.yes}
            </button>
          </div>
        </form>
      </dialog>
    </div>
  );
}
