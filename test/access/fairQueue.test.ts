import assert from "node:assert/strict";
import test from "node:test";
import { BUSY, FairQueue } from "../../src/access/fairQueue.ts";

/** A queue whose work ends one by one, and the order in which it was begun. */
function bench(waiting: number) {
  const queue = new FairQueue({ atOnce: 2, waiting });
  const begun: string[] = [];
  const busy: string[] = [];
  const ends: (() => void)[] = [];
  const add = (client: string, name: string) => {
    const work = () => {
      begun.push(name);
      return new Promise<void>((end) => ends.push(end));
    };
    void queue.run(client, work).then((result) => {
      if (result === BUSY) busy.push(name);
    });
  };
  const drain = async () => {
    for (;;) {
      await new Promise(setImmediate);
      const end = ends.shift();
      if (end === undefined) return;
      end();
    }
  };
  return { add, begun, busy, drain, queue };
}

test("two at once, urgent work first, then one of each client in turn", async () => {
  const { add, begun, drain } = bench(10);
  for (const name of ["a1", "a2", "a3", "a4"]) add("a", name);
  for (const name of ["b1", "b2"]) add("b", name);
  add("c", "c1");
  add("urgent", "u1");
  assert.deepEqual(begun, ["a1", "a2"]);
  await drain();
  assert.deepEqual(begun, ["a1", "a2", "u1", "a3", "b1", "c1", "a4", "b2"]);
});

test("when it is full, who has the most in it gives a place to who has less", async () => {
  const { add, begun, busy, drain } = bench(4);
  for (let n = 1; n <= 8; n++) add("a", `a${n}`);
  await new Promise(setImmediate);
  assert.deepEqual(busy, ["a7", "a8"]);
  for (let n = 1; n <= 4; n++) add("b", `b${n}`);
  add("c", "c1");
  for (const name of ["u1", "u2"]) add("urgent", name);
  await drain();
  assert.deepEqual(busy, ["a7", "a8", "a6", "a5", "b3", "b4", "a4"]);
  assert.deepEqual(begun, ["a1", "a2", "u1", "u2", "a3", "b1", "c1", "b2"]);
});

test("work that fails is told, and the next goes on", async () => {
  const queue = new FairQueue({ atOnce: 1, waiting: 4 });
  const failed = queue.run("a", () => Promise.reject(new Error("broken")));
  const next = queue.run("a", () => Promise.resolve(7));
  await assert.rejects(failed, /broken/);
  assert.equal(await next, 7);
});
