/** Configurations that differ in every part, so that a mix of two is none of them. */
import { type Config, config, defaultConfig } from "../../../src/config/schema.ts";

/** The nth; its number is in its name. */
export function variant(n: number): Config {
  const channels = Array.from({ length: n % 4 }, (_, i) => ({
    id: `ch${i + 1}`,
    name: `Channel ${n}.${i}`,
    video: { bitrate: 1000 + (n % 1000), gop: 1 + (n % 600) },
    transport: { serviceName: `Service ${n}` },
    outputs: [{ type: "udp", id: "main", address: `239.1.${n % 250}.${i + 1}`, port: 1234 }],
  }));
  return config.parse({
    ...defaultConfig(),
    box: { name: `v${n}` },
    panel: { pin: String(1000 + (n % 9000)) },
    time: { servers: Array.from({ length: n % 5 }, (_, i) => `ntp${i}.v${n}.example`) },
    channels,
  });
}

export function numberOf({ box }: Config): number {
  return Number(/^v(\d+)$/.exec(box.name)?.[1]);
}
