import { useRef, useState } from "preact/hooks";
import { useServices, useTask } from "../../hooks.ts";
import { NewPassword } from "../form/NewPassword.tsx";
import { TextField } from "../form/TextField.tsx";
import { Trouble } from "../form/Trouble.tsx";

/** The first start: the box waits for the password of its admin. */
export function SetUp() {
  const { session } = useServices();
  const [password, setPassword] = useState("");
  const [again, setAgain] = useState("");
  const [differs, setDiffers] = useState(false);
  const { busy, error, run } = useTask();
  const form = useRef<HTMLFormElement>(null);

  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    setDiffers(password !== again);
    if (busy || password !== again) {
      form.current?.querySelector<HTMLInputElement>("input[name=again]")?.select();
      return;
    }
    const done = await run(() => session.setUp(password));
    if (!done) form.current?.querySelector<HTMLInputElement>("input[name=password]")?.select();
  };

  return (
    <form ref={form} class="card gate" aria-labelledby="set-up" noValidate onSubmit={(event) => void submit(event)}>
      <h2 id="set-up">Set up this box</h2>
      <p>
        Choose the password of the user <code>admin</code>. Nothing else can be done before. The channels are on air
        meanwhile and stay so.
      </p>
      <input
        class="unseen"
        type="text"
        name="user"
        autocomplete="username"
        value="admin"
        readOnly
        tabIndex={-1}
        aria-hidden
      />
      <NewPassword value={password} set={setPassword} error={error} focus required />
      <TextField
        label="New password again"
        name="again"
        type="password"
        value={again}
        set={setAgain}
        autocomplete="new-password"
        required
      />
      <div role="alert">{differs && <p class="field-error">The two are not the same.</p>}</div>
      <Trouble error={error} />
      <button type="submit" class="go" aria-disabled={busy} aria-busy={busy}>
        Set the password
      </button>
    </form>
  );
}
