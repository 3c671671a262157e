/** Log-in, users, configuration, network, firmware and power of the box that does what the test says. */

import type { SessionInfo, Standing, TokenInfo, UserInfo } from "../../../src/access/results.ts";
import type { Difference } from "../../../src/config/diff.ts";
import type { ChannelImpact, Impact, Plan } from "../../../src/config/plan.ts";
import type { Config } from "../../../src/config/schema.ts";
import type { Trial } from "../../../src/config/trial.ts";
import type { NetworkStatus } from "../../../src/system/network/status.ts";
import { FakeFirmware } from "./fakeFirmware.ts";

export interface Answer {
  status: number;
  body?: unknown;
  headers?: Record<string, string>;
}

type Body = Record<string, unknown>;

interface Call {
  method: string;
  /** Below /api/v1. */
  path: string;
  query: URLSearchParams;
  body: Body;
  headers: Record<string, string | string[] | undefined>;
}

export const adminUser: Standing = {
  name: "anna",
  role: "admin",
  via: "session",
  secondFactor: false,
  mustEnrol: false,
  expires: "2030-01-01T12:00:00.000Z",
};

const ok = (body: unknown): Answer => ({ status: 200, body });
const done: Answer = { status: 204 };

export function refused(status: number, kind: string, detail: string, more: object = {}): Answer {
  const headers = { "Content-Type": "application/problem+json" };
  return { status, headers, body: { type: `urn:steadycast:problem:${kind}`, title: kind, status, detail, ...more } };
}

const nothing: Impact = { differences: [], sections: [], channels: [], canCutOff: false };

export class FakeAdministration {
  /** Who the browser's cookie stands for. */
  user: Standing | null = adminUser;
  /** Whom a right password makes of the browser. */
  next: Standing = adminUser;
  needsSetup = false;
  password = "a right long password";
  /** Asked for beside the password. */
  code: string | null = null;
  /** Answers in place of the next one to a method and path such as `POST /session`. */
  readonly instead = new Map<string, Answer>();
  /** What came, such as `PATCH /users/otto`, with the body. */
  readonly calls: [string, Body][] = [];
  users: UserInfo[] = [user("anna", "admin"), user("otto", "operator", true)];
  sessions: SessionInfo[] = [session("s1", "192.168.1.20", true), session("s2", "192.168.1.77", false)];
  tokens: TokenInfo[] = [];
  differences: Difference[] = [];
  impacts: ChannelImpact[] = [];
  canCutOff = false;
  errors: { pointer: string; message: string }[] = [];
  trial: Trial | null = null;
  trialEndsAt = 0;
  versions = [
    { revision: 3, saved: "2026-11-20T10:00:00.000Z", author: "anna", comment: "Sport profile", current: true },
    { revision: 2, saved: "2026-11-19T09:00:00.000Z", author: "otto", comment: "", current: false },
    { revision: 1, saved: "2026-11-18T08:00:00.000Z", author: null, comment: "First start", current: false },
  ];
  network: NetworkStatus = network;
  readonly firmware = new FakeFirmware();
  readonly #config: () => Config;
  readonly #tag: () => string;

  constructor(config: () => Config, tag: () => string) {
    this.#config = config;
    this.#tag = tag;
  }

  /** Bodies of the requests of this kind. */
  sent(call: string): Body[] {
    return this.calls.filter(([name]) => name === call).map(([, body]) => body);
  }

  /** The answer, or undefined for what is not of here. */
  handle(call: Call): Answer | undefined {
    const { method, path, headers } = call;
    const name = `${method} ${path}`;
    if (method !== "GET" && headers["steadycast-request"] !== "1") {
      return refused(403, "foreign-origin", "Steadycast-Request is missing");
    }
    if (method !== "GET") this.calls.push([name, call.body]);
    const instead = this.instead.get(name);
    if (instead !== undefined) {
      this.instead.delete(name);
      return instead;
    }
    if (path === "/session") return this.#session(call);
    if (name === "POST /setup") return this.#setUp(call.body);
    if (this.user === null) return refused(401, "unauthenticated", "Log in first");
    if (this.user.via === "setup") return refused(403, "forbidden", "Set the password first");
    return (
      this.#account(name, call) ??
      this.#users(name, call) ??
      this.#configuration(name, call) ??
      this.firmware.handle(name, call.body, this.password) ??
      this.#system(name)
    );
  }

  #standing(): unknown {
    return { setup: this.needsSetup, user: this.user };
  }

  #session({ method, body }: Call): Answer {
    if (method === "DELETE") {
      this.user = null;
      return done;
    }
    if (method === "POST") {
      if (this.needsSetup && body.user === "admin" && body.password === "admin") {
        this.user = { ...adminUser, name: "admin", via: "setup" };
      } else if (body.password !== this.password) {
        return refused(401, "unauthenticated", "User, password or code is wrong");
      } else if (this.code !== null && body.code === undefined) {
        return refused(401, "code-needed", "A code is needed, too");
      } else if (this.code !== null && body.code !== this.code) {
        return refused(401, "unauthenticated", "User, password or code is wrong");
      } else {
        this.user = this.next;
      }
    }
    return ok(this.#standing());
  }

  #setUp({ password }: Body): Answer {
    if (String(password).length < 10) {
      const errors = [{ pointer: "/password", detail: "must have at least 10 characters" }];
      return refused(422, "invalid", "The password must have at least 10 characters", { errors });
    }
    this.needsSetup = false;
    this.user = { ...adminUser, name: "admin" };
    return ok(this.#standing());
  }

  #account(name: string, { body, path }: Call): Answer | undefined {
    switch (name) {
      case "PUT /account/password":
        if (body.current !== this.password) return refused(403, "forbidden", "The current password is wrong");
        this.password = String(body.password);
        return done;
      case "POST /account/totp":
        if (body.password !== this.password) return refused(403, "forbidden", "The password is wrong");
        return ok({ secret: "JBSWY3DPEHPK3PXP", uri: "otpauth://totp/Steadycast:anna?secret=JBSWY3DPEHPK3PXP" });
      case "PUT /account/totp":
        if (body.code !== "123456") return refused(422, "invalid", "The code is wrong");
        this.user = this.user && { ...this.user, secondFactor: true, mustEnrol: false };
        return ok({ recoveryCodes: Array.from({ length: 10 }, (_, i) => `abcd-efgh-${i}`) });
      case "DELETE /account/totp":
        this.user = this.user && { ...this.user, secondFactor: false };
        return done;
      case "GET /sessions":
        return ok({ sessions: this.sessions });
      case "GET /tokens":
        return ok({ tokens: this.tokens });
      case "POST /tokens": {
        const { name: of, role, scopes, expires } = body as unknown as TokenInfo;
        const info = { id: `t${this.tokens.length}`, name: of, owner: "anna", role, scopes: scopes ?? null };
        this.tokens = [...this.tokens, { ...info, created: "", expires: expires ?? null, lastUsed: null }];
        return { status: 201, body: { ...this.tokens.at(-1), token: "sc_0123456789abcdef" } };
      }
    }
    const [, kind, id] = /^DELETE \/(sessions|tokens)\/(.+)$/.exec(name) ?? [];
    if (kind === "tokens") this.tokens = this.tokens.filter((token) => token.id !== id);
    if (kind === "sessions") {
      if (this.sessions.find((one) => one.id === id)?.current) this.user = null;
      this.sessions = this.sessions.filter((one) => one.id !== id);
    }
    return kind === undefined || path === "" ? undefined : done;
  }

  #users(name: string, { body, method, path }: Call): Answer | undefined {
    if (!path.startsWith("/users")) return undefined;
    if (this.user?.role !== "admin") return refused(403, "forbidden", "Only an admin may do this");
    if (name === "GET /users") return ok({ users: this.users });
    if (name === "POST /users") {
      const added = user(String(body.name), body.role as UserInfo["role"]);
      if (this.users.some((one) => one.name === added.name)) {
        const errors = [{ pointer: "/name", detail: `“${added.name}” is there already` }];
        return refused(409, "conflict", `There is a user “${added.name}” already`, { errors });
      }
      this.users = [...this.users, added];
      return { status: 201, body: added };
    }
    const [, , of, part] = path.split("/");
    const known = this.users.find((one) => one.name === of);
    if (known === undefined) return refused(404, "not-found", "There is no such user");
    if (part === "totp") this.#replace({ ...known, secondFactor: false });
    else if (method === "DELETE") this.users = this.users.filter((one) => one !== known);
    else if (method === "PATCH") {
      const admins = this.users.filter(({ role, disabled }) => role === "admin" && !disabled);
      if (admins.length === 1 && admins[0] === known && (body.disabled === true || body.role !== undefined)) {
        return refused(409, "conflict", "The last admin must stay");
      }
      const { role = known.role, disabled = known.disabled } = body as Partial<UserInfo>;
      this.#replace({ ...known, role, disabled });
    }
    return done;
  }

  #replace(news: UserInfo): void {
    this.users = this.users.map((one) => (one.name === news.name ? news : one));
  }

  #configuration(name: string, { body, query, headers }: Call): Answer | undefined {
    const plan: Plan = {
      ...nothing,
      differences: this.differences,
      channels: this.impacts,
      canCutOff: this.canCutOff,
      errors: this.errors,
      ...{ revision: 3, valid: this.errors.length === 0, changed: this.differences.length > 0 },
      confirmSeconds: this.canCutOff ? 120 : 0,
    };
    if (/^GET \/config\/history\/\d+\/diff$/.test(name)) {
      return ok({ differences: query.get("to") === null ? [] : this.differences });
    }
    if (/^GET \/config\/history\/\d+$/.test(name)) return ok(this.#config());
    if (/^POST \/config\/history\/\d+\/restore$/.test(name)) return this.#applied(body);
    switch (name) {
      case "GET /config/trial": {
        const remainingSeconds = Math.ceil((this.trialEndsAt - Date.now()) / 1000);
        return ok({ trial: this.trial && { ...this.trial, remainingSeconds } });
      }
      case "GET /config/history":
        return ok({ versions: this.versions });
      case "POST /config/plan":
        return ok(plan);
      case "POST /config/apply":
        if (headers["if-match"] !== this.#tag())
          return refused(412, "stale", "The configuration has changed meanwhile");
        return this.#applied(body);
      case "POST /config/confirm":
      case "POST /config/revert":
        this.trial = null;
        return done;
      case "POST /config/export":
        return {
          status: 200,
          headers: { "Content-Disposition": 'attachment; filename="headend-3.json"' },
          body: { steadycast: "backup" },
        };
      case "POST /config/import":
        return ok({
          ...{ ok: true, applied: body.plan !== true, parts: [], differences: this.differences, omitted: 0 },
          from: { created: "2026-11-20T10:00:00.000Z", box: "Headend 3", firmware: "0.1.0", schemaVersion: 3 },
          notes: ["The PIN was not in the backup: the panel is not locked."],
        });
    }
    return undefined;
  }

  #applied({ confirmSeconds, comment }: Body): Answer {
    if (typeof confirmSeconds === "number") {
      this.startTrial({ confirmSeconds, comment: String(comment ?? ""), differences: this.differences });
    }
    return ok({ revision: 4, changed: true, ...(this.trial === null ? {} : { trial: this.trial }) });
  }

  startTrial(trial: Partial<Trial> & { confirmSeconds: number }): void {
    this.trialEndsAt = Date.now() + trial.confirmSeconds * 1000;
    const until = new Date(this.trialEndsAt).toISOString();
    const rest = { revision: 4, author: "anna", comment: "", differences: [] };
    this.trial = { ...rest, until, remainingSeconds: trial.confirmSeconds, ...trial };
  }

  #system(name: string): Answer | undefined {
    if (name === "GET /network") return ok(this.network);
    if (name === "POST /network/check") {
      return ok({ message: "192.168.1.9 is taken: 02:00:00:00:00:09 answers for it on eth0" });
    }
    return name === "GET /time/zones" ? ok({ zones: ["UTC", "Europe/Berlin"] }) : undefined;
  }
}

function user(name: string, role: UserInfo["role"], secondFactor = false): UserInfo {
  const created = "2026-11-18T08:00:00.000Z";
  return { name, role, secondFactor, created, disabled: false, recoveryCodes: secondFactor ? 10 : 0, lastLogin: null };
}

function session(id: string, address: string, current: boolean): SessionInfo {
  return {
    ...{ id, address, current, user: "anna", created: "2026-11-22T07:00:00.000Z" },
    agent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    lastSeen: "2026-11-22T07:30:00.000Z",
    expires: "2026-11-22T19:00:00.000Z",
  };
}

const counters = {
  ...{ receivedBytes: 0, receivedPackets: 0, receiveErrors: 0, receiveDropped: 0 },
  ...{ sentBytes: 0, sentPackets: 0, sendErrors: 0, sendDropped: 0 },
};

const port: NetworkStatus["interfaces"][number] = {
  name: "eth0",
  kind: "ethernet",
  mac: "02:00:00:00:00:01",
  up: true,
  carrier: true,
  speed: 1e9,
  duplex: "full",
  mtu: 1500,
  addresses: [{ address: "192.168.1.50", prefix: 24, source: "dhcp" }],
  gateways: ["192.168.1.1"],
  dns: ["192.168.1.1"],
  dhcpServer: "192.168.1.1",
  counters,
  management: true,
  streaming: true,
  bond: "",
  fallback: { state: "off" },
  warnings: [],
};

const network: NetworkStatus = {
  adapter: "networkd",
  hostname: "headend-3",
  mdnsName: "headend-3.local",
  urls: ["http://headend-3.local/", "http://192.168.1.50/"],
  interfaces: [
    port,
    {
      ...port,
      ...{ name: "eth1", mac: "02:00:00:00:00:02", speed: 1e8, mtu: 9000, management: false, dhcpServer: null },
      addresses: [{ address: "192.168.1.168", prefix: 24, source: "static" }],
      gateways: [],
      fallback: { state: "in-use", address: "192.168.1.168" },
      warnings: [
        "runs at 100 Mbit/s only: look at the cable and the switch",
        "has an MTU of 9000: every switch and receiver on the way must take jumbo frames",
        "has no lease by DHCP and falls back to 192.168.1.168",
      ],
    },
  ],
  fault: "",
  notes: [],
};
