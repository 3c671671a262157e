import { useState } from "preact/hooks";
import { changePassword } from "../../accessApi.ts";
import { useSession, useTask } from "../../hooks.ts";
import { Card } from "../Card.tsx";
import { NewPassword } from "../form/NewPassword.tsx";
import { TextField } from "../form/TextField.tsx";
import { Trouble } from "../form/Trouble.tsx";
import { SecondFactor } from "./SecondFactor.tsx";
import { Sessions } from "./Sessions.tsx";
import { Tokens } from "./Tokens.tsx";

/** What somebody may do with their own account. */
export function Account() {
  const session = useSession();
  if (session.phase !== "in") return null;
  const { user } = session;
  if (user.mustEnrol) {
    return (
      <div class="board pages">
        <SecondFactor user={user} />
      </div>
    );
  }
  return (
    <div class="board pages">
      <Password name={user.name} />
      <SecondFactor user={user} />
      <Sessions />
      <Tokens user={user} />
    </div>
  );
}

function Password({ name }: { name: string }) {
  const [current, setCurrent] = useState("");
  const [password, setPassword] = useState("");
  const [again, setAgain] = useState("");
  const [said, setSaid] = useState("");
  const { busy, error, run } = useTask();

  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    setSaid("");
    if (password !== again) {
      setSaid("The two new ones are not the same.");
      return;
    }
    const done = await run(() => changePassword(current, password));
    if (!done) return;
    setSaid("The password is changed.");
    for (const set of [setCurrent, setPassword, setAgain]) set("");
  };

  return (
    <Card title="Password">
      <form class="fields" noValidate onSubmit={(event) => void submit(event)}>
        <input class="unseen" type="text" autocomplete="username" value={name} readOnly tabIndex={-1} aria-hidden />
        <TextField
          label="Current password"
          name="current"
          type="password"
          value={current}
          set={setCurrent}
          autocomplete="current-password"
          error={error}
        />
        <NewPassword value={password} set={setPassword} error={error} />
        <TextField
          label="New password again"
          name="again"
          type="password"
          value={again}
          set={setAgain}
          autocomplete="new-password"
        />
        <Trouble error={error} />
        <p role="status">{said}</p>
        <div class="choices">
          <button type="submit" class="go" aria-disabled={busy}>
            Change the password
          </button>
        </div>
      </form>
    </Card>
  );
}
