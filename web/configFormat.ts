/** How changes of the configuration are written on the page. */
import type { ChannelImpact } from "../src/config/plan.ts";

/** What a change does to who watches a channel. */
export function impactWords({ name, change, effect }: ChannelImpact): string {
  switch (change) {
    case "removed":
      return `${name} goes off air for good.`;
    case "stopped":
      return `${name} goes off air.`;
    case "started":
      return `${name} goes on air.`;
    case "added":
      return `${name} is new.`;
    case "changed":
      if (effect === "encoder") return `${name} shows its slate for a moment, while its encoder is made anew.`;
      return effect === "transmit"
        ? `${name} sends other packets: receivers may have to tune again.`
        : `${name} goes on.`;
  }
}
