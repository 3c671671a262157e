import { useState } from "preact/hooks";
import type { Role } from "../../../src/access/principal.ts";
import type { UserInfo } from "../../../src/access/results.ts";
import { addUser, changeUser, fetchUsers, removeTotpOf, removeUser, type UserChange } from "../../accessApi.ts";
import { moment, roleChoices, roleWords } from "../../accessFormat.ts";
import { useFetched, useServices, useSession, useTask } from "../../hooks.ts";
import { Card } from "../Card.tsx";
import { Choose } from "../form/Choose.tsx";
import { Confirm } from "../form/Confirm.tsx";
import { NewPassword } from "../form/NewPassword.tsx";
import { TextField } from "../form/TextField.tsx";
import { Trouble } from "../form/Trouble.tsx";

/** Who may use the box; for admins. */
export function Users() {
  const { data, error, reload } = useFetched(fetchUsers);
  return (
    <div class="board pages">
      <Card title="Users">
        <Trouble error={error} />
        <ul class="rows">
          {data?.map((user) => (
            <User key={user.name} user={user} changed={reload} />
          ))}
        </ul>
      </Card>
      <AddUser added={reload} />
    </div>
  );
}

function User({ user, changed }: { user: UserInfo; changed: () => void }) {
  const { name, disabled, secondFactor, lastLogin } = user;
  const { session } = useServices();
  const state = useSession();
  const [edited, setEdited] = useState<UserChange>({});
  const [said, setSaid] = useState("");
  const { busy, error, run } = useTask();
  const own = state.phase === "in" && state.user.name === name;

  const act = (work: () => Promise<void>, done: string) => {
    setSaid("");
    void run(async () => {
      await work();
      setSaid(done);
      changed();
      if (own) await session.check();
    });
  };
  const save = (event: SubmitEvent) => {
    event.preventDefault();
    const { role, disabled: off, password } = edited;
    const change: UserChange = {
      ...(role === undefined || role === user.role ? {} : { role }),
      ...(off === undefined || off === disabled ? {} : { disabled: off }),
      ...(password === undefined || password === "" ? {} : { password }),
    };
    if (Object.keys(change).length === 0) return;
    act(async () => {
      await changeUser(name, change);
      setEdited({});
    }, "Saved.");
  };

  return (
    <li class="user">
      <details>
        <summary>
          <strong>{name}</strong> {own && <span class="mark">you</span>}{" "}
          <span>
            {roleWords[user.role]}
            {disabled && ", disabled"}
          </span>
          <span class="user-state">
            second factor {secondFactor ? "on" : "off"}, last log-in {moment(lastLogin)}
          </span>
        </summary>
        <form class="fields" noValidate aria-label={`User ${name}`} onSubmit={save}>
          <Choose
            label="Role"
            value={edited.role ?? user.role}
            choices={roleChoices}
            set={(role) => setEdited({ ...edited, role })}
          />
          <label class="switch">
            <input
              type="checkbox"
              checked={edited.disabled ?? disabled}
              onChange={({ currentTarget }) => setEdited({ ...edited, disabled: currentTarget.checked })}
            />
            Disabled: cannot log in, tokens do not count
          </label>
          {own ? (
            <p class="note">
              Your own password is changed on the page <a href="#account">Account</a>.
            </p>
          ) : (
            <NewPassword
              value={edited.password ?? ""}
              set={(password) => setEdited({ ...edited, password })}
              help="Empty: it stays."
              error={error}
            />
          )}
          <div class="choices">
            <button type="submit" class="go" aria-disabled={busy}>
              Save
            </button>
            {secondFactor && (
              <Confirm
                text="Remove the second factor"
                title={`Remove the second factor of “${name}”?`}
                yes="Remove"
                act={() => act(() => removeTotpOf(name), "The second factor is removed.")}
              >
                <p>Then the password alone lets them in.</p>
              </Confirm>
            )}
            <Confirm
              text="Delete"
              label={`Delete ${name}`}
              title={`Delete “${name}”?`}
              yes="Delete the user"
              act={() => act(() => removeUser(name), "")}
            >
              <p>Their sessions end and their tokens are worth nothing any more.</p>
            </Confirm>
          </div>
        </form>
      </details>
      <Trouble error={error} />
      <p role="status">{said}</p>
    </li>
  );
}

function AddUser({ added }: { added: () => void }) {
  const [name, setName] = useState("");
  const [role, setRole] = useState<Role>("viewer");
  const [password, setPassword] = useState("");
  const [said, setSaid] = useState("");
  const { error, run } = useTask();
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    setSaid("");
    void run(async () => {
      await addUser({ name, role, password });
      setSaid(`${name} can log in now.`);
      setName("");
      setPassword("");
      added();
    });
  };
  return (
    <Card title="New user">
      <form class="fields" noValidate aria-label="New user" onSubmit={submit}>
        <TextField label="Name" name="name" value={name} set={setName} error={error} />
        <Choose label="Role" value={role} choices={roleChoices} set={setRole} />
        <NewPassword label="Password" value={password} set={setPassword} error={error} />
        <Trouble error={error} />
        <p role="status">{said}</p>
        <div class="choices">
          <button type="submit" class="go">
            Add the user
          </button>
        </div>
      </form>
    </Card>
  );
}
