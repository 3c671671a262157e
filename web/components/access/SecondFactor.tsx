import { useState } from "preact/hooks";
import { activateTotp, beginTotp, removeTotp, renewRecoveryCodes } from "../../accessApi.ts";
import { useServices, useTask } from "../../hooks.ts";
import type { SessionUser } from "../../session.ts";
import { Card } from "../Card.tsx";
import { Confirm } from "../form/Confirm.tsx";
import { Once } from "../form/Once.tsx";
import { TextField } from "../form/TextField.tsx";
import { Trouble } from "../form/Trouble.tsx";
import { QrCode } from "./QrCode.tsx";

/** The codes of an authenticator app: set up, renew, remove. */
export function SecondFactor({ user }: { user: SessionUser }) {
  const { session } = useServices();
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  const [begun, setBegun] = useState<{ secret: string; uri: string } | null>(null);
  const [codes, setCodes] = useState<string[] | null>(null);
  const { error, run, clear } = useTask();

  const begin = () => run(async () => setBegun(await beginTotp(password)));
  const activate = () => run(async () => setCodes((await activateTotp(code.trim())).recoveryCodes));
  const renew = () => run(async () => setCodes((await renewRecoveryCodes(password)).recoveryCodes));
  const remove = () =>
    run(async () => {
      await removeTotp(password);
      setPassword("");
      await session.check();
    });
  const submit = (work: () => Promise<unknown>) => (event: SubmitEvent) => {
    event.preventDefault();
    void work();
  };
  const done = () => {
    for (const set of [setPassword, setCode]) set("");
    setBegun(null);
    setCodes(null);
    clear();
    void session.check();
  };
  const askForPassword = (
    <TextField
      label="Your password"
      name="password"
      type="password"
      value={password}
      set={setPassword}
      autocomplete="current-password"
      error={error}
    />
  );

  if (codes !== null) {
    return (
      <Card title="Second factor">
        <Once
          title="Recovery codes"
          text="Each of them logs you in once when the authenticator is not at hand. They are shown only now: keep them where you find them without this box."
          values={codes}
          done={done}
        />
      </Card>
    );
  }
  if (begun !== null) {
    return (
      <Card title="Second factor">
        <form class="fields" noValidate onSubmit={submit(activate)}>
          <p>Let the authenticator app read this, or type the key into it. Then give the code that it shows.</p>
          <QrCode text={begun.uri} label="QR code of the key for the authenticator app" />
          <p>
            Key: <code class="secret">{begun.secret.replaceAll(/(.{4})(?=.)/g, "$1 ")}</code>
          </p>
          <TextField
            label="Code of the app"
            name="code"
            value={code}
            set={setCode}
            autocomplete="one-time-code"
            error={error}
            focus
          />
          <Trouble error={error} />
          <div class="choices">
            <button type="button" onClick={done}>
              Cancel
            </button>
            <button type="submit" class="go">
              Switch on
            </button>
          </div>
        </form>
      </Card>
    );
  }
  return (
    <Card title="Second factor">
      <form class="fields" noValidate onSubmit={submit(user.secondFactor ? renew : begin)}>
        {user.mustEnrol && (
          <p class="form-trouble">
            On this box you have to log in with a code, too. Set it up now; everything else comes after it.
          </p>
        )}
        <p>
          {user.secondFactor
            ? "On: you log in with a code of your authenticator app, too."
            : "Off. With it, a password alone lets nobody in: a code of an authenticator app is asked for, too."}
        </p>
        {askForPassword}
        <Trouble error={error} />
        <div class="choices">
          <button type="submit" class={user.secondFactor ? "" : "go"}>
            {user.secondFactor ? "New recovery codes" : "Set up"}
          </button>
          {user.secondFactor && (
            <Confirm
              text="Switch off"
              label="Switch the second factor off"
              title="Switch the second factor off?"
              yes="Switch off"
              act={() => void remove()}
            >
              <p>Then the password alone lets you in, and the recovery codes are worth nothing.</p>
            </Confirm>
          )}
        </div>
      </form>
    </Card>
  );
}
