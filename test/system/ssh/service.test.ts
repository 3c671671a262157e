import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { Bus } from "../../../src/bus.ts";
import { config as schema } from "../../../src/config/schema.ts";
import type { CommandResult } from "../../../src/system/command.ts";
import { firewallRules } from "../../../src/system/network/firewall.ts";
import { DrySsh, SystemdSsh } from "../../../src/system/ssh/adapters.ts";
import { SshService, sshServices } from "../../../src/system/ssh/service.ts";
import { VirtualClock } from "../../support/virtualClock.ts";

const ANNA = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDCrcDWPPQCHWDqjPIBUlG0XnIJLnKNzDrLAcM3S2Wx8 Anna";
const BERT = ANNA.replace("IDCrcDWP", "IDCrcDWQ").replace("Anna", "Bert");
const MINUTE = 60_000;

const configOf = (ssh: unknown) => schema.parse({ version: 3, ssh });
const on = (...keys: string[]) => ({ enabled: true, keys });
const off = (...keys: string[]) => ({ enabled: false, keys });

/** systemctl as the supervisor sees it. */
class FakeSystemctl {
  readonly orders: string[] = [];
  refusal = "";
  readonly run = async (program: string, args: readonly string[]): Promise<CommandResult> => {
    this.orders.push([program, ...args].join(" "));
    if (this.refusal === "") return { ok: true, stdout: "", truncated: false };
    return { ok: false, code: 1, why: this.refusal, stdout: "", stderr: "" };
  };
  take = () =>
    this.orders.splice(0).map((order) => order.replace("systemctl ", "").replace(" steadycast-ssh.service", ""));
}

function setUp(t: TestContext, ssh: unknown) {
  const folder = mkdtempSync(join(tmpdir(), "steadycast-ssh-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const bus = new Bus();
  const clock = new VirtualClock();
  const systemctl = new FakeSystemctl();
  const config = { current: configOf(ssh) };
  const logged: string[] = [];
  bus.on("log", ({ level, source, message }) => logged.push(`${level}: ${source}: ${message}`));
  const now = () => new Date(clock.now());
  const service = new SshService({ config, bus, adapter: new SystemdSsh(systemctl.run, folder), clock, now });
  t.after(() => service.stop());
  const keys = join(folder, "authorized_keys");
  return {
    ...{ bus, clock, systemctl, service, logged, keys, folder },
    start: async () => {
      service.start();
      await service.settled();
    },
    change: async (next: unknown) => {
      config.current = configOf(next);
      bus.emit("config", { revision: 2 });
      await service.settled();
    },
  };
}

test("a box where it has never been on is left alone", async (t) => {
  const { start, change, systemctl, service, keys, logged } = setUp(t, off());
  await start();
  await change({ enabled: false, keys: [ANNA] });
  assert.deepEqual(systemctl.take(), []);
  assert.equal(existsSync(keys), false);
  assert.deepEqual([service.faults(), logged], [[], []]);
});

test("on: the keys are where sshd asks for them, for nobody else to read, and the server is started; off: both are gone", async (t) => {
  const { start, change, systemctl, keys, folder, logged } = setUp(t, off(ANNA));
  await start();
  await change(on(ANNA, BERT));
  assert.deepEqual(systemctl.take(), ["restart"]);
  assert.equal(readFileSync(keys, "utf8"), `${ANNA}\n${BERT}\n`);
  assert.equal(statSync(keys).mode & 0o777, 0o600);
  await change(off(ANNA, BERT));
  assert.deepEqual(systemctl.take(), ["stop"]);
  assert.deepEqual(readdirSync(folder), []);
  assert.deepEqual(logged, ["info: ssh: SSH is on", "info: ssh: SSH is off"]);
});

test("who has lost the key loses the session; another change of the configuration disturbs nobody", async (t) => {
  const { start, change, systemctl, keys } = setUp(t, on(ANNA, BERT));
  await start();
  systemctl.take();
  await change(on(ANNA, BERT));
  assert.deepEqual(systemctl.take(), []);
  await change(on(BERT));
  assert.deepEqual(systemctl.take(), ["restart"]);
  assert.equal(readFileSync(keys, "utf8"), `${BERT}\n`);
});

test("a supervisor that comes back finds the server with its sessions and leaves them", async (t) => {
  const { start, systemctl, service, folder, bus, clock } = setUp(t, on(ANNA));
  await start();
  await service.stop();
  assert.deepEqual(systemctl.take(), ["restart"], "it is not stopped with the supervisor");
  const adapter = new SystemdSsh(systemctl.run, folder);
  const next = new SshService({ config: { current: configOf(on(ANNA)) }, bus, adapter, clock });
  t.after(() => next.stop());
  next.start();
  await next.settled();
  assert.deepEqual(systemctl.take(), ["start"]);
  await next.stop();
  const last = new SshService({ config: { current: configOf(off(ANNA)) }, bus, adapter, clock });
  t.after(() => last.stop());
  last.start();
  await last.settled();
  assert.deepEqual(systemctl.take(), ["stop"], "switched off while it was away");
});

test("what can't be started is a fault, tried again, and cleared when it runs", async (t) => {
  const { start, systemctl, service, clock, logged } = setUp(t, on(ANNA));
  systemctl.refusal = "systemctl: exit code 1: Job failed";
  await start();
  const message = "SSH could not be started: systemctl: exit code 1: Job failed";
  const fault = { id: "ssh:service", severity: "warning", message, since: "1970-01-01T00:00:00.000Z" };
  assert.deepEqual(service.faults(), [fault]);
  for (let round = 0; round < 2; round++) {
    await clock.advance(MINUTE);
    await service.settled();
  }
  assert.deepEqual(service.faults(), [fault], "since the first time");
  systemctl.refusal = "";
  systemctl.take();
  await clock.advance(MINUTE);
  await service.settled();
  assert.deepEqual(systemctl.take(), ["restart"], "the sessions are from before the keys");
  assert.deepEqual(service.faults(), []);
  assert.deepEqual(logged, [`warning: ssh: ${message}`, "info: ssh: ssh:service: in order again"]);
});

test("a server that stops by itself later is missed within a minute", async (t) => {
  const { start, systemctl, service, clock } = setUp(t, on(ANNA));
  await start();
  systemctl.take();
  systemctl.refusal = "no";
  await clock.advance(MINUTE);
  await service.settled();
  assert.deepEqual(systemctl.take(), ["start"]);
  assert.equal(service.faults().length, 1);
});

test("one that can't be switched off is an error, and the keys stay until it is", async (t) => {
  const { start, change, systemctl, service, clock, keys } = setUp(t, on(ANNA));
  await start();
  systemctl.refusal = "no";
  await change(off());
  assert.deepEqual(
    service.faults().map(({ severity, message }) => [severity, message]),
    [["error", "SSH could not be switched off: no"]],
  );
  assert.ok(existsSync(keys));
  systemctl.refusal = "";
  await clock.advance(MINUTE);
  await service.settled();
  assert.equal(existsSync(keys), false);
  assert.deepEqual(service.faults(), []);
});

test("a folder that can't be written is a fault, and nothing is started with the keys of before", async (t) => {
  const { start, change, systemctl, service, folder } = setUp(t, off());
  await start();
  rmSync(folder, { recursive: true });
  await change(on(ANNA));
  assert.deepEqual(systemctl.take(), []);
  assert.match(service.faults()[0]?.message ?? "", /^SSH could not be started: ENOENT/);
});

test("on a PC nothing is done, and it is said once", async (t) => {
  const bus = new Bus();
  const clock = new VirtualClock();
  const logged: string[] = [];
  bus.on("log", ({ message }) => logged.push(message));
  const service = new SshService({ config: { current: configOf(on(ANNA)) }, bus, adapter: new DrySsh(), clock });
  t.after(() => service.stop());
  service.start();
  await clock.advance(5 * MINUTE);
  assert.deepEqual(logged, ["This box is a program: who may log in to the machine that it runs on is set there"]);
  assert.deepEqual(service.faults(), []);
});

test("the firewall lets it in while it is on, on ports for the management", () => {
  const { network } = configOf(off());
  const chainOf = (ssh: unknown) => {
    const rules = firewallRules(network, sshServices(configOf(ssh)));
    return /chain management \{([^}]*)\}\s+chain streaming \{([^}]*)\}/.exec(rules);
  };
  assert.match(chainOf(on(ANNA))?.[1] ?? "", /^ {4}tcp dport 22 accept comment "SSH"$/m);
  assert.doesNotMatch(chainOf(on(ANNA))?.[2] ?? "", /22/);
  assert.doesNotMatch(chainOf(off(ANNA))?.[1] ?? "", /dport 22/);
});
