import assert from "node:assert/strict";
import test from "node:test";
import type { ChannelStatus } from "../../src/channels/status.ts";
import { type Action, freshMs, historyMs, initialState, isStale, reduce, Store } from "../../web/store.ts";
import { liveChannel, stoppedChannel, transmitStats } from "../browser/support/statuses.ts";

const after = (...actions: Action[]) => actions.reduce(reduce, initialState);
const snapshot = (at: number, ...channels: ChannelStatus[]): Action => ({ type: "snapshot", channels, at });
const news = (at: number, status: ChannelStatus): Action => ({ type: "channel", status, at });
const one = liveChannel("one", "One");
const two = liveChannel("two", "Two");

test("a snapshot replaces what was known and opens the link", () => {
  const state = after(snapshot(0, one, two), { type: "lost" }, snapshot(1000, two));
  assert.equal(state.link, "open");
  assert.deepEqual(
    state.channels.map(({ status }) => status.id),
    ["two"],
  );
});

test("news replace a channel in its place, and bring new channels at the end", () => {
  const state = after(
    snapshot(0, one, two),
    news(1000, { ...one, state: "held" }),
    news(1000, stoppedChannel("x", "X")),
  );
  assert.deepEqual(
    state.channels.map(({ status }) => [status.id, status.state]),
    [
      ["one", "held"],
      ["two", "live"],
      ["x", "stopped"],
    ],
  );
});

test("a removed channel goes", () => {
  const state = after(snapshot(0, one, two), { type: "channelRemoved", id: "one" });
  assert.deepEqual(
    state.channels.map(({ status }) => status.id),
    ["two"],
  );
});

test("the link is lost only after it was there", () => {
  assert.equal(after({ type: "lost" }).link, "connecting");
  assert.equal(after(snapshot(0), { type: "lost" }).link, "lost");
});

test("history keeps two minutes, across a loss of the link, without doubling a second", () => {
  const actions: Action[] = [snapshot(0, one)];
  for (let second = 1; second <= 200; second++) {
    const transmit = { ...transmitStats, bitrate: 4_000_000 + second };
    actions.push(news(second * 1000, { ...one, transmit }));
  }
  actions.push(news(200_100, { ...one, state: "held" }));
  actions.push({ type: "lost" }, snapshot(210_000, one));
  const history = after(...actions).channels[0]?.history ?? [];
  // From 90 s to 199 s, the change of state, the new snapshot.
  assert.equal(history.length, 112);
  assert.equal(history[0]?.at, 210_000 - historyMs);
  assert.equal(history[0]?.bitrate, 4_000_090);
  assert.deepEqual(history.at(-2), { at: 200_100, bitrate: 4_000_000, payload: 3_310_000 });
  assert.equal(history.at(-1)?.at, 210_000);
});

test("figures go stale by age and by a lost link; a stopped channel's cannot age", () => {
  const state = after(snapshot(0, one, stoppedChannel("x", "X")));
  const [running, stopped] = state.channels;
  assert(running !== undefined && stopped !== undefined);
  assert.equal(isStale(state, running, freshMs), false);
  assert.equal(isStale(state, running, freshMs + 1), true);
  assert.equal(isStale(state, stopped, freshMs + 1), false);
  assert.equal(isStale(reduce(state, { type: "lost" }), stopped, 1), true);
});

test("the store tells its subscribers until they have enough", () => {
  const store = new Store();
  let told = 0;
  const end = store.subscribe(() => told++);
  store.dispatch(snapshot(0, one));
  end();
  store.dispatch({ type: "lost" });
  assert.equal(told, 1);
  assert.equal(store.state.link, "lost");
});
