import assert from "node:assert/strict";
import test from "node:test";
import { HASH_COST } from "../../src/access/hashing.ts";
import type { LoginResult } from "../../src/access/results.ts";
import { AccessBox, FAR, loggedIn, NEAR, PASSWORD } from "./support/box.ts";

const guess = (n: number) => ({ user: "admin", password: `wrong guess ${n}` });
const addressOf = (n: number) => `198.51.100.${n}`;

/** How long the owner waits, s, who comes back just when told. */
async function secondsToGetIn(box: AccessBox, address: string): Promise<number> {
  const began = box.clock.now();
  for (;;) {
    const result = await box.access.logIn({ user: "admin", password: PASSWORD, address });
    if (result.ok) return (box.clock.now() - began) / 1000;
    assert.equal(result.reason, "throttled");
    await box.clock.advance((result as { retryAfterSeconds: number }).retryAfterSeconds * 1000);
  }
}

function count(results: readonly LoginResult[], reason: string): number {
  return results.filter((result) => !result.ok && result.reason === reason).length;
}

test("of 1,000 guesses at once from one address 5 are looked at, and nobody else notices", async () => {
  const box = await AccessBox.ready();
  const { device } = await box.logIn();
  const before = box.access.passwordsChecked;
  const guesses = Array.from({ length: 1000 }, (_, n) => box.access.logIn({ ...guess(n), address: FAR }));
  const owner = box.access.logIn({ user: "admin", password: PASSWORD, address: FAR, device });
  const results = await Promise.all(guesses);
  assert.equal((await owner).ok, true, "from a known device even at the same address");
  assert.deepEqual([count(results, "refused"), count(results, "throttled")], [5, 995]);
  assert.equal(box.access.passwordsChecked - before, 6);
  assert.equal(await secondsToGetIn(box, NEAR), 0, "a new device elsewhere");
  assert.equal(await secondsToGetIn(box, "198.51.100.1"), 0);
});

test("of 10 guesses each from 100 addresses at once 10 are looked at; the owner gets in within a minute", async () => {
  const box = await AccessBox.ready();
  const { device } = await box.logIn();
  const before = box.access.passwordsChecked;
  const guesses = Array.from({ length: 1000 }, (_, n) =>
    box.access.logIn({ ...guess(n), address: addressOf(n % 100) }),
  );
  const known = box.access.logIn({ user: "admin", password: PASSWORD, address: FAR, device });
  const results = await Promise.all(guesses);
  assert.equal((await known).ok, true);
  assert.deepEqual([count(results, "refused"), count(results, "throttled")], [10, 990]);
  assert.equal(box.access.passwordsChecked - before, 11);
  assert.equal(await secondsToGetIn(box, NEAR), 0, "from the networks of the box at once");
  const waited = await secondsToGetIn(box, FAR);
  assert.ok(waited > 0 && waited <= 60, `${waited} s`);
});

test("a hundred addresses that guess for a day, each as soon as it may, get some 30,000 guesses, and never shut the owner out", async () => {
  const box = await AccessBox.ready();
  const before = box.access.passwordsChecked;
  const HOURS = 24;
  const end = box.clock.now() + HOURS * 3600_000;
  const due = new Map(Array.from({ length: 100 }, (_, n) => [addressOf(n), 0]));
  let asked = 0;
  let longest = 0;
  let nextOwner = box.clock.now() + 600_000;
  while (box.clock.now() < end) {
    for (const [address, at] of due) {
      if (at > box.clock.now()) continue;
      const result = await box.access.logIn({ ...guess(asked++), address });
      assert.ok(!result.ok);
      due.set(address, box.clock.now() + (result.reason === "throttled" ? result.retryAfterSeconds * 1000 : 0));
    }
    if (box.clock.now() >= nextOwner) {
      nextOwner += 3600_000;
      // Each time from a place that was never seen.
      longest = Math.max(longest, await secondsToGetIn(box, `203.0.113.${Math.floor(asked % 250)}`));
    }
    const next = Math.min(...due.values(), nextOwner);
    await box.clock.advance(Math.max(1000, next - box.clock.now()));
  }
  const checked = box.access.passwordsChecked - before;
  assert.ok(checked < 30_000, `${checked} guesses in ${HOURS} h`);
  assert.ok(longest <= 60, `the owner waited for ${longest} s`);
});

test("the wait of an address doubles up to five minutes, and is told to the second", async () => {
  const box = await AccessBox.ready();
  const waits: number[] = [];
  for (let n = 0; waits.length < 11; n++) {
    const user = `user${n}`;
    const result = await box.access.logIn({ ...guess(n), user, address: FAR });
    if (result.ok || result.reason !== "throttled") continue;
    waits.push(result.retryAfterSeconds);
    await box.clock.advance(result.retryAfterSeconds * 1000 - 1);
    const early = await box.access.logIn({ ...guess(n), user, address: FAR });
    assert.deepEqual(early, { ok: false, reason: "throttled", retryAfterSeconds: 1 });
    await box.clock.advance(1);
  }
  assert.deepEqual(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
});

test("an address in IPv6 is its /64; a neighbour in another one is somebody else", async () => {
  const box = await AccessBox.ready();
  for (let n = 0; n < 5; n++) await box.tryLogIn({ ...guess(n), address: `2001:db8:9:1::${n}` });
  for (const same of ["2001:db8:9:1:ffff::1", "2001:DB8:9:1:0:0:0:99", "2001:db8:9:1::1%eth0"]) {
    assert.equal(await box.tryLogIn({ address: same }), "throttled", same);
  }
  for (const other of ["2001:db8:9:2::1", "2001:db8:9::1"]) {
    assert.equal(await box.tryLogIn({ address: other }), "in", other);
  }
  for (let n = 0; n < 5; n++) await box.tryLogIn({ ...guess(n), address: FAR });
  assert.equal(await box.tryLogIn({ address: `::ffff:${FAR}` }), "throttled", "IPv4 in IPv6 is IPv4");
});

test("to log in between guesses at others does not make an address any quicker", async () => {
  const box = await AccessBox.ready();
  await box.add("mole", "viewer");
  const before = box.access.passwordsChecked;
  let guesses = 0;
  for (let n = 0; n < 50; n++) {
    await box.tryLogIn({ user: "mole", address: FAR });
    if ((await box.tryLogIn({ ...guess(n), address: FAR })) === "refused") guesses++;
  }
  assert.equal(guesses, 5);
  assert.ok(box.access.passwordsChecked - before < 20);
});

test("a stolen device cookie gives ten guesses more, and one of another user none", async () => {
  const box = await AccessBox.ready();
  await box.add("mole", "viewer");
  const [own, moles] = [await box.logIn(), await box.logIn("mole")];
  const tries = async (device: string | undefined, address: string) => {
    let checked = 0;
    for (let n = 0; n < 40; n++) {
      if ((await box.tryLogIn({ ...guess(n), address, device })) === "refused") checked++;
    }
    return checked;
  };
  assert.equal(await tries(moles.device, "198.51.100.1"), 5);
  assert.equal(await tries("nonsense.nonsense", "198.51.100.2"), 5);
  await box.clock.advance(24 * 3600_000);
  assert.equal(await tries(own.device, "198.51.100.3"), 15);
});

test("codes of the second factor are slowed for each user, over all addresses", async () => {
  const box = await AccessBox.ready();
  const { principal, device } = await box.logIn();
  const { secret } = await box.enrol(principal);
  const attack = Array.from({ length: 100 }, (_, n) => box.tryLogIn({ code: "000000", address: addressOf(n) }));
  const results = await Promise.all(attack);
  assert.equal(results.filter((result) => result === "refused").length, 5);
  await box.clock.advance(60_000);
  assert.equal(await box.tryLogIn({ code: box.code(secret), address: FAR, device }), "in", "a known device at once");
  const first = await box.access.logIn({ user: "admin", password: PASSWORD, code: box.code(secret, 1), address: FAR });
  assert.ok(!first.ok && first.reason === "throttled" && first.retryAfterSeconds <= 300);
  await box.clock.advance(first.retryAfterSeconds * 1000);
  assert.equal(await box.tryLogIn({ code: box.code(secret), address: FAR }), "in");
});

test("users that are not there take the same work, words and waits as those that are", async () => {
  const run = async (user: string) => {
    const box = await AccessBox.ready();
    const results: LoginResult[] = [];
    const before = box.access.passwordsChecked;
    for (let n = 0; n < 30; n++) {
      results.push(await box.access.logIn({ user, password: `wrong guess ${n}`, address: addressOf(n % 4) }));
    }
    return { results, checked: box.access.passwordsChecked - before };
  };
  assert.deepEqual(await run("nobody-here"), await run("admin"));
});

test("with hashes at their real cost, hundreds of guesses at many users leave the owner and the event loop alone", async () => {
  const box = await AccessBox.ready({ hashCost: HASH_COST });
  assert.match(box.stored(), /\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  const { device } = await box.logIn();
  const guesses = Array.from({ length: 300 }, (_, n) =>
    box.access.logIn({ user: `user${n}`, password: `wrong guess ${n}`, address: addressOf(n % 150) }),
  );
  let turns = 0;
  let done = false;
  const spin = (): void => {
    turns++;
    if (!done) setImmediate(spin);
  };
  spin();
  const order: string[] = [];
  const owner = box.access.logIn({ user: "admin", password: PASSWORD, address: FAR, device }).then((result) => {
    order.push("owner");
    return loggedIn(result);
  });
  const results = await Promise.all(guesses.map((one) => one.finally(() => order.push("guess"))));
  done = true;
  await owner;
  // Two are under way and those without a place are sent away at once; all others come after the owner.
  const checkedBefore = order.slice(0, order.indexOf("owner")).length - count(results, "throttled");
  assert.ok(checkedBefore <= 4, `${checkedBefore} guesses came first`);
  assert.ok(count(results, "refused") <= 66, "what waits is bounded");
  assert.ok(turns > 100, `the event loop went round ${turns} times only`);
});
