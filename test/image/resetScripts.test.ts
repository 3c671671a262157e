/** The scripts that reset a box to factory settings, with the power cut at each of their steps; reset.test.ts has the box. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { boardFile } from "../../src/board/boardFile.ts";
import { SECRET, WipeBench } from "./support/wipeBench.ts";

const root = mkdtempSync(join(tmpdir(), "steadycast-wipe-"));
after(() => rmSync(root, { recursive: true, force: true }));

const NETWORK = '{"hostname":"rack7"}';
const FIRST = "/steadycast/box/first-network.json";

function bench(): WipeBench {
  const made = new WipeBench(mkdtempSync(join(root, "case-")));
  made.fill();
  return made;
}

function order(box: WipeBench, network?: string): void {
  rmSync(join(box.folder, "runtime/reset-network.json"), { force: true });
  if (network !== undefined) box.write("runtime/reset-network.json", network);
  const { status, text } = box.run("reset");
  assert.equal(status, 0, text);
}

function assertWiped(box: WipeBench, network: string | undefined, what = ""): void {
  assert.equal(box.file("/secret"), undefined, what);
  assert.ok(!box.read("vda5").includes(SECRET), `${what}: it can still be read`);
  assert.equal(box.file(FIRST), network, what);
  assert.equal(box.label, "data", what);
  assert.doesNotMatch(box.read("env"), /WIPE/, what);
  assert.match(box.read("env"), /BOOT_ORDER=A B/);
  assert.ok(box.isForgotten, `${what}: something is kept`);
}

test("without an order nothing changes, and what has no file system gets one", () => {
  const box = bench();
  const before = box.read("vda5");
  assert.equal(box.boot().status, 0);
  assert.ok(box.read("vda5") === before);
  box.write("vda5", Buffer.alloc(8 << 20));
  assert.equal(box.boot().status, 0);
  assert.equal(box.label, "data");
});

test("what a power cut has left is repaired, and what cannot be is made anew", () => {
  const box = bench();
  // A file without a folder that names it, as a cut at the wrong moment leaves it.
  box.debugfs("unlink secret");
  box.debugfs("set_super_value state 2");
  assert.notEqual(box.check(), 0);
  const { status, text } = box.boot();
  assert.equal(status, 0, text);
  assert.equal(box.check(), 0, "it is whole again");
  assert.match(box.debugfs("ls -p /lost+found"), /#\d+/, "and nothing is lost");

  const broken = Buffer.from(box.read("vda5"), "latin1");
  // The superblock is there, and makes no sense (blocks in a group).
  broken.fill(0xff, 1024 + 32, 1024 + 44);
  box.write("vda5", broken);
  assert.notEqual(box.check(), 0);
  assert.equal(box.boot().status, 0);
  assert.deepEqual([box.check(), box.label, box.file("/secret")], [0, "data", undefined]);
});

test("an order wipes the data once, and keeps the network where that is asked for", () => {
  for (const network of [undefined, NETWORK]) {
    const box = bench();
    order(box, network);
    assert.equal(box.file("/secret"), SECRET);
    const { status, text } = box.boot();
    assert.equal(status, 0, text);
    assertWiped(box, network);
    box.put("new", "new");
    box.boot();
    assert.equal(box.file("/new"), "new");
  }
});

test("a medium without zeros drops what it has", () => {
  const box = bench();
  box.write("no-zeroes", "");
  order(box);
  assert.equal(box.boot().status, 0);
  assertWiped(box, undefined);
  assert.equal(box.read("log"), `blkdiscard -f ${join(box.folder, "vda5")}\n`);
});

test("a power cut at any step ends in a complete wipe, with the network that is kept", () => {
  for (const network of [undefined, NETWORK]) {
    let cuts = 0;
    for (let at = 1, isCut = true; isCut; at++) {
      const box = bench();
      order(box, network);
      ({ isCut } = box.boot(at));
      if (isCut) cuts++;
      const { status, text } = box.boot();
      assert.equal(status, 0, text);
      assertWiped(box, network, `cut at step ${at}`);
    }
    assert.ok(cuts >= 12, `${cuts} cuts`);
  }
});

test("a power cut while the order is written leaves all or nothing", () => {
  let orders = 0;
  for (let at = 1, isCut = true; isCut; at++) {
    const box = bench();
    box.write("runtime/reset-network.json", NETWORK);
    ({ isCut } = box.run("reset", at));
    const isOrdered = /^WIPE=1$/m.test(box.read("env"));
    if (isOrdered) orders++;
    assert.equal(box.boot().status, 0);
    if (isOrdered) assertWiped(box, NETWORK, `cut at step ${at}`);
    else assert.equal(box.file("/secret"), SECRET, `cut at step ${at}`);
  }
  assert.equal(orders, 2);
});

test("the button in the hole keeps nothing, also when the power is cut, and needs no boot state", () => {
  let cuts = 0;
  for (let at = 1, isCut = true; isCut; at++) {
    const box = bench();
    order(box, NETWORK);
    mkdirSync(join(box.folder, "wipe"));
    box.write("wipe/hole", "");
    ({ isCut } = box.boot(at));
    if (isCut) cuts++;
    box.boot();
    // Cut before anything was done, the box has another order, which is the older one.
    assertWiped(box, at === 1 ? NETWORK : undefined, `cut at step ${at}`);
  }
  assert.ok(cuts >= 12, `${cuts} cuts`);
  const box = bench();
  box.write("read-only", "");
  mkdirSync(join(box.folder, "wipe"));
  box.write("wipe/hole", "");
  assert.equal(box.run("data").status, 0);
  box.boot();
  assertWiped(box, undefined);
});

test("an order that cannot be taken back wipes once, and the next order counts again", () => {
  const box = bench();
  order(box);
  box.write("read-only", "");
  assert.match(box.boot().text, /cannot be taken back/);
  assert.deepEqual([box.file("/secret"), box.label], [undefined, "wiped"]);
  box.put("new", "new");
  for (let boots = 0; boots < 2; boots++) {
    assert.equal(box.boot().status, 0);
    assert.equal(box.file("/new"), "new");
  }
  rmSync(join(box.folder, "read-only"));
  order(box);
  box.boot();
  assert.equal(box.file("/new"), undefined);
  assertWiped(box, undefined);
});

test("what cannot be kept is not ordered, and what was damaged meanwhile is not taken", () => {
  for (const network of ["", "x".repeat(65_537)]) {
    const box = bench();
    box.write("runtime/reset-network.json", network);
    assert.notEqual(box.run("reset").status, 0);
    assert.doesNotMatch(box.read("env"), /WIPE/);
  }
  const linked = bench();
  linked.write("only-root", NETWORK);
  symlinkSync("../only-root", join(linked.folder, "runtime/reset-network.json"));
  assert.notEqual(linked.run("reset").status, 0);
  assert.doesNotMatch(linked.read("env"), /WIPE/);
  const longest = `{"hostname":"${"x".repeat(65_536 - 15)}"}`;
  const box = bench();
  order(box, longest);
  box.boot();
  assertWiped(box, longest);
  const damaged = bench();
  order(damaged, NETWORK);
  damaged.damageKept();
  assert.equal(damaged.boot().status, 0);
  assertWiped(damaged, undefined);
  const refused = bench();
  refused.write("read-only", "");
  refused.write("runtime/reset-network.json", NETWORK);
  assert.notEqual(refused.run("reset").status, 0);
  assert.ok(refused.isForgotten);
});

/** The panel's chip has its lines from 512 on, the lights' from 520 on; the hole is line 6, the red status light 1. */
function withHole({ held, release }: { held: boolean; release: number }) {
  const box = bench();
  const chips = { gpiochip512: ["panel", 512], gpiochip520: ["leds", 520] } as const;
  for (const [name, [label, base]] of Object.entries(chips)) {
    mkdirSync(join(box.folder, "sysfs/class/gpio", name), { recursive: true });
    box.write(`sysfs/class/gpio/${name}/label`, `${label}\n`);
    box.write(`sysfs/class/gpio/${name}/base`, `${base}\n`);
  }
  for (const line of [518, 521]) mkdirSync(join(box.folder, `sysfs/class/gpio/gpio${line}`));
  box.write("sysfs/class/gpio/gpio518/value", held ? "1\n" : "0\n");
  box.write("sysfs/class/gpio/gpio521/value", "0\n");
  box.write("uptime", "3.20 0.00\n");
  box.write("release", String(release));
  box.write("lights", "");
  return box;
}

test("the button in the hole counts when it is held for 10 s, and the status light tells", () => {
  const line = (box: WipeBench, number: number, file: string) =>
    box.read(`sysfs/class/gpio/gpio${number}/${file}`).trim();
  const idle = withHole({ held: false, release: 0 });
  assert.deepEqual([idle.run("hole").text, idle.has("wipe/hole"), idle.read("lights")], ["", false, ""]);
  for (const seconds of [1, 9, 12]) {
    const box = withHole({ held: true, release: 3 + seconds });
    const { status, text } = box.run("hole");
    assert.equal(status, 0, text);
    assert.equal(box.has("wipe/hole"), seconds > 10);
    assert.match(text, seconds > 10 ? /was held for 10 s/ : /released in time/);
    assert.deepEqual([line(box, 518, "direction"), line(box, 518, "active_low")], ["in", "1"]);
    assert.deepEqual([line(box, 521, "direction"), line(box, 521, "active_low")], ["low", "0"]);
    if (seconds > 8) assert.match(box.read("lights").replaceAll("\n", ""), /0+1+0/);
    assert.equal(line(box, 521, "value"), "0", "the light is dark again");
  }
});

test("a box without the lines starts all the same", () => {
  const box = bench();
  const { status, text } = box.run("hole");
  assert.deepEqual([status, text, box.has("wipe/hole")], [0, "", false]);
});

test("the scripts find the lines in every board file that the supervisor finds", () => {
  for (const name of readdirSync("firmware/boards")) {
    const box = boardFile.parse(JSON.parse(readFileSync(join("firmware/boards", name), "utf8")));
    const conf = join(root, "board.conf");
    const { stdout } = spawnSync(
      "sh",
      [
        "-euc",
        `echo STEADYCAST_BOARD=${box.model} >${conf}; . rootfs/usr/lib/steadycast/lines.sh
         for line in reset-hole status-light; do if line_of $line; then echo "$offset $low $chip"; fi; done`,
      ],
      { encoding: "utf8", env: { ...process.env, STEADYCAST_BOARD_CONF: conf, STEADYCAST_BOARDS: "firmware/boards" } },
    );
    const { status } = box.leds;
    const lines = [box.panel.resetHole, status && ("line" in status ? status.line : status.red)];
    const expected = lines.map((line) => line && `${line.offset} ${line.activeLow ? 1 : 0} ${line.chip}\n`);
    assert.equal(stdout, expected.join(""), name);
  }
});
