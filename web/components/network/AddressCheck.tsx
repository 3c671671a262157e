import { useState } from "preact/hooks";
import { useTask } from "../../hooks.ts";
import { checkAddress } from "../../networkApi.ts";
import { Card } from "../Card.tsx";
import { Choose } from "../form/Choose.tsx";
import { TextField } from "../form/TextField.tsx";
import { Trouble } from "../form/Trouble.tsx";

/** Asks the network whether somebody has an address already. */
export function AddressCheck({ ports }: { ports: string[] }) {
  const [port, setPort] = useState(ports[0] ?? "");
  const [address, setAddress] = useState("");
  const [answer, setAnswer] = useState("");
  const { busy, error, run } = useTask();
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    setAnswer("");
    void run(async () => setAnswer((await checkAddress(port, address)).message));
  };
  return (
    <Card title="Is an address free?">
      <form class="fields" noValidate aria-label="Is an address free?" onSubmit={submit}>
        <Choose label="Port" value={port} choices={ports.map((name) => [name, name] as const)} set={setPort} />
        <TextField label="IPv4 address" name="address" value={address} set={setAddress} error={error} />
        <Trouble error={error} />
        <p role="status">{busy ? "Asking …" : answer}</p>
        <div class="choices">
          <button type="submit" aria-disabled={busy}>
            Ask the network
          </button>
        </div>
      </form>
    </Card>
  );
}
