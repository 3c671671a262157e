import assert from "node:assert/strict";
import test from "node:test";
import { ConfigParts } from "../../../src/config/backup/configParts.ts";
import { keeperOf } from "../../../src/config/backup/part.ts";
import { BackupService } from "../../../src/config/backup/service.ts";
import { defaultConfig, config as schema } from "../../../src/config/schema.ts";
import { AccessBox, NEAR, PASSWORD } from "../../access/support/box.ts";
import { fullConfig, PASSPHRASE, SECRETS } from "../../config/backup/support/box.ts";
import { SimulatedDisk } from "../../config/support/disk.ts";
import { make } from "../../config/support/service.ts";

/** Configuration, users and backups as the box has them. */
async function start(disk = new SimulatedDisk()) {
  const people = await AccessBox.start({ disk });
  const config = make("/data", people.bus, disk);
  await config.start();
  const backups = new BackupService({
    ...{ folder: "/data", bus: people.bus, firmware: "1.2.3", files: disk, box: () => config.current.box.name },
    keepers: [new ConfigParts(config), keeperOf(people.access.backup)],
  });
  await backups.start();
  const stop = async () => {
    await backups.stop();
    await config.stop();
    await people.access.stop();
  };
  return { people, access: people.access, config, backups, disk, stop };
}

type Running = Awaited<ReturnType<typeof start>>;

async function full(): Promise<Running> {
  const box = await start();
  await box.config.replace(fullConfig());
  for (const [name, role] of [
    ["anna", "admin"],
    ["bert", "viewer"],
  ] as const) {
    assert.ok((await box.access.users.add({ name, role, password: `${PASSWORD} of ${name}` })).ok);
  }
  return box;
}

const everything = ({ config, access }: Running) => ({ config: config.current, users: access.backup.export() });
const enters = async ({ access }: Running, user: string) =>
  (await access.logIn({ user, password: `${PASSWORD} of ${user}`, address: NEAR })).ok;

test("backup, factory reset, import: the same box, and everybody gets in as before", async () => {
  const box = await full();
  const before = everything(box);
  const hash = JSON.stringify(before.users.secret).match(/\$argon2id\$[^"]+/)?.[0] ?? "";
  assert.ok(hash.length > 20);
  const exported = await box.backups.export({ passphrase: PASSPHRASE });
  const open = await box.backups.export();
  assert.ok(exported.ok && open.ok);
  const known = [hash, ...SECRETS.filter((secret) => JSON.stringify(before).includes(secret))];
  assert.equal(known.length, 6);
  for (const secret of known) assert.ok(!JSON.stringify([exported, open]).includes(secret), secret);
  await box.stop();

  const fresh = await start();
  assert.ok(fresh.access.needsSetup && !(await enters(fresh, "anna")));
  assert.deepEqual(fresh.config.current, defaultConfig());
  const result = await fresh.backups.import({ backup: exported.backup, passphrase: PASSPHRASE });
  assert.ok(result.ok, JSON.stringify(result));
  assert.deepEqual(everything(fresh), before);
  assert.ok((await enters(fresh, "anna")) && (await enters(fresh, "bert")));
  await fresh.stop();
  const again = await start(fresh.disk);
  assert.deepEqual(everything(again).config, before.config);
  assert.ok(await enters(again, "anna"));
  await again.stop();
});

test("an import that is not confirmed leaves no users behind either, even none", async () => {
  const box = await full();
  const links = [{ type: "ethernet", name: "eth0", ipv4: { method: "static", address: "10.1.2.3" } }];
  await box.config.replace(schema.parse({ ...fullConfig(), network: { links } }), { local: true });
  const exported = await box.backups.export({ passphrase: PASSPHRASE });
  assert.ok(exported.ok);
  await box.stop();

  const fresh = await start();
  const result = await fresh.backups.import({ backup: exported.backup, passphrase: PASSPHRASE });
  assert.ok(result.ok && result.canCutOff && result.trial !== undefined, JSON.stringify(result));
  assert.ok(await enters(fresh, "anna"), "who imports can log in and confirm");
  await fresh.config.revert(result.trial.revision);
  await fresh.backups.stop();
  assert.deepEqual(fresh.config.current, defaultConfig());
  assert.ok(fresh.access.needsSetup && !(await enters(fresh, "anna")), fresh.people.logged.join("; "));
  await fresh.stop();
});
