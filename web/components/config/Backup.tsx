import { useState } from "preact/hooks";
import { moment } from "../../accessFormat.ts";
import { ApiError } from "../../api.ts";
import { exportBackup, importBackup } from "../../configApi.ts";
import { configSchema } from "../../configSchema.ts";
import { useStoreState, useTask } from "../../hooks.ts";
import { labelOf } from "../../schema.ts";
import { Card } from "../Card.tsx";
import { TextField } from "../form/TextField.tsx";
import { Trouble } from "../form/Trouble.tsx";
import { PlanDialog, type Planned } from "./PlanDialog.tsx";

/** What can be saved and brought back by itself: the parts of the configuration, and who may log in. */
const parts = [...Object.keys(configSchema.properties ?? {}).filter((name) => name !== "version"), "users"];

function Parts({ chosen, set }: { chosen: string[]; set: (chosen: string[]) => void }) {
  return (
    <fieldset class="group">
      <legend>Only these parts</legend>
      <p class="note">Nothing chosen: all of it</p>
      <div class="several">
        {parts.map((part) => (
          <label key={part} class="switch">
            <input
              type="checkbox"
              checked={chosen.includes(part)}
              onChange={({ currentTarget: { checked } }) =>
                set(parts.filter((one) => (one === part ? checked : chosen.includes(one))))
              }
            />
            {labelOf(configSchema.properties?.[part], part)}
          </label>
        ))}
      </div>
    </fieldset>
  );
}

/** Saves the configuration to a file, and brings it back. */
export function Backup() {
  return (
    <>
      <Export />
      <Import />
    </>
  );
}

function Export() {
  const [chosen, setChosen] = useState<string[]>([]);
  const [passphrase, setPassphrase] = useState("");
  const { busy, error, run } = useTask();
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    void run(async () => {
      const wanted = {
        ...(chosen.length > 0 ? { parts: chosen } : {}),
        ...(passphrase === "" ? {} : { passphrase }),
      };
      const [blob, name] = await exportBackup(wanted);
      const link = document.createElement("a");
      link.href = URL.createObjectURL(blob);
      link.download = name;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
      setPassphrase("");
    });
  };
  return (
    <Card title="Save a backup">
      <form class="fields" noValidate aria-label="Save a backup" onSubmit={submit}>
        <TextField
          label="Passphrase"
          name="passphrase"
          type="password"
          value={passphrase}
          set={setPassphrase}
          autocomplete="new-password"
          help="Encrypts the secrets, such as SRT passphrases. Empty: they are left out"
          error={error}
        />
        <Parts chosen={chosen} set={setChosen} />
        <Trouble error={error} />
        <div class="choices">
          <button type="submit" class="go" aria-disabled={busy}>
            Save to a file
          </button>
        </div>
      </form>
    </Card>
  );
}

function Import() {
  const { config } = useStoreState();
  const [file, setFile] = useState<File | null>(null);
  const [chosen, setChosen] = useState<string[]>([]);
  const [passphrase, setPassphrase] = useState("");
  const [planned, setPlanned] = useState<Planned | null>(null);
  const { busy, error, run } = useTask();
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    void run(async () => {
      if (file === null) throw new ApiError("Choose the file of the backup first");
      const wanted = {
        backup: await readJson(file),
        ...(chosen.length > 0 ? { parts: chosen } : {}),
        ...(passphrase === "" ? {} : { passphrase }),
      };
      const { from, differences, omitted, notes } = await importBackup({ ...wanted, plan: true });
      const origin = `It was made by “${from.box}” on ${moment(from.created)}.`;
      const more = omitted === 0 ? [] : [`${omitted} more settings would change.`];
      setPlanned({
        title: `Bring back ${file.name}?`,
        plan: { errors: [], differences, channels: null, confirmSeconds: 0 },
        notes: [origin, ...more, ...notes, "All of it takes effect at once, or nothing does."],
        documents: [config],
        apply: async () => {
          await importBackup(wanted);
        },
      });
    });
  };
  return (
    <Card title="Bring a backup back">
      <form class="fields" noValidate aria-label="Bring a backup back" onSubmit={submit}>
        <div class="setting">
          <label for="backup-file">File</label>
          <input
            id="backup-file"
            type="file"
            accept=".json,application/json"
            onChange={({ currentTarget }) => setFile(currentTarget.files?.[0] ?? null)}
          />
        </div>
        <TextField
          label="Passphrase"
          name="passphrase"
          type="password"
          value={passphrase}
          set={setPassphrase}
          help="The one that it was saved with, if any"
          error={error}
        />
        <Parts chosen={chosen} set={setChosen} />
        <Trouble error={error} />
        <div class="choices">
          <button type="submit" class="go" aria-disabled={busy}>
            Show what would change
          </button>
        </div>
      </form>
      {planned !== null && <PlanDialog {...planned} close={() => setPlanned(null)} />}
    </Card>
  );
}

/** @throws ApiError where the file is none of ours */
async function readJson(file: File): Promise<unknown> {
  if (file.size > 4_000_000) throw new ApiError("This file is too large for a backup");
  try {
    return JSON.parse(await file.text());
  } catch {
    throw new ApiError("This file is no backup of a box");
  }
}
