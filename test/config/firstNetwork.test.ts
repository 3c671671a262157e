import assert from "node:assert/strict";
import test from "node:test";
import { forgetKeptNetwork, keepNetwork, keptNetwork } from "../../src/config/firstNetwork.ts";
import { defaultConfig } from "../../src/config/schema.ts";
import { SimulatedDisk } from "./support/disk.ts";

const FILE = "/data/first-network.json";
const network = { ...defaultConfig().network, hostname: "rack7" };

test("a network that is kept is found once, and nothing where none was", async () => {
  const disk = new SimulatedDisk();
  const told: string[] = [];
  const kept = () => keptNetwork("/data", (what) => told.push(what), disk);
  assert.equal(await kept(), undefined);
  await keepNetwork("/data", network, disk);
  assert.deepEqual(await kept(), network);
  await forgetKeptNetwork("/data", disk);
  assert.equal(await kept(), undefined);
  await forgetKeptNetwork("/data", disk);
  assert.deepEqual(told, []);
});

test("one that cannot be used is told, and not used", async () => {
  const disk = new SimulatedDisk();
  const told: string[] = [];
  await keepNetwork("/data", network, disk);
  for (const content of ["", "{", '{"hostname":7}']) {
    await disk.remove(FILE);
    const file = await disk.create(FILE);
    await file.write(Buffer.from(content));
    await file.close();
    assert.equal(await keptNetwork("/data", (what) => told.push(what), disk), undefined);
  }
  assert.equal(told.length, 3);
  assert.match(told[0] ?? "", /^the network that was kept cannot be used: /);
});
