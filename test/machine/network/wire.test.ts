/** What bonds and VLANs of the box put on the wire, in a virtual machine. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { network } from "../../../src/config/schema.ts";
import { NetworkdAdapter } from "../../../src/system/network/networkdAdapter.ts";
import { planOf } from "../../../src/system/network/plan.ts";
import { cannotRun, runMachine } from "./support/virtualMachine.ts";

const still = (address: string) => ({ method: "static", address, prefix: 24 });
const plan = (id: number) =>
  planOf(
    network.parse({
      links: [
        { type: "bond", name: "bond0", members: ["eth0", "eth1"], streaming: false, ipv4: still("10.0.0.5") },
        { type: "vlan", name: "tv", parent: "bond0", id, management: false, ipv4: still("10.100.0.5") },
      ],
    }),
    [],
  );

async function contents(folder: string): Promise<{ path: string; content: string }[]> {
  const names = await readdir(folder);
  return await Promise.all(names.map(async (path) => ({ path, content: await readFile(join(folder, path), "utf8") })));
}

/** Waits for the VLAN, then sends a datagram to a multicast group, without saying where to. */
const send = (id: number, group: string) => `
for i in $(seq 200); do
  grep -qw "VID: ${id}" /proc/net/vlan/tv 2>/dev/null && ip address show dev tv | grep -q 10.100.0.5 &&
    [ "$(cat /sys/class/net/tv/operstate)" = up ] && break
  sleep 0.1
done
echo stream >/dev/udp/${group}/1234
`;

test("a streaming VLAN on a bond is tagged on the wire, and follows a change of its ID", {
  skip: cannotRun,
}, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "steadycast-wire-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const ran: string[] = [];
  const adapter = new NetworkdAdapter({
    folder: join(folder, "network"),
    run: async (program, args) => {
      ran.push([program, ...args].join(" "));
      return { ok: true, stdout: "", truncated: false };
    },
  });
  await adapter.apply(plan(100));
  const first = await contents(join(folder, "network"));
  ran.splice(0);
  await adapter.apply(plan(200));
  const second = await contents(join(folder, "network"));
  // The machine does what the adapter has done here: files first, then the commands about links.
  const commands = ran.filter((line) => /^(ip|networkctl|systemctl) /.test(line));
  assert.ok(commands.length > 1);
  const script = `${send(100, "239.1.1.1")}
cat /proc/net/bonding/bond0
cp /files/second/* /run/systemd/network
${commands.join("\n")}
${send(200, "239.2.2.2")}
echo hello >/dev/udp/10.0.0.9/9
cat /proc/net/vlan/config
`;
  const entries = [...first, ...second.map(({ path, content }) => ({ path: `second/${path}`, content }))];
  const { console, frames } = await runMachine(folder, 2, entries, script);
  assert.match(console, /Bonding Mode: fault-tolerance \(active-backup\)/);
  assert.match(console, /MII Polling Interval \(ms\): 100/);
  assert.match(console, /Slave Interface: eth0/);
  assert.match(console, /Slave Interface: eth1/);
  assert.match(console, /^tv +\| 200 +\| bond0/m);

  const all = frames.flat();
  const to = (group: string) => all.filter(({ destination }) => destination === group).map(({ vlan }) => vlan);
  // Multicast goes to the port for streams alone by itself.
  assert.deepEqual(to("239.1.1.1"), [100]);
  assert.deepEqual(to("239.2.2.2"), [200]);
  // ARP for a neighbour of the bond itself goes untagged.
  const ARP = 0x0806;
  const asked = all.filter(({ type, vlan }) => type === ARP && vlan === undefined);
  assert.ok(asked.some(({ bytes }) => bytes.subarray(38, 42).equals(Buffer.from([10, 0, 0, 9]))));
});
