import { useId, useRef, useState } from "preact/hooks";
import { fallbackAddress } from "../../configSchema.ts";
import { foundAt } from "../../firmwareFormat.ts";
import { useServices, useSession, useTask } from "../../hooks.ts";
import { resetToFactory } from "../../powerApi.ts";
import { Card } from "../Card.tsx";
import { TextField } from "../form/TextField.tsx";
import { Trouble } from "../form/Trouble.tsx";

/** Everything back to what a new box has, after the password was given. */
export function FactoryReset({ linked }: { linked: boolean }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  const { absence, session } = useServices();
  const user = useSession();
  const [password, setPassword] = useState("");
  const [keepNetwork, setKeepNetwork] = useState(false);
  const { busy, error, run, clear } = useTask();
  const blocked = busy || !linked;

  const close = () => {
    setPassword("");
    clear();
  };
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    if (blocked) return;
    void run(async () => {
      const reboots = await resetToFactory(password, keepNetwork);
      dialog.current?.close();
      if (reboots) absence.expect("reset", keepNetwork);
      // A box that begins anew without a reboot knows nobody.
      else await session.check();
    });
  };
  return (
    <Card title="Factory settings">
      <p>Puts the box back to what it was when it was new. Both firmware slots stay as they are.</p>
      <div class="choices orders">
        <button
          type="button"
          class="halt"
          aria-disabled={blocked}
          onClick={() => !blocked && dialog.current?.showModal()}
        >
          Reset to factory settings
        </button>
      </div>
      <dialog ref={dialog} class="plan" aria-labelledby={id} onClose={close}>
        <form noValidate onSubmit={submit}>
          <h3 id={id}>Reset to factory settings?</h3>
          <p>All channels go off air. These are lost for good:</p>
          <ul class="bullets">
            <li>all settings, channels, presets and versions of the configuration</li>
            <li>users, tokens and log-ins</li>
            <li>the certificate of the web page, so that browsers warn anew</li>
            <li>backups, logs and bundles that are kept on the box</li>
          </ul>
          <label class="switch">
            <input
              type="checkbox"
              checked={keepNetwork}
              onChange={({ currentTarget }) => setKeepNetwork(currentTarget.checked)}
            />
            Keep the network settings
          </label>
          <p role="status">
            Afterwards {keepNetwork ? "the box is found at the addresses that it has now." : foundAt(fallbackAddress())}{" "}
            Its first user is admin with the password admin.
          </p>
          <input
            class="unseen"
            type="text"
            autocomplete="username"
            value={user.phase === "in" ? user.user.name : ""}
            readOnly
            tabIndex={-1}
            aria-hidden
          />
          <TextField
            label="Your password"
            name="password"
            type="password"
            value={password}
            set={setPassword}
            autocomplete="current-password"
            error={error}
          />
          <Trouble error={error} />
          <div class="choices">
            <button type="button" onClick={() => dialog.current?.close()}>
              Cancel
            </button>
            <button type="submit" class="halt" aria-disabled={blocked}>
              Reset
            </button>
          </div>
        </form>
      </dialog>
    </Card>
  );
}
