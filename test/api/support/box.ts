/** An API server for tests: a real configuration service on a simulated disk, and channels that only pretend. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { Role } from "../../../src/access/principal.ts";
import type { AuditEvent } from "../../../src/access/record.ts";
import { ApiServer, type ApiServerOptions } from "../../../src/api/server.ts";
import { Bus, type Events } from "../../../src/bus.ts";
import type { ChannelControl, ChannelStatus, OrderResult } from "../../../src/channels/status.ts";
import type { ConfigService } from "../../../src/config/store.ts";
import { SimulatedDisk } from "../../config/support/disk.ts";
import { make } from "../../config/support/service.ts";
import { violations } from "../../support/jsonSchema.ts";
import { Session } from "../../support/login.ts";
import { authorization, GENEROUS, People } from "./people.ts";

type Json = Record<string, unknown>;

export function status(id: string, more: Partial<ChannelStatus> = {}): ChannelStatus {
  const since = "2026-01-01T00:00:00.000Z";
  const lists = { faults: [], workers: [], outputs: [] };
  return { id, name: id, enabled: true, state: "live", since, ...lists, encode: null, transmit: null, ...more };
}

export class FakeChannels implements ChannelControl {
  statuses = new Map<string, ChannelStatus>([["ch1", status("ch1")]]);
  orders: string[] = [];
  result: OrderResult = "done";
  preview: string | undefined;

  list = () => [...this.statuses.values()];
  status = (id: string) => this.statuses.get(id);
  previewFile = () => this.preview;
  restart = (id: string) => this.#order("restart", id);
  keyframe = (id: string) => this.#order("keyframe", id);

  async #order(what: string, id: string): Promise<OrderResult> {
    this.orders.push(`${what} ${id}`);
    return this.result;
  }
}

export interface Answer {
  status: number;
  headers: Headers;
  body: unknown;
}

/** What a problem's body holds, as far as tests look. */
export interface ProblemBody {
  type: string;
  status: number;
  detail: string;
  errors?: { pointer: string; detail: string; limit?: Json; value?: unknown }[];
}

export class Box {
  readonly bus: Bus;
  readonly disk = new SimulatedDisk();
  readonly channels = new FakeChannels();
  readonly folder = mkdtempSync(join(tmpdir(), "steadycast-api-"));
  readonly logged: Events["log"][] = [];
  readonly people = new People();
  /** What the audit log was told. */
  readonly audited: AuditEvent[] = [];
  readonly config: ConfigService;
  readonly server: ApiServer;
  #document: Json = {};

  constructor(options: Partial<ApiServerOptions> = {}) {
    this.bus = options.bus ?? new Bus();
    const { bus, channels, folder } = this;
    this.config = options.config ?? make("/data", bus, this.disk);
    const config = this.config;
    this.server = new ApiServer({
      ...{ port: 0, webFolder: folder, version: "1.2.3", bus, config, channels, limits: GENEROUS },
      everybody: options.access === undefined ? this.people : undefined,
      audit: { record: (event) => this.audited.push(event) },
      ...options,
    });
    bus.on("log", (line) => this.logged.push(line));
  }

  static async start(t: TestContext, options?: Partial<ApiServerOptions>): Promise<Box> {
    const box = new Box(options);
    await box.config.start();
    await box.server.start();
    t.after(async () => {
      await box.server.stop();
      await box.config.stop();
      rmSync(box.folder, { recursive: true });
    });
    const headers = authorization("viewer");
    box.#document = (await (await fetch(`${box.server.url}/api/v1/openapi.json`, { headers })).json()) as Json;
    return box;
  }

  /** Calls in the name of somebody else: a role, or nobody. */
  as(role: Role | "nobody") {
    const who: Record<string, string> = role === "nobody" ? { Authorization: "" } : authorization(role);
    return {
      call: (method: string, path: string, body?: unknown, headers?: Record<string, string>) =>
        this.call(method, path, body, { ...who, ...headers }),
      refused: (kind: string, method: string, path: string, body?: unknown, headers?: Record<string, string>) =>
        this.refused(kind, method, path, body, { ...who, ...headers }),
    };
  }

  /** Of a page on which that role has logged in. */
  session(role: Role = "admin"): Session {
    return new Session(this.server.url, { name: "steadycast_session", value: `${role}-session` });
  }

  /** Asks for anything, as an admin. */
  async fetch(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = { ...authorization("admin"), ...(init.headers as Record<string, string>) };
    return await fetch(`${this.server.url}${path}`, { ...init, headers });
  }

  /** Calls the API as an admin, and holds the answer against what the OpenAPI document says of it. */
  async call(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    const type = method === "PATCH" ? "application/merge-patch+json" : "application/json";
    const response = await fetch(`${this.server.url}/api/v1${path}`, {
      method,
      headers: { ...authorization("admin"), ...(body === undefined ? {} : { "Content-Type": type }), ...headers },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const contentType = response.headers.get("Content-Type")?.split(";", 1)[0] ?? "";
    const text = await response.text();
    const answer = {
      status: response.status,
      headers: response.headers,
      body: contentType.endsWith("json") ? (JSON.parse(text) as unknown) : text,
    };
    this.#hold(method, path, answer, contentType);
    return answer;
  }

  /** Calls what is to be refused; checks status and kind. */
  async refused(kind: string, method: string, path: string, body?: unknown, headers?: Record<string, string>) {
    const answer = await this.call(method, path, body, headers);
    const problem = answer.body as ProblemBody;
    assert.equal(problem.type, `urn:steadycast:problem:${kind}`, JSON.stringify(problem));
    assert.equal(problem.status, answer.status);
    return { ...problem, headers: answer.headers };
  }

  /** The operation that the document describes for a request. */
  operation(method: string, path: string): Json | undefined {
    const [bare = ""] = `/api/v1${path}`.split("?", 1);
    for (const [template, item] of Object.entries(this.#document.paths as Json)) {
      const pattern = new RegExp(`^${template.replaceAll(".", "\\.").replaceAll(/\{\w+\}/g, "[^/]+")}$`);
      if (pattern.test(bare)) return (item as Json)[method.toLowerCase()] as Json | undefined;
    }
    return undefined;
  }

  get document(): Json {
    return this.#document;
  }

  #hold(method: string, path: string, { status, body }: Answer, contentType: string): void {
    const operation = this.operation(method, path);
    const root = this.#document;
    if (operation === undefined) {
      if (status < 400) return;
      assert.deepEqual(violations({ $ref: "#/components/schemas/Problem" }, body, root), []);
      return;
    }
    const described = (operation.responses as Json)[status] as Json | undefined;
    assert.ok(described !== undefined, `${method} ${path}: ${status} is not described`);
    if (status === 204 || status === 304) return;
    const media = (described.content as Json)[contentType] as Json | undefined;
    assert.ok(media !== undefined, `${method} ${path}: ${status} as ${contentType} is not described`);
    if (media.schema !== undefined) assert.deepEqual(violations(media.schema as Json, body, root), []);
  }
}
