/** RAUC's service on the box (1.8), through the programs that come with it and with systemd. */
import { z } from "zod";
import type { RunCommand } from "../../system/command.ts";
import type { Outcome } from "../slots.ts";
import type { SlotName } from "../status.ts";

const SERVICE = ["de.pengutronix.rauc", "/", "de.pengutronix.rauc.Installer"] as const;

const slotStatus = z.object({
  bundle: z
    .object({ version: z.string().nullish(), build: z.string().nullish(), compatible: z.string().nullish() })
    .nullish(),
  installed: z.object({ timestamp: z.string(), count: z.number().nullish() }).nullish(),
  /** `ok` when it was written to its end. */
  status: z.string().nullish(),
});

const slot = z.object({
  bootname: z.string().nullable(),
  state: z.string(),
  boot_status: z.string().nullable(),
  slot_status: slotStatus.nullish(),
});
export type RaucSlot = z.infer<typeof slot> & { id: string; name: SlotName };

const status = z.object({
  booted: z.string().nullable(),
  boot_primary: z.string().nullable(),
  slots: z.array(z.record(z.string(), slot)),
});

export interface RaucStatus {
  /** Of the slot that runs. */
  booted: SlotName | null;
  /** Of the slot that is to be booted next, such as `rootfs.1`; null: RAUC finds none. */
  primary: string | null;
  slots: RaucSlot[];
}

export interface RaucWork {
  installing: boolean;
  step: string;
  lastError: string;
}

export class RaucClient {
  readonly #run: RunCommand;
  readonly #conf: readonly string[];

  /** @param conf of RAUC; left out: the system's */
  constructor(run: RunCommand, conf?: string) {
    this.#run = run;
    this.#conf = conf === undefined ? [] : ["-c", conf];
  }

  /** Gives why there is none in its place. */
  async status(): Promise<RaucStatus | { failed: string }> {
    const args = [...this.#conf, "status", "--detailed", "--output-format=json"];
    const result = await this.#run("rauc", args, { timeoutMs: 30_000 });
    if (!result.ok) return { failed: result.why };
    try {
      const { booted, boot_primary: primary, slots } = status.parse(JSON.parse(result.stdout));
      const known = slots.flatMap((one) =>
        Object.entries(one).flatMap(([id, found]) =>
          found.bootname === "A" || found.bootname === "B" ? [{ ...found, id, name: found.bootname as SlotName }] : [],
        ),
      );
      const name = known.find((one) => one.id === booted || one.name === booted)?.name;
      return { booted: name ?? null, primary, slots: known.sort((a, b) => a.name.localeCompare(b.name)) };
    } catch {
      return { failed: "RAUC tells something else than its status" };
    }
  }

  /** Begins to install a bundle; how it goes is told by `work`. */
  async install(file: string): Promise<Outcome> {
    return outcomeOf(await this.#busctl("call", ...SERVICE, "InstallBundle", "sa{sv}", file, "0"));
  }

  async work(): Promise<RaucWork | { failed: string }> {
    const result = await this.#busctl("--json=short", "get-property", ...SERVICE, "Operation", "Progress", "LastError");
    if (!result.ok) return { failed: result.why };
    try {
      const [operation, progress, error] = result.stdout
        .trim()
        .split("\n")
        .map((line) => (JSON.parse(line) as { data: unknown }).data);
      const [, step] = progress as [number, string, number];
      return { installing: operation === "installing", step, lastError: String(error) };
    } catch {
      return { failed: "RAUC tells something else than its progress" };
    }
  }

  /** @param id of the slot, such as `rootfs.1` */
  async activate(id: string): Promise<Outcome> {
    return outcomeOf(await this.#busctl("call", ...SERVICE, "Mark", "ss", "active", id));
  }

  #busctl(...args: string[]) {
    return this.#run("busctl", ["--system", ...args], { timeoutMs: 60_000 });
  }
}

function outcomeOf(result: { ok: true } | { ok: false; why: string; stderr: string }): Outcome {
  if (result.ok) return { ok: true };
  const said = /Call failed: (.*)/.exec(result.stderr)?.[1];
  return { ok: false, why: said ?? result.why };
}
