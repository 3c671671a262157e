import assert from "node:assert/strict";
import test from "node:test";
import { isAtLeast, type Principal, type Role, roles } from "../../src/access/principal.ts";
import { Random } from "../support/random.ts";
import { AccessBox, NEAR } from "./support/box.ts";

/** What a simple mind would keep of users, sessions and tokens. */
interface ModelUser {
  role: Role;
  password: string;
  disabled: boolean;
}
interface ModelSession {
  user: string;
  secret: string;
  principal: Principal;
  began: number;
  seen: number;
}
interface ModelToken {
  owner: string;
  role: Role;
  secret: string;
  id: string;
  ends: number;
}

const NAMES = ["admin", "anna", "ben", "carl"];
const PASSWORDS = ["tall ships in fog", "a quite new secret", "seven grey herons"];
const IDLE = 30 * 60_000;
const LONGEST = 12 * 3600_000;

class Model {
  readonly #random: Random;
  #box: AccessBox;
  readonly users = new Map<string, ModelUser>();
  sessions: ModelSession[] = [];
  tokens: ModelToken[] = [];
  readonly log: string[] = [];

  constructor(random: Random, box: AccessBox) {
    this.#random = random;
    this.#box = box;
    this.users.set("admin", { role: "admin", password: "tall ships in fog", disabled: false });
  }

  get now(): number {
    return this.#box.clock.now();
  }

  lives({ began, seen }: ModelSession): boolean {
    return this.now < seen + IDLE && this.now < began + LONGEST;
  }

  /** Ends sessions of a user, but for one. */
  end(name: string, but?: ModelSession): void {
    this.sessions = this.sessions.filter((one) => one.user !== name || one === but);
  }

  hasAdminWithout(name: string): boolean {
    return [...this.users].some(([other, { role, disabled }]) => other !== name && role === "admin" && !disabled);
  }

  /** One operation on both. */
  async step(): Promise<void> {
    const random = this.#random;
    const { access, clock } = this.#box;
    const name = random.pick(NAMES);
    const user = this.users.get(name);
    const password = random.pick(PASSWORDS);
    const session = this.sessions.length > 0 ? random.pick(this.sessions) : undefined;
    switch (random.below(11)) {
      case 0: {
        const role = random.pick(roles);
        const { ok } = await access.users.add({ name, role, password });
        this.#expect(`add ${name} ${role}`, ok, user === undefined);
        if (ok) this.users.set(name, { role, password, disabled: false });
        return;
      }
      case 1: {
        const { ok } = await access.users.remove(name);
        this.#expect(`remove ${name}`, ok, user !== undefined && this.hasAdminWithout(name));
        if (!ok) return;
        this.users.delete(name);
        this.tokens = this.tokens.filter(({ owner }) => owner !== name);
        this.end(name);
        return;
      }
      case 2: {
        const role = random.pick(roles);
        const disabled = random.chance(0.3);
        const { ok } = await access.users.change(name, { role, disabled });
        const keeps = (role === "admin" && !disabled) || this.hasAdminWithout(name);
        this.#expect(`change ${name} ${role} ${disabled}`, ok, user !== undefined && keeps);
        if (!ok || user === undefined) return;
        if (role !== user.role || disabled !== user.disabled) this.end(name);
        Object.assign(user, { role, disabled });
        if (disabled) this.tokens = this.tokens.filter(({ owner }) => owner !== name);
        return;
      }
      case 3: {
        const { ok } = await access.users.change(name, { password });
        this.#expect(`password of ${name}`, ok, user !== undefined);
        if (user !== undefined) user.password = password;
        this.end(name);
        return;
      }
      case 4:
      case 5: {
        // From ever other addresses, so that no throttle is in it.
        const address = `192.168.1.${random.below(250)}`;
        const result = await access.logIn({ user: name, password, address });
        if (!result.ok && result.reason === "throttled") return;
        const may = user !== undefined && !user.disabled && user.password === password;
        this.#expect(`log-in of ${name}`, result.ok, may);
        if (!result.ok) return;
        const { session: secret, principal } = result;
        const own = this.sessions.filter((one) => one.user === name && this.lives(one));
        if (own.length >= 16) {
          const oldest = own.reduce((a, b) => (b.seen < a.seen ? b : a));
          this.sessions = this.sessions.filter((one) => one !== oldest);
        }
        this.sessions.push({ user: name, secret, principal, began: this.now, seen: this.now });
        return;
      }
      case 6: {
        if (session === undefined) return;
        await access.logOut(session.principal);
        this.log.push("log-out");
        this.sessions = this.sessions.filter((one) => one !== session);
        return;
      }
      case 7: {
        if (session === undefined || !this.lives(session)) return;
        const role = random.pick(roles);
        const ends = this.now + random.below(48 * 3600) * 1000 + 1000;
        const expires = new Date(this.#box.now().getTime() + ends - this.now);
        const result = await access.tokens.add(session.principal, { name: "t", role, expires });
        const own = this.users.get(session.user)?.role ?? "viewer";
        this.#expect(`token of ${session.user}`, result.ok, isAtLeast(own, role) && this.#liveTokens() < 64);
        if (result.ok) this.tokens.push({ owner: session.user, role, secret: result.token, id: result.info.id, ends });
        return;
      }
      case 8: {
        const token = this.tokens.length > 0 ? random.pick(this.tokens) : undefined;
        if (session === undefined || token === undefined || !this.lives(session)) return;
        const may = this.users.get(session.user)?.role === "admin" || token.owner === session.user;
        const asks = access.identify({ cookie: session.secret, address: NEAR });
        session.seen = this.now;
        if (asks === undefined) return assert.fail("a session that lives is not known");
        const { ok } = await access.tokens.remove(asks, token.id);
        // An expired one may be gone already.
        if (token.ends > this.now) this.#expect(`remove token of ${token.owner} by ${session.user}`, ok, may);
        if (may) this.tokens = this.tokens.filter((one) => one !== token);
        return;
      }
      case 9:
        this.log.push("time goes by");
        await clock.advance(random.pick([1000, 60_000, 10 * 60_000, 40 * 60_000]));
        return;
      default: {
        if (!random.chance(0.3)) return;
        this.log.push("restart");
        this.#box = await this.#box.restarted();
      }
    }
  }

  /** Everything that can be asked is answered as the model has it. */
  check(): void {
    const { access } = this.#box;
    const where = this.log.slice(-12).join("; ");
    assert.deepEqual(
      access.users
        .list()
        .map(({ name, role, disabled }) => ({ name, role, disabled }))
        .sort(byName),
      [...this.users].map(([name, { role, disabled }]) => ({ name, role, disabled })).sort(byName),
      where,
    );
    for (const one of this.sessions) {
      const found = access.identify({ cookie: one.secret, address: NEAR });
      const role = this.users.get(one.user)?.role;
      assert.equal(found?.role, this.lives(one) ? role : undefined, `session of ${one.user} after ${where}`);
      if (this.lives(one)) one.seen = this.now;
    }
    this.sessions = this.sessions.filter((one) => this.lives(one));
    for (const { secret, owner, role, ends } of this.tokens) {
      const found = access.identify({ bearer: secret, address: NEAR });
      const own = this.users.get(owner)?.role ?? "viewer";
      const expected = ends > this.now ? (isAtLeast(own, role) ? role : own) : undefined;
      assert.equal(found?.role, expected, `token of ${owner} after ${where}`);
    }
    const boss = { name: "x", role: "admin", via: "local", id: "", address: "" } as const;
    assert.equal(access.sessions(boss).length, this.sessions.length, where);
  }

  #liveTokens(): number {
    return this.tokens.filter(({ ends }) => ends > this.now).length;
  }

  #expect(what: string, is: boolean, should: boolean): void {
    this.log.push(`${what}: ${is}`);
    assert.equal(is, should, this.log.slice(-12).join("; "));
  }
}

function byName(a: { name: string }, b: { name: string }): number {
  return a.name < b.name ? -1 : 1;
}

test("random sequences of changes, log-ins, restarts and waits do what a simple model does", async () => {
  for (let seed = 1; seed <= 12; seed++) {
    const box = await AccessBox.ready();
    const boss = { name: "x", role: "admin", via: "local", id: "", address: "" } as const;
    for (const { id } of box.access.sessions(boss)) await box.access.endSession(boss, id);
    const model = new Model(new Random(seed), box);
    for (let step = 0; step < 250; step++) {
      await model.step();
      if (step % 3 === 0) model.check();
    }
    model.check();
    assert.ok(model.log.length > 100);
  }
});
