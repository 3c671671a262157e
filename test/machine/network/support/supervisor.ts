/**
 * A supervisor of nothing but configuration and network, for a machine in a test. Orders come as lines of JSON on stdin, an
 * answer to each goes to stdout as `{"answer": …}`. Arguments: folder of the configuration, its first document.
 */
import { createSocket } from "node:dgram";
import { createServer } from "node:net";
import { createInterface } from "node:readline";
import { type Clock, systemClock } from "../../../../src/board/ports.ts";
import { Bus } from "../../../../src/bus.ts";
import { config as schema } from "../../../../src/config/schema.ts";
import { ConfigService } from "../../../../src/config/store.ts";
import { managementServices } from "../../../../src/system/network/firewall.ts";
import { NetworkdAdapter } from "../../../../src/system/network/networkdAdapter.ts";
import { NetworkService } from "../../../../src/system/network/service.ts";

/** The services' time runs so many times faster than the test's. */
const SPEED = 10;
const fast: Clock = {
  now: () => systemClock.now() * SPEED,
  sleep: (ms) => systemClock.sleep(ms / SPEED),
  after: (ms, call) => systemClock.after(ms / SPEED, call),
};

const say = (line: string) => process.stdout.write(`${line}\n`);
const [folder = "", first = "{}"] = process.argv.slice(2);

const bus = new Bus();
bus.on("log", ({ level, source, message }) => say(`${level}: ${source}: ${message}`));
const initial = () => schema.parse({ version: 3, ...JSON.parse(first) });
const config = new ConfigService({ folder, bus, initial, timers: fast });
const network = new NetworkService({
  ...{ config, bus, adapter: new NetworkdAdapter(), clock: fast },
  services: () => managementServices({ https: 443, http: 80 }),
});
await config.start();
await network.start();

for (const port of [80, 443, 8080]) {
  createServer((socket) => socket.on("error", () => {}).end("here\n")).listen(port, "::");
}
for (const port of [5004, 5006]) {
  const socket = createSocket("udp4", (text) => say(`received ${text} on ${port}`));
  socket.bind(port, "0.0.0.0");
}

type Order =
  | { do: "status" }
  | { do: "check"; network: unknown }
  | { do: "probe"; interface: string; address: string }
  | { do: "apply"; patch: unknown; confirmSeconds: number };

async function carryOut(order: Order): Promise<unknown> {
  switch (order.do) {
    case "status":
      return await network.status();
    case "check":
      return await network.check(schema.parse({ ...config.current, network: order.network }));
    case "probe":
      return await network.probe(order.interface, order.address);
    case "apply": {
      const result = await config.apply({ patch: order.patch }, { confirmSeconds: order.confirmSeconds });
      await network.settled();
      return result;
    }
  }
}

say("started");
for await (const line of createInterface(process.stdin)) {
  say(JSON.stringify({ answer: (await carryOut(JSON.parse(line) as Order)) ?? null }));
}
process.exit(0);
