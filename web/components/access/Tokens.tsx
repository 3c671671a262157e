import { useState } from "preact/hooks";
import { isAtLeast, type Role, type Scope, scopes } from "../../../src/access/principal.ts";
import { addToken, fetchTokens, removeToken } from "../../accessApi.ts";
import { moment, roleChoices, roleWords, scopeWords } from "../../accessFormat.ts";
import { useFetched, useTask } from "../../hooks.ts";
import type { SessionUser } from "../../session.ts";
import { Card } from "../Card.tsx";
import { Choose } from "../form/Choose.tsx";
import { Confirm } from "../form/Confirm.tsx";
import { Once } from "../form/Once.tsx";
import { TextField } from "../form/TextField.tsx";
import { Trouble } from "../form/Trouble.tsx";

/** What programs log in with. */
export function Tokens({ user }: { user: SessionUser }) {
  const { data, error, reload } = useFetched(fetchTokens);
  const [made, setMade] = useState<string | null>(null);
  const task = useTask();
  const remove = (id: string) =>
    task.run(async () => {
      await removeToken(id);
      reload();
    });
  return (
    <Card title="API tokens">
      <p class="note">Programs use the API with a token: Authorization: Bearer, followed by the token.</p>
      <Trouble error={error ?? task.error} />
      <ul class="rows">
        {data?.map(({ id, name, owner, role, scopes: limits, expires, lastUsed }) => (
          <li key={id}>
            <div>
              <strong>{name}</strong> {owner !== user.name && <span>of {owner}</span>}
              <p class="note">
                {roleWords[role]}, {limits === null ? "everything" : limits.map((one) => scopeWords[one]).join(", ")},
                last used {moment(lastUsed)}, expires {moment(expires)}
              </p>
            </div>
            <Confirm
              text="Revoke"
              label={`Revoke ${name}`}
              title={`Revoke the token “${name}”?`}
              yes="Revoke"
              act={() => void remove(id)}
            >
              <p>Programs that use it are refused from now on.</p>
            </Confirm>
          </li>
        ))}
      </ul>
      {made === null ? (
        <AddToken
          role={user.role}
          made={(token) => {
            setMade(token);
            reload();
          }}
        />
      ) : (
        <Once
          title="The new token"
          text="It is shown only now; the box keeps nothing that it could be made from again."
          values={[made]}
          done={() => setMade(null)}
        />
      )}
    </Card>
  );
}

const lifetimes = [
  ["30", "30 days"],
  ["90", "90 days"],
  ["365", "1 year"],
  ["", "Never"],
] as const;

function AddToken({ role: own, made }: { role: Role; made: (token: string) => void }) {
  const [name, setName] = useState("");
  const [role, setRole] = useState<Role>("viewer");
  const [limits, setLimits] = useState<Scope[]>([]);
  const [days, setDays] = useState<(typeof lifetimes)[number][0]>("90");
  const { error, run } = useTask();
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    void run(async () => {
      const expires = new Date(Date.now() + Number(days) * 86_400_000).toISOString();
      const token = await addToken({
        ...{ name, role },
        ...(limits.length > 0 ? { scopes: limits } : {}),
        ...(days === "" ? {} : { expires }),
      });
      setName("");
      made(token);
    });
  };
  return (
    <form class="fields" noValidate aria-label="New token" onSubmit={submit}>
      <h3>New token</h3>
      <TextField label="Name" name="name" value={name} set={setName} error={error} help="What it is for" />
      <Choose
        label="Role"
        value={role}
        choices={roleChoices.filter(([one]) => isAtLeast(own, one))}
        set={setRole}
        help="Never more than your own"
      />
      <fieldset class="group">
        <legend>Only for</legend>
        <p class="note">Nothing chosen: for everything that the role may do</p>
        {scopes.map((scope) => (
          <label key={scope} class="switch">
            <input
              type="checkbox"
              checked={limits.includes(scope)}
              onChange={({ currentTarget: { checked } }) =>
                setLimits(scopes.filter((one) => (one === scope ? checked : limits.includes(one))))
              }
            />
            {scopeWords[scope]}
          </label>
        ))}
      </fieldset>
      <Choose label="Expires" value={days} choices={lifetimes} set={setDays} />
      <Trouble error={error} />
      <div class="choices">
        <button type="submit" class="go">
          Make the token
        </button>
      </div>
    </form>
  );
}
