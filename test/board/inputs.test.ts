import assert from "node:assert/strict";
import test from "node:test";
import { loadBoardFile } from "../../src/board/boardFile.ts";
import { parseEdid } from "../../src/board/edid/parse.ts";
import { modes, type Player } from "../../src/board/virtual/players.ts";
import { Random } from "../support/random.ts";
import { boardPath, VirtualBox } from "./support/virtualBox.ts";

const hdmi = ["hdmi1", "hdmi2", "hdmi3", "hdmi4"];

test("every model of the box has a valid board file", async () => {
  for (const model of ["virtual", "rk3588", "rk3568", "bench"]) {
    const file = await loadBoardFile(boardPath(model));
    assert.equal(file.model, model);
  }
});

test("each connector tells the player on it", async () => {
  const box = await VirtualBox.start();
  const texts = box.inputs.list().map(({ connector, text, fault }) => [connector, text, fault]);
  assert.deepEqual(texts, [
    ["hdmi1", "720p50, sound 48 kHz, 2 channels", ""],
    ["hdmi2", "720p50, sound 48 kHz, 2 channels", ""],
    ["hdmi3", "720p50, sound 48 kHz, 2 channels", ""],
    ["hdmi4", "720p50, sound 48 kHz, 2 channels", ""],
    ["sdi1", "720p50, sound 48 kHz, 2 channels", ""],
    ["cvbs1", "PAL", ""],
    ["asi1", "No receiver chip tells what comes in here", ""],
  ]);
  assert.deepEqual(box.missing, []);
  await box.stop();
});

test("another picture in the same signal is told, too", async () => {
  const box = await VirtualBox.start();
  const before = box.told.get("hdmi1") ?? 0;
  box.board.connector("hdmi1").set({ pattern: "ball" });
  assert.equal(box.told.get("hdmi1"), before + 1);
  const source = box.inputs.source("hdmi1");
  assert.equal(source?.type === "test" && source.pattern, "ball");
  box.board.connector("hdmi1").set({ pattern: "ball" });
  assert.equal(box.told.get("hdmi1"), before + 1, "once");
  await box.stop();
});

test("a channel opens what comes, and nothing where nothing fit comes", async () => {
  const box = await VirtualBox.start();
  const source = () => box.inputs.source("hdmi1");
  const set = async (change: Partial<Player>) => {
    box.board.connector("hdmi1").set(change);
    await box.clock.advance(1500);
  };
  const opened = source();
  assert(opened?.type === "test");
  assert.deepEqual([opened.width, opened.height, opened.frameRate, opened.interlaced], [1280, 720, "50", false]);
  await set({ mode: "1080i50" });
  const other = source();
  assert(other?.type === "test");
  assert.deepEqual([other.width, other.height, other.frameRate, other.interlaced], [1920, 1080, "25", true]);
  await set({ hdcp: true });
  assert.equal(source(), null);
  assert.match(box.inputs.status("hdmi1")?.text ?? "", /^1080i50, protected by HDCP/);
  await set({ hdcp: false, plugged: false });
  assert.equal(source(), null);
  assert.match(box.inputs.status("hdmi1")?.text ?? "", /^No cable/);
  await set({ plugged: true, health: "no-clock" });
  assert.match(box.inputs.status("hdmi1")?.text ?? "", /no picture from the source/);
  await set({ health: "good" });
  assert.notEqual(source(), null);
  assert.equal(box.inputs.source("nowhere"), null);
  await box.stop();
});

test("an input that is set to one standard takes no other, and says so", async () => {
  const box = await VirtualBox.start({ inputs: [{ connector: "hdmi1", standard: "1080p50" }] });
  assert.equal(box.inputs.source("hdmi1"), null);
  assert.equal(
    box.inputs.status("hdmi1")?.mismatch,
    "The input is set to 1080p50, but 720p50 comes: change the source's mode, or set the standard to auto",
  );
  box.board.connector("hdmi1").set({ mode: "1080p50" });
  await box.clock.advance(1500);
  assert.equal(box.inputs.status("hdmi1")?.mismatch, "");
  assert.notEqual(box.inputs.source("hdmi1"), null);
  box.configure({ inputs: [{ connector: "hdmi1", standard: "720p60" }] });
  assert.equal(box.latest.get("hdmi1")?.mismatch.startsWith("The input is set to 720p60"), true);
  await box.stop();
});

test("the source sees the EDID that is configured, and a bad one is told", async () => {
  const box = await VirtualBox.start({ box: { name: "Lobby" } });
  const receiver = box.receiver("hdmi2");
  const held = async () => parseEdid((await receiver.edid?.read(256)) ?? new Uint8Array());
  assert.match((await held()).name ?? "", /HDMI 2$/);
  assert.equal((await held()).preferred?.height, 1080);
  box.configure({ box: { name: "Lobby" }, inputs: [{ connector: "hdmi2", edid: "720p" }] });
  await box.clock.advance(3000);
  assert.equal((await held()).preferred?.height, 720);
  box.configure({ inputs: [{ connector: "hdmi2", edid: "custom", customEdid: "AAAA" }] });
  await box.clock.advance(3000);
  assert.match(box.inputs.status("hdmi2")?.fault ?? "", /^HDMI 2: the EDID cannot be used: /);
  assert.equal((await held()).preferred?.height, 720, "the chip keeps the one that it had");
  await box.stop();
});

test("a bus that hangs is told, its inputs say so, and the others go on", async () => {
  const box = await VirtualBox.start();
  box.board.bus("receivers-a").hang(true);
  await box.clock.advance(5000);
  assert.deepEqual(box.buses, [["receivers-a", "hung"]]);
  assert.match(box.inputs.status("hdmi1")?.fault ?? "", /HDMI 1: its receiver does not answer/);
  assert.notEqual(box.inputs.source("hdmi1"), null, "the picture is not cut for it");
  box.board.connector("hdmi3").set({ mode: "1080p25" });
  await box.clock.advance(1500);
  assert.match(box.inputs.status("hdmi3")?.text ?? "", /^1080p25/);
  box.board.connector("hdmi1").set({ mode: "720p60" });
  box.board.bus("receivers-a").hang(false);
  await box.clock.advance(5000);
  assert.deepEqual(box.buses.at(-1), ["receivers-a", "working"]);
  assert.equal(box.inputs.status("hdmi1")?.fault, "");
  assert.match(box.inputs.status("hdmi1")?.text ?? "", /^720p60/);
  await box.stop();
});

test("a hundred plugs a second end in the right state, and hardly anything is told meanwhile", async () => {
  const box = await VirtualBox.start();
  box.told.clear();
  for (let i = 0; i < 300; i++) {
    for (const id of hdmi) box.board.connector(id).set({ plugged: i % 2 === 1 });
    await box.clock.advance(10);
  }
  const duringStorm = Math.max(0, ...box.told.values());
  await box.clock.advance(2000);
  for (const id of hdmi) assert.match(box.inputs.status(id)?.text ?? "", /^720p50, sound/, id);
  assert.ok(duringStorm <= 4, `told ${duringStorm} times in 3 s`);
  await box.stop();
});

test("random events on all connectors end in the true state", async () => {
  for (const seed of [1, 2, 3]) {
    const random = new Random(seed);
    const box = await VirtualBox.start();
    const { standards, names } = {
      standards: ["pal", "ntsc", "secam"] as const,
      names: Object.keys(modes) as (keyof typeof modes)[],
    };
    // What every receiver of the box takes; 4K is beyond most of them, and SDI has no progressive SD.
    const taken = names.filter((name) => !/^2160|^480p|^576p/.test(name));
    for (let i = 0; i < 120; i++) {
      const id = random.pick([...hdmi, "sdi1", "cvbs1"]);
      box.board.connector(id).set({
        plugged: random.chance(0.7),
        mode: random.pick(taken),
        standard: random.pick(standards),
        health: random.pick(["good", "good", "no-lock", "no-clock"] as const),
        hdcp: random.chance(0.1),
        hdmi: random.chance(0.9),
        sound: random.chance(0.8),
      });
      if (random.chance(0.05)) box.board.bus(random.pick(["receivers-a", "receivers-b"])).hang(random.chance(0.5));
      await box.clock.advance(random.below(400));
    }
    for (const id of ["receivers-a", "receivers-b"]) box.board.bus(id).hang(false);
    for (const id of [...hdmi, "sdi1", "cvbs1"]) {
      box.board.connector(id).set({ plugged: true, health: "good", hdcp: false, hdmi: true, sound: true });
    }
    await box.clock.advance(6000);
    for (const id of [...hdmi, "sdi1"]) {
      const { mode } = box.board.connector(id).player;
      const status = box.inputs.status(id);
      assert.equal(status?.signal?.state, "locked", `seed ${seed}, ${id}: ${status?.text} ${status?.fault}`);
      // The chip on HDMI 2 cannot tell 59.94 from 60 Hz, nor 29.97 from 30.
      const told =
        id === "hdmi2" && /p59.94/.test(mode) && !mode.startsWith("480") ? mode.replace("59.94", "60") : mode;
      assert.equal(status?.text.split(",")[0], told, `seed ${seed}, ${id}`);
    }
    assert.equal(
      box.inputs.status("cvbs1")?.signal?.standard,
      box.board.connector("cvbs1").player.standard,
      `seed ${seed}`,
    );
    await box.stop();
  }
});
