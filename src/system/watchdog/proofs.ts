/** The proofs of work that the watchdog is fed for; see feeder.ts. */
import { ask } from "./ask.ts";
import type { Proof } from "./feeder.ts";
import { waitsInKernel } from "./kernelWait.ts";

/** Work on the configuration's files takes less, asking the network whether an address is taken included, ms. */
const STORE_MS = 90_000;

export interface ProofSources {
  /** Of the API. */
  socket: string;
  /** What stands still, in words. */
  channels: { stuck(): readonly string[] };
  /** How long the work on its files that is being done has taken, ms. */
  config: { readonly workingMs: number };
  /** How long the API may take, ms. */
  timeoutMs: number;
  inKernel?(): boolean;
}

export function proofs({ socket, channels, config, timeoutMs, inKernel = waitsInKernel }: ProofSources): Proof[] {
  /** What waits for a disk that hangs is not mended by a restart. */
  const unlessInKernel = (wrong: string): string => (wrong !== "" && inKernel() ? "" : wrong);
  return [
    {
      name: "API",
      // By the socket, which has neither a network that may be down nor limits; that it answers at all is what counts.
      look: () => ask({ socket, path: "/api/v1/session" }, timeoutMs).then(() => ""),
    },
    { name: "channels", look: () => unlessInKernel(channels.stuck().join(", ")) },
    {
      name: "store",
      look: () => {
        const { workingMs } = config;
        const seconds = Math.round(workingMs / 1000);
        return unlessInKernel(workingMs > STORE_MS ? `work on the configuration takes ${seconds} s already` : "");
      },
    },
  ];
}
