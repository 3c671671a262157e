import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { type RawEvent, RequestError } from "../../src/media/connection.ts";
import { findProcesses } from "../../src/media/process.ts";
import { FAILED_AFTER, FAILED_DELAY, restartDelay, Worker, type WorkerState } from "../../src/media/worker.ts";
import { ManualTimers } from "./support/manualTimers.ts";

const fakeWorker = fileURLToPath(new URL("support/fakeWorker.mjs", import.meta.url));

interface Habits {
  exitAtStart?: number;
  protocol?: number;
  role?: string;
  mute?: boolean;
  deaf?: boolean;
  stubborn?: boolean;
}

type Spec = Record<string, unknown>;

/** A worker with a fake process, and everything that it tells. */
class Bench {
  readonly timers = new ManualTimers();
  readonly folder: string;
  readonly socket: string;
  readonly log: string[] = [];
  readonly events: RawEvent[] = [];
  readonly states: WorkerState[] = [];
  readonly #t: TestContext;

  constructor(t: TestContext) {
    this.#t = t;
    this.folder = mkdtempSync(join(tmpdir(), "worker-"));
    this.socket = join(this.folder, "encode.sock");
    t.after(() => {
      for (const { pid } of this.processes()) process.kill(pid, "SIGKILL");
      rmSync(this.folder, { recursive: true });
    });
  }

  worker(habits: Habits = {}): Worker<Spec> {
    const worker: Worker<Spec> = new Worker(
      {
        role: "encode",
        title: "ch1/encode",
        command: [process.execPath, fakeWorker, "encode", JSON.stringify(habits)],
        socket: this.socket,
        logFile: join(this.folder, "encode.log"),
        orphanSeconds: 60,
        timers: this.timers,
      },
      {
        event: (event) => this.events.push(event),
        changed: () => {
          if (this.states.at(-1) !== worker.state) this.states.push(worker.state);
        },
        log: (_level, message) => this.log.push(message),
      },
    );
    this.#t.after(() => this.settle(worker.stop()));
    return worker;
  }

  processes() {
    return findProcesses((socket) => socket === this.socket);
  }

  async running(worker: Worker<Spec>): Promise<void> {
    await this.timers.until("the worker to run", () => worker.state === "running");
  }

  /** Waits for a promise while the clock creeps on. */
  async settle<T>(promise: Promise<T>, step = 1): Promise<T> {
    let done = false;
    promise.then(
      () => {
        done = true;
      },
      () => {
        done = true;
      },
    );
    await this.timers.until("a promise", () => done, step);
    return await promise;
  }

  restarts(): string[] {
    return this.log.flatMap((line) => /restart in .*/.exec(line)?.[0] ?? []);
  }
}

test("a worker is started, given its spec and changed live", async (t) => {
  const bench = new Bench(t);
  const worker = bench.worker();
  worker.start({ value: 1 });
  assert.equal(worker.state, "starting");
  await bench.running(worker);
  assert.equal(worker.starts, 1);
  assert.equal(worker.adopted, false);
  assert.equal(worker.pid, bench.processes()[0]?.pid);
  const result = await bench.settle(worker.apply({ value: 2 }));
  assert.deepEqual(result, { outcome: "applied", live: ["/value"], rebuilt: [] });
  assert.deepEqual(((await bench.settle(worker.request("stats"))) as { spec: Spec }).spec, { value: 2 });
  await bench.settle(worker.request("say", { event: "news", number: 7 }));
  await bench.timers.until("both", () => bench.events.length === 2);
  assert.deepEqual(bench.events, [
    { event: "stats", pings: 1, spec: { value: 1 } },
    { event: "news", number: 7 },
  ]);
});

test("a refused spec is reported and not tried again; the next one is", async (t) => {
  const bench = new Bench(t);
  const worker = bench.worker();
  worker.start({ value: 1 });
  await bench.running(worker);
  const refused = await bench.settle(worker.apply({ refuse: 9 }));
  assert.deepEqual(refused, { outcome: "refused", message: "must not be 9", field: "/refuse" });
  assert.deepEqual(worker.refusal, { message: "must not be 9", field: "/refuse" });
  await bench.timers.until("time to pass", () => bench.timers.now() > 1500);
  assert.deepEqual([worker.state, worker.starts], ["running", 1]);
  await bench.settle(worker.apply({ value: 2 }));
  assert.equal(worker.refusal, undefined);
});

test("a spec refused at the start leaves the process running", async (t) => {
  const bench = new Bench(t);
  const worker = bench.worker();
  worker.start({ refuse: 1 });
  await bench.running(worker);
  assert.equal(worker.refusal?.field, "/refuse");
  assert.equal(worker.starts, 1);
});

test("a request that is not answered is given up after three seconds", async (t) => {
  const bench = new Bench(t);
  const worker = bench.worker();
  worker.start({});
  await bench.running(worker);
  const request = worker.request("never");
  const began = bench.timers.now();
  await assert.rejects(bench.settle(request, 5), (error) => error instanceof RequestError && error.code === "timeout");
  const waited = bench.timers.now() - began;
  assert.ok(waited >= 3000 && waited < 3100, `given up after ${waited} ms`);
  assert.equal(worker.state, "running");
});

test("requests that are pending when the process dies are rejected at once", async (t) => {
  const bench = new Bench(t);
  const worker = bench.worker();
  worker.start({});
  await bench.running(worker);
  const pending = Promise.allSettled([worker.request("never"), worker.request("crash")]);
  const began = bench.timers.now();
  for (const result of await bench.settle(pending)) {
    assert.ok(result.status === "rejected" && result.reason instanceof RequestError && result.reason.code === "gone");
  }
  assert.ok(bench.timers.now() - began < 1000);
  await assert.rejects(worker.request("stats"), (error) => error instanceof RequestError);
});

test("a worker is quiet since the last sign of life of its process, or since something was done about it", async (t) => {
  const bench = new Bench(t);
  const worker = bench.worker();
  bench.timers.advance(5000);
  assert.equal(worker.quietMs, 5000);
  worker.start({});
  assert.equal(worker.quietMs, 0);
  await bench.running(worker);
  await bench.timers.until("some beats", () => bench.timers.now() > 9000);
  assert.ok(worker.quietMs < 2000, `${worker.quietMs}`);
});

test("a process that dies after a healthy run is restarted at once with the same spec", async (t) => {
  const bench = new Bench(t);
  const worker = bench.worker();
  worker.start({ value: 5 });
  for (let life = 1; life <= 8; life++) {
    await bench.running(worker);
    assert.equal(worker.starts, life);
    assert.deepEqual(((await bench.settle(worker.request("stats"))) as { spec: Spec }).spec, { value: 5 });
    const end = bench.timers.now() + 1100;
    await bench.timers.until("health", () => bench.timers.now() > end, 20);
    worker.request("crash").catch(() => {});
    await bench.timers.until("the end", () => worker.state !== "running");
  }
  assert.deepEqual(new Set(bench.restarts()), new Set(["restart in 0 s"]));
  assert.equal(worker.lastExit, "exit code 6");
});

test("a process that ends again and again is restarted ever more slowly, then rarely but for ever", async (t) => {
  const bench = new Bench(t);
  const worker = bench.worker({ exitAtStart: 4 });
  worker.start({});
  const rounds = FAILED_AFTER + 2;
  for (let round = 1; round <= rounds; round++) {
    await bench.timers.until(`failure ${round}`, () => bench.restarts().length === round);
    const { state, ms } = restartDelay(round);
    assert.equal(worker.state, state);
    bench.timers.advance(Math.max(0, ms - 5));
    await new Promise(setImmediate);
    if (ms > 0) assert.equal(worker.state, state, `not before its time in round ${round}`);
    bench.timers.advance(5);
  }
  const seconds = ["0", "0.25", "1", "3", "10", "30", "30", "30"];
  assert.deepEqual(
    bench.restarts(),
    seconds.slice(0, rounds).map((s) => `restart in ${s} s`),
  );
  assert.equal(FAILED_DELAY, 30_000);
  assert.match(worker.lastExit, /exit code 4 at the start, see .*encode\.log/);
});

test("a failed worker is tried at once when it gets another spec", async (t) => {
  const bench = new Bench(t);
  const worker = bench.worker();
  worker.start({ die: true });
  for (let round = 1; round <= FAILED_AFTER; round++) {
    await bench.timers.until(`failure ${round}`, () => bench.restarts().length === round);
    bench.timers.advance(restartDelay(round).state === "failed" ? 0 : restartDelay(round).ms);
  }
  assert.equal(worker.state, "failed");
  assert.deepEqual(await bench.settle(worker.apply({ value: 1 })), { outcome: "later" });
  await bench.running(worker);
});

test("a spec that the process accepts but fails to do replaces the process", async (t) => {
  const bench = new Bench(t);
  const worker = bench.worker();
  worker.start({ value: 1 });
  await bench.running(worker);
  const { pid } = worker;
  assert.deepEqual(await bench.settle(worker.apply({ fail: true })), { outcome: "later" });
  await bench.timers.until("the end", () => worker.pid !== pid);
  await bench.settle(worker.apply({ value: 2 }));
  await bench.running(worker);
  assert.equal(worker.starts, 2);
});

test("a process that is frozen is killed after three missed heartbeats", async (t) => {
  const bench = new Bench(t);
  const worker = bench.worker();
  worker.start({});
  await bench.running(worker);
  const pid = worker.pid as number;
  process.kill(pid, "SIGSTOP");
  const began = bench.timers.now();
  await bench.timers.until("the end", () => worker.pid !== pid, 10);
  const took = bench.timers.now() - began;
  assert.ok(took >= 1500 && took <= 2200, `took ${took} ms`);
  await bench.running(worker);
  assert.ok(bench.log.some((line) => line.includes("hangs")));
  assert.match(worker.lastExit, /no sign of life for 1\.5 s, killed by SIGKILL/);
});

test("a stall of the supervisor itself is not taken for one of the worker", async (t) => {
  const bench = new Bench(t);
  const worker = bench.worker();
  worker.start({});
  await bench.running(worker);
  for (let round = 0; round < 5; round++) {
    const request = worker.request("stats");
    bench.timers.stall(20_000);
    await bench.settle(request);
  }
  assert.deepEqual([worker.state, worker.starts], ["running", 1]);
});

test("a process that does not hear pings is replaced", async (t) => {
  const bench = new Bench(t);
  const worker = bench.worker({ deaf: true });
  worker.start({});
  await bench.running(worker);
  await bench.timers.until("a restart", () => worker.starts === 2, 10);
});

test("what is no JSON ends the process", async (t) => {
  const bench = new Bench(t);
  const worker = bench.worker();
  worker.start({});
  await bench.running(worker);
  const { pid } = worker;
  worker.request("nonsense").catch(() => {});
  await bench.timers.until("the end", () => worker.pid !== pid);
  await bench.running(worker);
  assert.match(worker.lastExit, /not understood/);
});

test("a later supervisor adopts the process and goes on", async (t) => {
  const bench = new Bench(t);
  const first = bench.worker();
  first.start({ value: 1 });
  await bench.running(first);
  const { pid } = first;
  await bench.settle(first.detach());
  assert.equal(bench.processes().length, 1);

  const second = bench.worker();
  second.start({ value: 2 });
  await bench.running(second);
  assert.deepEqual([second.pid, second.adopted, second.starts], [pid, true, 0]);
  assert.deepEqual(((await bench.settle(second.request("stats"))) as { spec: Spec }).spec, { value: 2 });

  // Its death is seen though it is nobody's child here.
  process.kill(pid as number, "SIGKILL");
  await bench.timers.until("a new one", () => second.state === "running" && second.pid !== pid);
  assert.deepEqual([second.adopted, second.starts], [false, 1]);
});

for (const [what, habits] of [
  ["speaks another protocol", { protocol: 2 }],
  ["has another role", { role: "transmit" }],
  ["says no hello", { mute: true }],
] as const) {
  test(`a process that ${what} is not adopted but replaced`, async (t) => {
    const bench = new Bench(t);
    const first = bench.worker(habits);
    first.start({});
    await bench.timers.until("its process", () => first.pid !== null);
    await bench.timers.until("its socket", () => bench.processes().length === 1);
    const pid = first.pid as number;
    await bench.settle(first.detach());
    const second = bench.worker();
    second.start({});
    await bench.timers.until("its own process", () => second.state === "running", 5);
    assert.notEqual(second.pid, pid);
    assert.deepEqual(
      bench.processes().map((one) => one.pid),
      [second.pid],
    );
  });
}

test("stop asks, and what neither quits nor minds SIGTERM is killed", async (t) => {
  const bench = new Bench(t);
  const obedient = bench.worker();
  obedient.start({});
  await bench.running(obedient);
  const began = bench.timers.now();
  await bench.settle(obedient.stop());
  assert.ok(bench.timers.now() - began < 1000);
  assert.equal(bench.processes().length, 0);

  const stubborn = bench.worker({ stubborn: true });
  stubborn.start({});
  await bench.running(stubborn);
  const asked = bench.timers.now();
  await bench.settle(stubborn.stop(), 10);
  const took = bench.timers.now() - asked;
  assert.ok(took >= 3000 && took < 3500, `asked and signalled for ${took} ms`);
  assert.equal(bench.processes().length, 0);
});

test("stop while it starts and while it waits for a restart leaves nothing behind", async (t) => {
  const bench = new Bench(t);
  const starting = bench.worker();
  starting.start({});
  await bench.settle(starting.stop());
  const waiting = bench.worker({ exitAtStart: 1 });
  waiting.start({});
  await bench.timers.until("the third failure", () => bench.restarts().length === 3, 5);
  await bench.settle(waiting.stop());
  assert.equal(bench.processes().length, 0);
});

test("a program that does not exist, and a socket path that is too long, are told", async (t) => {
  const bench = new Bench(t);
  for (const [options, expected] of [
    [{ command: ["/nonexistent/encode"] as const }, /ENOENT/],
    [{ command: ["true"] as const, socket: `/tmp/${"x".repeat(120)}.sock` }, /at most 107/],
  ] as const) {
    const worker = new Worker(
      { ...bench.worker().options, ...options },
      { event: () => {}, changed: () => {}, log: (_level, message) => bench.log.push(message) },
    );
    worker.start({});
    await bench.timers.until("a failure", () => worker.lastExit !== "");
    assert.match(worker.lastExit, expected);
    await bench.settle(worker.stop());
  }
});
