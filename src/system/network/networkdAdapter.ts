/** The network of the box itself: systemd-networkd, nftables and the settings of the kernel. */
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type CommandResult, commandRunner, type RunCommand } from "../command.ts";
import type { Applied, LinkGlance, LinkState, NetworkAdapter, Probe } from "./adapter.ts";
import { Kernel } from "./kernel.ts";
import { parseNetworkctl } from "./networkctl.ts";
import { type GeneratedFile, PREFIX } from "./networkd.ts";
import type { NetworkPlan } from "./plan.ts";

export interface NetworkdAdapterOptions {
  /** networkd reads files from here; lost at a reboot, and made anew at each start of the supervisor. */
  folder?: string;
  kernel?: Kernel;
  run?: RunCommand;
}

/** What goes back with the files when a later step fails. */
type Loaded = Pick<NetworkPlan, "firewall" | "settings">;

/** Bytes of networkctl's list; that of a box with 32 links has some 200,000. */
const LIST_MAX = 2_000_000;

/** A step that failed; what was done before it is undone. */
class StepError extends Error {}

export class NetworkdAdapter implements NetworkAdapter {
  readonly kind = "networkd";
  readonly #folder: string;
  readonly #kernel: Kernel;
  readonly #run: RunCommand;
  /** What was loaded last. */
  #applied: Loaded | undefined;

  constructor({
    folder = "/run/systemd/network",
    kernel = new Kernel(),
    run = commandRunner(),
  }: NetworkdAdapterOptions = {}) {
    this.#folder = folder;
    this.#kernel = kernel;
    this.#run = run;
  }

  async apply(plan: NetworkPlan): Promise<Applied> {
    const before = this.#applied;
    let old: GeneratedFile[] | undefined;
    try {
      await this.#step("nft", ["-c", "-f", "-"], plan.firewall);
      old = await this.#files();
      await this.#step("nft", ["-f", "-"], plan.firewall);
      for (const { key, value } of plan.settings) await this.#step("sysctl", ["-q", "-w", `${key}=${value}`]);
      await this.#change(old, plan.files);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      return { ok: false, message: old === undefined ? message : `${message}${await this.#goBack(old, before)}` };
    }
    this.#applied = { firewall: plan.firewall, settings: plan.settings };
    const named = await this.#run("hostnamectl", ["--transient", "hostname", plan.hostname]);
    return { ok: true, notes: named.ok ? [] : [`the host name is not set: ${reason("hostnamectl", named)}`] };
  }

  async status(): Promise<LinkState[]> {
    const [links, told] = await Promise.all([
      this.#kernel.links(),
      this.#run("networkctl", ["--json=short", "--no-pager", "list"], { outputMax: LIST_MAX }),
    ]);
    const described = parseNetworkctl(told.stdout);
    return links.map((link) => ({ ...link, ...described.get(link.name) }));
  }

  glance(): Promise<LinkGlance[]> {
    return this.#kernel.glance();
  }

  async probe(interfaceName: string, address: string): Promise<Probe> {
    // Three probes, as RFC 5227 (1.1: PROBE_NUM) has it, and a second to hear the last answer.
    const asked = await this.#run("arping", ["-D", "-c", "3", "-w", "4", "-I", interfaceName, address]);
    const macs = [...asked.stdout.matchAll(/\[([0-9A-Fa-f:]{17})\]/g)].map(([, mac = ""]) => mac.toLowerCase());
    // The box itself may have it on another port of the same wire, from where it moves.
    const own = new Set((await this.#kernel.links()).map(({ mac }) => mac));
    const mac = macs.find((one) => !own.has(one));
    if (mac !== undefined) return { result: "taken", mac };
    if (asked.ok || macs.length > 0) return { result: "free" };
    return { result: "unknown", why: reason("arping", asked) };
  }

  addAddress(interfaceName: string, address: string, prefix: number): Promise<boolean> {
    return this.#address("replace", interfaceName, address, prefix);
  }

  removeAddress(interfaceName: string, address: string, prefix: number): Promise<boolean> {
    return this.#address("del", interfaceName, address, prefix);
  }

  async #address(verb: string, name: string, address: string, prefix: number): Promise<boolean> {
    const done = await this.#run("ip", ["address", verb, `${address}/${prefix}`, "broadcast", "+", "dev", name]);
    return done.ok;
  }

  async #step(program: string, args: readonly string[], input = ""): Promise<void> {
    const result = await this.#run(program, args, { input });
    if (!result.ok) throw new StepError(reason(program, result));
  }

  // ---- files ---------------------------------------------------------------------------------------------------------

  /** Those that the generator made before, also for an earlier supervisor. */
  async #files(): Promise<GeneratedFile[]> {
    await mkdir(this.#folder, { recursive: true });
    const names = (await readdir(this.#folder)).filter((name) => name.startsWith(PREFIX)).sort();
    // A name in flight is of an earlier supervisor that was ended while it wrote.
    for (const name of names.filter(isTemporary)) await rm(join(this.#folder, name), { force: true });
    return await Promise.all(
      names
        .filter((name) => !isTemporary(name))
        .map(async (name) => ({ name, text: await readFile(join(this.#folder, name), "utf8") })),
    );
  }

  /** Brings the files from one state to another and has networkd follow; where they are the same, nothing happens. */
  async #change(from: readonly GeneratedFile[], to: readonly GeneratedFile[]): Promise<void> {
    const old = new Map(from.map(({ name, text }) => [name, text]));
    const wanted = new Map(to.map(({ name, text }) => [name, text]));
    const written = to.filter(({ name, text }) => old.get(name) !== text);
    const removed = from.filter(({ name }) => !wanted.has(name));
    if (written.length + removed.length === 0) return;
    for (const { name, text } of written) {
      const path = join(this.#folder, name);
      await writeFile(`${path}.tmp`, text, { mode: 0o644 });
      await rename(`${path}.tmp`, path);
    }
    for (const { name } of removed) await rm(join(this.#folder, name), { force: true });
    // networkd neither removes a bond or VLAN, nor alters one.
    const stale = [...written.filter(({ name }) => old.has(name)), ...removed].flatMap(({ name }) => netdevOf(name));
    for (const name of stale) await this.#run("ip", ["link", "delete", "dev", name]);
    // One that it has known by this name it would make again as it was: only a new start reads the file. Links that stay
    // the same keep their addresses meanwhile (networkd leaves them when it ends).
    const isAnew = written.some(({ name }) => netdevOf(name).length > 0);
    if (isAnew) await this.#step("systemctl", ["restart", "systemd-networkd.service"]);
    else await this.#step("networkctl", ["reload"]);
  }

  /** Undoes what was done, as far as that goes; tells what does not. */
  async #goBack(old: readonly GeneratedFile[], before: Loaded | undefined): Promise<string> {
    const failed: string[] = [];
    const attempt = async (task: () => Promise<void>) => {
      await task().catch((error: Error) => failed.push(error.message));
    };
    await attempt(async () => this.#change(await this.#files(), old));
    // Without one before it, the new firewall stays: better a closed door too many.
    if (before !== undefined) {
      await attempt(() => this.#step("nft", ["-f", "-"], before.firewall));
      for (const { key, value } of before.settings) {
        await attempt(() => this.#step("sysctl", ["-q", "-w", `${key}=${value}`]));
      }
    }
    return failed.length === 0 ? "" : `; and the network before it could not be restored: ${failed.join("; ")}`;
  }
}

function isTemporary(name: string): boolean {
  return name.endsWith(".tmp");
}

/** The bond or VLAN that a file makes. */
function netdevOf(file: string): string[] {
  return file.endsWith(".netdev") ? [file.slice(PREFIX.length, -".netdev".length)] : [];
}

/** One line of what a program said when it failed. */
function reason(program: string, { code, why, stdout, stderr }: Extract<CommandResult, { ok: false }>): string {
  if (code === null) return why;
  const said = (stderr.trim() || stdout.trim()).split("\n", 1)[0]?.slice(0, 200) ?? "";
  return `${program} (exit code ${code}): ${said === "" ? "failed" : said}`;
}
