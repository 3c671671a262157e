import assert from "node:assert/strict";
import test from "node:test";
import { timing } from "../../../src/board/virtual/model.ts";
import { type Player, VirtualConnector } from "../../../src/board/virtual/players.ts";
import { VirtualClock } from "../../support/virtualClock.ts";
import { VirtualBox } from "../support/virtualBox.ts";

function make(settings: Partial<Player>) {
  const clock = new VirtualClock();
  const connector = new VirtualConnector({ id: "hdmi1", label: "HDMI 1", kind: "hdmi" }, clock);
  connector.set(settings);
  let told = 0;
  connector.watch(() => told++);
  return { clock, connector, health: () => connector.plug?.health, told: () => told };
}

test("a player that needs its time after hot plug sends nothing before", async () => {
  const { clock, connector, health, told } = make({ hotPlugDelay: 3000 });
  connector.hotPlug = true;
  assert.equal(health(), "no-clock");
  await clock.advance(2999);
  assert.equal(health(), "no-clock");
  const before = told();
  await clock.advance(1);
  assert.equal(health(), "good");
  assert.equal(told(), before + 1, "who watches is told");
  connector.hotPlug = true;
  assert.equal(health(), "good", "it was shown all the time");
  connector.hotPlug = false;
  connector.hotPlug = true;
  await clock.advance(1000);
  connector.hotPlug = false;
  connector.hotPlug = true;
  await clock.advance(2500);
  assert.equal(health(), "no-clock", "each hot plug begins anew");
  await clock.advance(500);
  assert.equal(health(), "good");
});

test("a player that ignores hot plug sends without it", () => {
  const { connector, health } = make({ ignoresHotPlug: true, hotPlugDelay: 1000 });
  assert.equal(connector.hotPlug, true);
  connector.hotPlug = false;
  assert.deepEqual([connector.hotPlug, health()], [true, "good"]);
  connector.set({ ignoresHotPlug: false });
  assert.equal(connector.hotPlug, false);
});

test("a clock that is off shifts what chips measure", () => {
  const { connector } = make({ mode: "1080p50", clockOffset: 200 });
  const programme = connector.plug?.programme;
  assert.ok(programme);
  assert.equal(timing(programme).pixelClock, 148_500_000 * 1.0002);
});

test("a player that is a little off is told by the standard's own rate, and opened as it is", async () => {
  const box = await VirtualBox.start();
  for (const clockOffset of [-100, 100]) {
    for (const [mode, rate] of [
      ["1080p50", [50, 1]],
      ["720p59.94", [60000, 1001]],
    ] as const) {
      for (const id of ["hdmi1", "hdmi3", "hdmi4", "sdi1"]) {
        box.board.connector(id).set({ mode, clockOffset });
        await box.clock.advance(3000);
        const what = `${id} ${mode} ${clockOffset} ppm`;
        assert.deepEqual(box.inputs.status(id)?.signal?.video?.rate, rate, what);
        const source = box.inputs.source(id);
        assert.equal(source?.type === "test" && source.clockOffset, clockOffset, what);
      }
    }
  }
  await box.stop();
});
