import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { network } from "../../../src/config/schema.ts";
import type { CommandResult } from "../../../src/system/command.ts";
import { DryAdapter } from "../../../src/system/network/dryAdapter.ts";
import { Kernel } from "../../../src/system/network/kernel.ts";
import { NetworkdAdapter } from "../../../src/system/network/networkdAdapter.ts";
import { planOf } from "../../../src/system/network/plan.ts";

const plan = (document: unknown) => planOf(network.parse(document), []);
const RESTART = "systemctl restart systemd-networkd.service";
const vlan = (id: number) => ({
  links: [
    { type: "ethernet", name: "eth0" },
    { type: "vlan", name: "tv", parent: "eth0", id },
  ],
});

/** How a program ended, and what it said. */
interface Ended {
  /** Null: it was not run to its end, and the runner says why. */
  code: number | null;
  stdout: string;
  stderr: string;
}

const done: Ended = { code: 0, stdout: "", stderr: "" };

function resultOf(program: string, { code, stdout, stderr }: Ended): CommandResult {
  if (code === 0) return { ok: true, stdout, truncated: false };
  return { ok: false, code, why: `${program}: ${code === null ? stderr : `exit code ${code}`}`, stdout, stderr };
}

function setUp(t: TestContext) {
  const top = mkdtempSync(join(tmpdir(), "network-"));
  t.after(() => rmSync(top, { recursive: true }));
  const folder = join(top, "network");
  const ran: string[] = [];
  /** Answers of programs, by the beginning of the command line; others succeed. */
  const answers = new Map<string, Partial<Ended>>();
  const sys = join(top, "sys");
  const kernel = new Kernel({ sys, proc: join(top, "proc"), addresses: () => ({}) });
  const adapter = new NetworkdAdapter({
    ...{ folder, kernel },
    run: async (program, args) => {
      const line = [program, ...args].join(" ");
      ran.push(line);
      const answer = [...answers].find(([start]) => line.startsWith(start))?.[1];
      return resultOf(program, { ...done, ...answer });
    },
  });
  const files = () => Object.fromEntries(readdirSync(folder).map((f) => [f, readFileSync(join(folder, f), "utf8")]));
  const port = (name: string, values: Record<string, string>) => {
    for (const [file, text] of Object.entries(values)) {
      const path = join(sys, "class/net", name, file);
      mkdirSync(join(path, ".."), { recursive: true });
      writeFileSync(path, `${text}\n`);
    }
  };
  return { top, adapter, folder, ran, answers, files, port, kernel };
}

test("the rules are tried before anything changes, and the files are written before networkd reads them", async (t) => {
  const { adapter, ran, files } = setUp(t);
  const wanted = plan(vlan(5));
  assert.deepEqual(await adapter.apply(wanted), { ok: true, notes: [] });
  assert.deepEqual(ran, [
    "nft -c -f -",
    "nft -f -",
    ...wanted.settings.map(({ key, value }) => `sysctl -q -w ${key}=${value}`),
    RESTART,
    "hostnamectl --transient hostname steadycast",
  ]);
  assert.deepEqual(files(), Object.fromEntries(wanted.files.map(({ name, text }) => [name, text])));
});

test("networkd is left alone while its files stay the same, also by a new supervisor", async (t) => {
  const { adapter, folder, ran } = setUp(t);
  await adapter.apply(plan(vlan(5)));
  ran.splice(0);
  await new NetworkdAdapter({
    folder,
    run: async (program) => resultOf(program, { ...done, stdout: String(ran.push(program)) }),
  }).apply(plan(vlan(5)));
  assert.deepEqual([...new Set(ran)].sort(), ["hostnamectl", "nft", "sysctl"]);
});

test("a VLAN that changes is made anew, one that is gone goes, and others' files stay", async (t) => {
  const { adapter, folder, ran, files } = setUp(t);
  mkdirSync(folder);
  writeFileSync(join(folder, "10-mine.network"), "mine");
  await adapter.apply(plan(vlan(5)));
  ran.splice(0);
  await adapter.apply(plan(vlan(6)));
  assert.deepEqual(
    ran.filter((line) => /^(ip|networkctl|systemctl)/.test(line)),
    ["ip link delete dev tv", RESTART],
  );
  ran.splice(0);
  await adapter.apply(plan({}));
  assert.ok(ran.includes("ip link delete dev tv") && ran.includes("networkctl reload"));
  assert.deepEqual(Object.keys(files()), ["10-mine.network", "50-steadycast-~ports.network"]);
});

test("rules that nft refuses change nothing", async (t) => {
  const { adapter, ran, answers, folder } = setUp(t);
  answers.set("nft -c", { code: 1, stderr: "syntax error, unexpected moon\n(…)" });
  assert.deepEqual(await adapter.apply(plan({})), {
    ok: false,
    message: "nft (exit code 1): syntax error, unexpected moon",
  });
  assert.deepEqual(ran, ["nft -c -f -"]);
  assert.throws(() => readdirSync(folder), /ENOENT/);
});

test("when networkd refuses, files and firewall are as before", async (t) => {
  const { adapter, ran, answers, files } = setUp(t);
  await adapter.apply(plan(vlan(5)));
  const before = files();
  ran.splice(0);
  answers.set("systemctl", { code: 1, stderr: "it sulks" });
  const result = await adapter.apply(plan({ ...vlan(6), hostname: "other", igmpVersion: "2" }));
  assert.ok(!result.ok);
  assert.match(result.message, /^systemctl \(exit code 1\): it sulks; and the network before it could not be restored/);
  assert.deepEqual(files(), before);
  assert.deepEqual(
    ran.filter((line) => line.startsWith("nft -f") || line.includes("igmp")),
    [
      "nft -f -",
      "sysctl -q -w net.ipv4.conf.all.force_igmp_version=2",
      "nft -f -",
      "sysctl -q -w net.ipv4.conf.all.force_igmp_version=0",
    ],
  );
  answers.clear();
  answers.set("sysctl -q -w net.ipv4.conf.all.rp_filter", { code: null, stderr: "not done within 10000 ms" });
  const late = await adapter.apply(plan({}));
  assert.ok(!late.ok);
  assert.match(late.message, /^sysctl: not done within 10000 ms/);
  assert.deepEqual(files(), before);
});

test("a host name that can't be set is told, and no reason to go back", async (t) => {
  const { adapter, answers } = setUp(t);
  answers.set("hostnamectl", { code: 1, stderr: "Access denied" });
  const notes = ["the host name is not set: hostnamectl (exit code 1): Access denied"];
  assert.deepEqual(await adapter.apply(plan({})), { ok: true, notes });
});

test("arping's answers are understood; the box's own ports are no strangers", async (t) => {
  const { adapter, answers, port } = setUp(t);
  port("eth1", { address: "02:00:00:00:00:aa" });
  const says = (code: number, ...macs: string[]) => {
    const lines = macs.map((mac) => `Unicast reply from 10.0.0.9 [${mac}]  0.7ms`);
    answers.set("arping", { code, stdout: ["ARPING 10.0.0.9 from 0.0.0.0 eth0", ...lines].join("\n") });
    return adapter.probe("eth0", "10.0.0.9");
  };
  assert.deepEqual(await says(0), { result: "free" });
  assert.deepEqual(await says(1, "02:00:00:00:00:99"), { result: "taken", mac: "02:00:00:00:00:99" });
  assert.deepEqual(await says(1, "02:00:00:00:00:AA"), { result: "free" });
  assert.deepEqual(await says(1, "02:00:00:00:00:AA", "02:00:00:00:00:99"), {
    result: "taken",
    mac: "02:00:00:00:00:99",
  });
  answers.set("arping", { code: 2, stderr: "arping: Device eth0 not available.\n" });
  assert.deepEqual(await adapter.probe("eth0", "10.0.0.9"), {
    result: "unknown",
    why: "arping (exit code 2): arping: Device eth0 not available.",
  });
});

test("the status is what kernel and networkd tell", async (t) => {
  const { top, adapter, answers, port } = setUp(t);
  const values = { carrier: "1", mtu: "9000", speed: "1000", duplex: "full", flags: "0x1003", type: "1" };
  port("eth0", { ...values, address: "02:00:00:00:00:01", "statistics/rx_bytes": "123", uevent: "INTERFACE=eth0" });
  port("tv", { ...values, speed: "-1", uevent: "DEVTYPE=vlan" });
  port("bond0", { ...values, carrier: "0", "bonding/mode": "active-backup 1", uevent: "DEVTYPE=bond" });
  port("lo", { type: "772" });
  writeFileSync(join(top, "sys/class/net/bonding_masters"), "bond0\n");
  const told = {
    Interfaces: [
      {
        Name: "eth0",
        DNS: [{ Family: 2, Address: [9, 9, 9, 9] }],
        Addresses: [
          { Address: [10, 0, 0, 5], PrefixLength: 24, ConfigSource: "DHCPv4", ConfigProvider: [10, 0, 0, 1] },
          { Address: [192, 168, 1, 168], PrefixLength: 24, ConfigSource: "foreign" },
          { Address: [254, 128, ...Array(13).fill(0), 1], PrefixLength: 64, ConfigSource: "foreign" },
        ],
        Routes: [
          { DestinationPrefixLength: 0, Gateway: [10, 0, 0, 1], Table: 254 },
          { DestinationPrefixLength: 24 },
          { DestinationPrefixLength: 0, Gateway: [10, 0, 0, 2], Table: 7 },
        ],
      },
    ],
  };
  answers.set("networkctl", { stdout: JSON.stringify(told) });
  const [bond, eth0, tv, ...more] = await adapter.status();
  assert.deepEqual(more, []);
  assert.deepEqual([bond?.kind, bond?.carrier, bond?.speed], ["bond", false, null]);
  assert.deepEqual([tv?.kind, tv?.carrier, tv?.speed], ["vlan", true, null]);
  assert.ok(eth0 !== undefined);
  const { counters, ...rest } = eth0;
  assert.deepEqual(rest, {
    ...{ name: "eth0", kind: "ethernet", mac: "02:00:00:00:00:01", up: true, carrier: true },
    ...{ speed: 1e9, duplex: "full", mtu: 9000, gateways: ["10.0.0.1"], dns: ["9.9.9.9"], dhcpServer: "10.0.0.1" },
    addresses: [
      { address: "10.0.0.5", prefix: 24, source: "dhcp" },
      { address: "192.168.1.168", prefix: 24, source: "foreign" },
      { address: "fe80::1", prefix: 64, source: "link-local" },
    ],
  });
  assert.equal(counters.receivedBytes, 123);
  // Without networkd there is what the kernel tells.
  for (const stdout of ["", "{}", "[", '{"Interfaces":[{"Name":7}]}']) {
    answers.set("networkctl", { code: 1, stdout });
    assert.equal((await adapter.status()).length, 3);
  }
});

test("a PC tells its own network and what a box would do", async () => {
  const told: string[] = [];
  const adapter = new DryAdapter({ tell: (message) => told.push(message) });
  assert.deepEqual(await adapter.apply(plan({})), { ok: true, notes: [] });
  assert.match(told[0] ?? "", /^the network of this machine stays as it is; a box would have 1 files/);
  const links = await adapter.status();
  assert.ok(links.every(({ name, mtu }) => name !== "lo" && mtu > 0));
  assert.equal((await adapter.probe()).result, "unknown");
});
