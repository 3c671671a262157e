/** For a PC, whose network is not the box's to change: tells what would be done, and how the network is. */
import type { Applied, LinkGlance, LinkState, NetworkAdapter, Probe } from "./adapter.ts";
import { Kernel } from "./kernel.ts";
import type { NetworkPlan } from "./plan.ts";

export interface DryAdapterOptions {
  kernel?: Kernel;
  /** Told in words what would be done. */
  tell?(message: string): void;
}

export class DryAdapter implements NetworkAdapter {
  readonly kind = "dry";
  readonly #kernel: Kernel;
  readonly #tell: (message: string) => void;

  constructor({ kernel = new Kernel(), tell = () => {} }: DryAdapterOptions = {}) {
    this.#kernel = kernel;
    this.#tell = tell;
  }

  async apply({ files, settings, hostname }: NetworkPlan): Promise<Applied> {
    this.#tell(
      `the network of this machine stays as it is; a box would have ${files.length} files for systemd-networkd, a ` +
        `firewall, ${settings.length} settings of the kernel and the host name ${hostname}`,
    );
    return { ok: true, notes: [] };
  }

  status(): Promise<LinkState[]> {
    return this.#kernel.links();
  }

  glance(): Promise<LinkGlance[]> {
    return this.#kernel.glance();
  }

  async probe(): Promise<Probe> {
    return { result: "unknown", why: "on a PC nobody is asked" };
  }

  async addAddress(): Promise<boolean> {
    return false;
  }

  async removeAddress(): Promise<boolean> {
    return false;
  }
}
