import { useState } from "preact/hooks";
import { copy } from "../../clipboard.ts";
import { focusOnce } from "../../focus.ts";

interface Props {
  title: string;
  /** What to do with it. */
  text: string;
  values: string[];
  done: () => void;
}

/** Secrets that are shown this once. */
export function Once({ title, text, values, done }: Props) {
  const [copied, setCopied] = useState("");
  const press = async (button: HTMLButtonElement) => {
    setCopied((await copy(values.join("\n"))) ? "Copied" : "Not copied");
    button.focus();
  };
  const print = () => {
    document.body.classList.add("printing");
    window.print();
    document.body.classList.remove("printing");
  };
  return (
    <section class="once" aria-label={title} tabIndex={-1} ref={focusOnce}>
      <h3>{title}</h3>
      <p>{text}</p>
      <ul>
        {values.map((value) => (
          <li key={value}>
            <code>{value}</code>
          </li>
        ))}
      </ul>
      <div class="choices">
        <button type="button" onClick={(event) => void press(event.currentTarget)}>
          Copy
        </button>
        <button type="button" onClick={print}>
          Print
        </button>
        <button type="button" class="go" onClick={done}>
          I have kept it
        </button>
        <span aria-live="polite">{copied}</span>
      </div>
    </section>
  );
}
