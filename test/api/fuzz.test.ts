/**
 * Ten thousand requests of all kinds, as a viewer and as an admin. STEADYCAST_FUZZ_SEED repeats a run, and each run tells
 * its seed when it fails.
 */
import assert from "node:assert/strict";
import { Agent, request } from "node:http";
import test from "node:test";
import type { Role } from "../../src/access/principal.ts";
import { openapi } from "../../src/api/openapi.ts";
import { PASSWORD } from "../access/support/box.ts";
import { Random } from "../support/random.ts";
import { everyRoute } from "./support/everyRoute.ts";
import { Fuzz } from "./support/fuzz.ts";
import { startWholeBox, type WholeBox } from "./support/wholeBox.ts";

type Json = Record<string, unknown>;

const seed = Number(process.env.STEADYCAST_FUZZ_SEED ?? 20_260_101);
const REQUESTS = 5000;

interface Shot {
  method: string;
  path: string;
  headers: Record<string, string>;
  body: string | undefined;
}

interface Operation {
  operationId: string;
  parameters?: { name: string; in: string }[];
  requestBody?: { content: Record<string, { schema: Json }> };
  responses: Record<string, unknown>;
}

/** Makes requests to each of the operations. */
class Gunner {
  readonly #random: Random;
  readonly #fuzz: Fuzz;
  readonly #places: { method: string; template: string; operation: Operation }[] = [];

  constructor(document: Json, random: Random) {
    this.#random = random;
    this.#fuzz = new Fuzz(random, (document.components as { schemas: Json }).schemas);
    for (const [template, item] of Object.entries(document.paths as Record<string, Record<string, Operation>>)) {
      for (const [method, operation] of Object.entries(item)) {
        this.#places.push({ method: method.toUpperCase(), template, operation });
      }
    }
  }

  shot(n: number): Shot {
    const random = this.#random;
    const place = this.#places[n % this.#places.length];
    assert.ok(place);
    const { template, operation } = place;
    const path = template.replaceAll(/\{\w+\}/g, () =>
      encodeURIComponent(wellFormed(this.#fuzz.word())).slice(0, 2000),
    );
    const query = (operation.parameters ?? []).filter((one) => one.in === "query" && random.chance(0.5));
    const search = query.map(({ name }) => `${name}=${encodeURIComponent(wellFormed(this.#fuzz.word()))}`).join("&");
    const headers: Record<string, string> = {};
    if (random.chance(0.1)) headers["If-Match"] = random.pick(['"1-x"', "*", "nonsense", 'W/"1"', '"", ""']);
    if (random.chance(0.1)) headers["If-None-Match"] = random.pick(["*", '"x"', ","]);
    if (random.chance(0.05)) headers["If-Modified-Since"] = random.pick(["yesterday", new Date(0).toUTCString()]);
    if (random.chance(0.05)) headers.Range = "bytes=5-1";
    if (random.chance(0.05)) headers.Accept = random.pick(["text/plain", "*/*;q=x", ","]);
    if (random.chance(0.05)) headers.Cookie = random.pick(["=", ";;;", "steadycast_session=", "a=b; a=c"]);
    const [type, media] = random.pick(Object.entries(operation.requestBody?.content ?? { "": { schema: {} } }));
    const isOwed = operation.requestBody !== undefined;
    const body = isOwed ? this.#fuzz.body(media.schema) : random.chance(0.05) ? "surprise" : undefined;
    if (body !== undefined) {
      const others = ["text/plain", "application/json; charset=utf-16", "multipart/form-data", ";"];
      headers["Content-Type"] = random.chance(0.95) ? type || "application/json" : random.pick(others);
    }
    const method = random.chance(0.97) ? place.method : random.pick(["HEAD", "PUT", "PATCH", "DELETE", "POST", "LOCK"]);
    return { method, path: `${path}${search === "" ? "" : `?${search}`}`, headers, body };
  }
}

function wellFormed(text: string): string {
  return Buffer.from(text).toString();
}

const agent = new Agent({ keepAlive: true, maxSockets: 8 });

function fire(base: string, { method, path, body, ...shot }: Shot): Promise<{ status: number; text: string }> {
  // Node leaves it out of methods that should have no body.
  const length = body === undefined ? {} : { "Content-Length": String(Buffer.byteLength(body)) };
  const headers = { ...shot.headers, ...length };
  return new Promise((resolve, reject) => {
    const call = request(`${base}${path}`, { method, headers, agent, timeout: 20_000 }, (answer) => {
      const status = answer.statusCode ?? 0;
      if (answer.headers["content-type"] === "text/event-stream" && method !== "HEAD") {
        answer.destroy();
        resolve({ status, text: "" });
        return;
      }
      let text = "";
      answer.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
      answer.on("end", () => resolve({ status, text })).on("error", reject);
    });
    call.on("error", reject).on("timeout", () => call.destroy(new Error("no answer in 20 s")));
    call.end(body);
  });
}

/** A token of that role; what the shots have done to the users before is undone. */
async function tokenFor({ people }: WholeBox, role: Role): Promise<string> {
  const { access } = people;
  await access.users.clear();
  await people.setUp(PASSWORD);
  const { principal } = await people.logIn("admin");
  const made = await access.tokens.add(principal, { name: "fuzz", role });
  assert.ok(made.ok);
  return made.token;
}

function told(shot: Shot, n: number): string {
  return `seed ${seed}, request ${n}: ${JSON.stringify(shot).slice(0, 1500)}`;
}

/** 503 is an answer of a box that is well when it says so itself. */
function isFailure(status: number, text: string): boolean {
  return status >= 500 && !(status === 503 && text.includes("urn:steadycast:problem:unavailable"));
}

test("every route is shot at", async (t) => {
  const { box } = await startWholeBox(t);
  const missing = new Set((await everyRoute()).keys());
  for (const { id } of box.server.routes) missing.delete(id);
  assert.deepEqual([...missing], [], "wholeBox.ts lacks their service");
});

for (const role of ["viewer", "admin"] as const) {
  test(`${REQUESTS} requests of a ${role} break nothing, and those that are refused change nothing`, async (t) => {
    t.after(() => agent.destroy());
    const whole = await startWholeBox(t);
    const { box } = whole;
    const document = openapi(box.server.routes, "1");
    const gunner = new Gunner(document, new Random(seed + role.length));
    let token = await tokenFor(whole, role);
    const before = box.config.tag;
    const statuses = new Map<number, number>();
    const lines = () => box.logged.filter(({ level }) => level === "error").map(({ message }) => message.slice(0, 500));
    for (let n = 0; n < REQUESTS; n++) {
      const shot = gunner.shot(n);
      const tag = box.config.tag;
      const headers = { ...shot.headers, Authorization: `Bearer ${token}` };
      const { status, text } = await fire(box.server.url, { ...shot, headers }).catch((cause) => {
        throw new Error(`${told(shot, n)}: ${cause}`, { cause });
      });
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      assert.ok(!isFailure(status, text), `${told(shot, n)}: ${status} ${text.slice(0, 300)} ${lines().join("\n")}`);
      if (status >= 400) assert.equal(box.config.tag, tag, told(shot, n));
      if (role === "viewer") assert.equal(box.config.tag, before, told(shot, n));
      if (status === 401) token = await tokenFor(whole, role);
    }
    assert.deepEqual(lines(), []);
    const good = [...statuses].filter(([status]) => status < 400).reduce((sum, [, count]) => sum + count, 0);
    assert.ok(good > REQUESTS / 20, `${role}: hardly anything was right: ${JSON.stringify([...statuses])}`);
    t.diagnostic(`${role}: ${JSON.stringify(Object.fromEntries([...statuses].sort()))}`);
  });
}
