import { useRef, useState } from "preact/hooks";
import { useServices, useTask } from "../../hooks.ts";
import { TextField } from "../form/TextField.tsx";
import { Trouble, useWait } from "../form/Trouble.tsx";

/** Who are you? */
export function LogIn({ setup, ended }: { setup: boolean; ended: boolean }) {
  const { session } = useServices();
  const [user, setUser] = useState("");
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  const [codeNeeded, setCodeNeeded] = useState(false);
  const { busy, error, run } = useTask();
  const form = useRef<HTMLFormElement>(null);
  const wait = useWait(error);
  const blocked = busy || wait > 0;
  const asksForCode = error?.kind === "code-needed";

  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    if (blocked) return;
    const empty = [...(form.current?.querySelectorAll("input") ?? [])].find(({ value }) => value === "");
    if (empty !== undefined) {
      empty.focus();
      return;
    }
    const done = await run(async () => {
      try {
        await session.logIn(user, password, code.trim());
      } catch (refused) {
        if (refused instanceof Error && "kind" in refused && refused.kind === "code-needed") setCodeNeeded(true);
        throw refused;
      }
    });
    // What is most likely wrong is typed again.
    const field = (name: string) => form.current?.querySelector<HTMLInputElement>(`input[name=${name}]`);
    if (!done) (field("code") ?? field("password"))?.select();
  };

  return (
    <form ref={form} class="card gate" aria-labelledby="log-in" noValidate onSubmit={(event) => void submit(event)}>
      <h2 id="log-in">Log in</h2>
      {ended && <p role="status">The session has ended. Log in again to go on where you were.</p>}
      {setup && (
        <p>
          This box has no password yet. From its own network, log in as <code>admin</code> with the password{" "}
          <code>admin</code> and choose one. Channels are on air meanwhile.
        </p>
      )}
      <TextField label="User" name="user" value={user} set={setUser} autocomplete="username" focus required />
      <TextField
        label="Password"
        name="password"
        type="password"
        value={password}
        set={setPassword}
        autocomplete="current-password"
        required
      />
      {codeNeeded && (
        <TextField
          label="Code"
          name="code"
          value={code}
          set={setCode}
          autocomplete="one-time-code"
          help="Six digits of your authenticator app, or one of your recovery codes"
          focus
          required
        />
      )}
      {asksForCode ? (
        <p class="form-trouble" role="status">
          This account logs in with a code, too.
        </p>
      ) : (
        <Trouble error={error} wait={wait} />
      )}
      <button type="submit" class="go" aria-disabled={blocked} aria-busy={busy}>
        {busy ? "Logging in …" : "Log in"}
      </button>
      {!setup && (
        <p class="note">Password lost? An admin sets another one; the last admin's is set at the front panel.</p>
      )}
    </form>
  );
}
