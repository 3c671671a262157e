import type { ComponentChildren } from "preact";
import { useId, useRef } from "preact/hooks";

interface Props {
  /** On the button. */
  text: string;
  /** Of the button, where its text alone does not tell what it is for. */
  label?: string;
  title: string;
  /** On the button that does it. */
  yes: string;
  /** What it does is wanted, though it is asked for twice. */
  go?: boolean;
  disabled?: boolean;
  act: () => void;
  children?: ComponentChildren;
}

/** A button for what cannot be undone: it asks first. */
export function Confirm({ text, label, title, yes, go = false, disabled = false, act, children }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  return (
    <>
      <button
        type="button"
        class={go ? "go" : "halt"}
        aria-label={label}
        aria-disabled={disabled}
        onClick={() => !disabled && dialog.current?.showModal()}
      >
        {text}
      </button>
      <dialog ref={dialog} aria-labelledby={id}>
        <form
          method="dialog"
          onSubmit={(event) => {
            const choice = (event as SubmitEvent).submitter;
            if (choice instanceof HTMLButtonElement && choice.value === "yes") act();
          }}
        >
          <h3 id={id}>{title}</h3>
          {children}
          <div class="choices">
            <button type="submit" value="no">
              Cancel
            </button>
            <button type="submit" value="yes" class={go ? "go" : "halt"}>
              {yes}
            </button>
          </div>
        </form>
      </dialog>
    </>
  );
}
