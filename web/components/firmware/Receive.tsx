import { useEffect, useId, useRef, useState } from "preact/hooks";
import type { FirmwareStatus } from "../../../src/update/status.ts";
import { bytes } from "../../boardFormat.ts";
import { fetchFrom, fetchUsb, takeFromUsb } from "../../firmwareApi.ts";
import { useFetched, useFirmware, useServices, useTask } from "../../hooks.ts";
import { Card } from "../Card.tsx";
import { TextField } from "../form/TextField.tsx";
import { Trouble } from "../form/Trouble.tsx";

/** The ways by which a bundle comes to the box. */
export function Receive({ status: { work, bundle }, linked }: { status: FirmwareStatus; linked: boolean }) {
  const { upload } = useFirmware();
  const held = !linked || work !== null || upload !== null;
  return (
    <>
      <Upload held={held} replaces={bundle !== null} />
      <FromUrl held={held} />
      <FromUsb held={held} linked={linked} />
    </>
  );
}

function Upload({ held, replaces }: { held: boolean; replaces: boolean }) {
  const { firmware } = useServices();
  const { upload, refusal } = useFirmware();
  const [over, setOver] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const id = useId();
  const take = (file: File | undefined) => {
    if (file !== undefined && !held) void firmware.send(file);
  };
  useEffect(() => {
    if (upload === null) return;
    // The browser asks before the page is left.
    const ask = (event: BeforeUnloadEvent) => event.preventDefault();
    addEventListener("beforeunload", ask);
    return () => removeEventListener("beforeunload", ask);
  }, [upload === null]);

  return (
    <Card title="Upload a bundle">
      <fieldset
        aria-label="File of a bundle"
        class={`drop${over && !held ? " over" : ""}`}
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={(event) => {
          event.preventDefault();
          setOver(false);
          take(event.dataTransfer?.files[0]);
        }}
      >
        <p>Drop the file of a bundle here, or</p>
        <button type="button" class="go" aria-disabled={held} onClick={() => !held && input.current?.click()}>
          Choose a file
        </button>
        <label class="unseen" for={id}>
          File of a bundle
        </label>
        <input
          ref={input}
          id={id}
          class="unseen"
          type="file"
          accept=".raucb"
          tabIndex={-1}
          onChange={({ currentTarget }) => {
            take(currentTarget.files?.[0]);
            // So that the same file can be chosen again.
            currentTarget.value = "";
          }}
        />
      </fieldset>
      {replaces && <p class="note">It takes the place of the bundle at hand.</p>}
      <Trouble error={refusal} />
    </Card>
  );
}

function FromUrl({ held }: { held: boolean }) {
  const { firmware } = useServices();
  const [url, setUrl] = useState("");
  const [sha256, setSha256] = useState("");
  const { busy, error, run } = useTask();
  const blocked = held || busy;
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    if (blocked) return;
    firmware.dismiss();
    void run(async () => firmware.take(await fetchFrom(url.trim(), sha256.trim())));
  };
  return (
    <Card title="Fetch a bundle">
      <form class="fields" noValidate aria-label="Fetch a bundle" onSubmit={submit}>
        <TextField
          label="URL"
          name="url"
          value={url}
          set={setUrl}
          help="The box fetches it by itself, by HTTP or HTTPS"
          error={error}
        />
        <TextField
          label="SHA-256"
          name="sha256"
          value={sha256}
          set={setSha256}
          help="Of the file, if you know it. The signature is checked in any case"
          error={error}
        />
        <Trouble error={error} />
        <div class="choices">
          <button type="submit" class="go" aria-disabled={blocked}>
            Fetch
          </button>
        </div>
      </form>
    </Card>
  );
}

function FromUsb({ held, linked }: { held: boolean; linked: boolean }) {
  const { firmware } = useServices();
  const { data, error, reload } = useFetched(fetchUsb, linked);
  const task = useTask();
  const blocked = held || task.busy;
  const take = (id: string) => {
    if (blocked) return;
    firmware.dismiss();
    void task.run(() => takeFromUsb(id));
  };
  return (
    <Card title="USB sticks">
      <Trouble error={(linked ? error : null) ?? task.error} />
      {data?.length === 0 && <p class="note">There is no bundle on a USB stick.</p>}
      <ul class="rows">
        {data?.map(({ id, stick, file, size }) => (
          <li key={id}>
            <div>
              <strong>{file}</strong>
              <p class="note">
                {bytes(size)} on {stick}
              </p>
            </div>
            <button type="button" aria-label={`Take ${file}`} aria-disabled={blocked} onClick={() => take(id)}>
              Take it
            </button>
          </li>
        ))}
      </ul>
      <div class="choices">
        <button type="button" aria-disabled={!linked} onClick={() => linked && reload()}>
          Look again
        </button>
      </div>
    </Card>
  );
}
