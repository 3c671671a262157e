/**
 * Goes to every route as everybody, and holds what happens against what the OpenAPI document promises: the routes come from
 * the folder of routes and the expectation from the document, so no new route can be forgotten.
 */
import assert from "node:assert/strict";
import test, { type TestContext } from "node:test";
import { type Principal, type Role, roles, type Scope, scopes } from "../../src/access/principal.ts";
import { openapi } from "../../src/api/openapi.ts";
import { ApiServer } from "../../src/api/server.ts";
import { AccessBox } from "../access/support/box.ts";
import { Box } from "./support/box.ts";
import { everyRoute } from "./support/everyRoute.ts";

interface Operation {
  operationId: string;
  "x-role": Role | "public" | "setup";
  "x-scope"?: Scope;
  "x-own-machine"?: true;
  security: object[];
  responses: Record<string, unknown>;
}

interface Place {
  method: string;
  url: string;
  operation: Operation;
}

/** A box with every route, whose handlers only note that they were reached. */
class Maze {
  readonly reached: string[] = [];
  places: Place[] = [];
  readonly box: Box;

  private constructor(box: Box) {
    this.box = box;
  }

  static async start(t: TestContext, people: AccessBox): Promise<Maze> {
    const { access } = people;
    const all = await everyRoute();
    const { bus, config, channels, folder } = new Box();
    const own = new ApiServer({ port: 0, webFolder: folder, version: "1", bus, config, channels, access });
    for (const { id } of own.routes) all.delete(id);
    const box = new Box({ access, routes: [...all.values()] });
    await box.config.start();
    await box.server.start();
    t.after(() => box.server.stop());
    const maze = new Maze(box);
    const document = openapi(box.server.routes, "1") as { paths: Record<string, Record<string, Operation>> };
    for (const [template, item] of Object.entries(document.paths)) {
      for (const [method, operation] of Object.entries(item)) {
        const url = box.server.url + template.replaceAll(/\{\w+\}/g, "x");
        maze.places.push({ method: method.toUpperCase(), url, operation });
      }
    }
    for (const route of box.server.routes) {
      route.handle = (ctx) => {
        maze.reached.push(route.id);
        ctx.status = 204;
      };
    }
    return maze;
  }

  /** Goes everywhere; gives what did not happen as `expected` says: a status, or 204 where the handler is to be reached. */
  async walk(who: string, headers: Record<string, string>, expected: (place: Place) => number): Promise<string[]> {
    const wrong: string[] = [];
    for (const place of this.places) {
      const { method, url, operation } = place;
      const before = this.reached.length;
      const { status } = await fetch(url, { method, headers });
      const through = this.reached.slice(before);
      const wanted = expected(place);
      const right = status === wanted && (wanted === 204) === (through.length === 1);
      if (!right) wrong.push(`${who}: ${operation.operationId} ${status}, not ${wanted}; reached ${through}`);
      if (!(status === 204 || status in operation.responses))
        wrong.push(`${operation.operationId}: ${status} is not told`);
    }
    return wrong;
  }
}

const isChange = ({ method }: Place) => method !== "GET";
const isAtLeast = (role: Role, least: Role) => roles.indexOf(role) >= roles.indexOf(least);

/** What somebody with a role is answered. */
function byRole(role: Role, { operation }: Place): number {
  const least = operation["x-role"];
  if (least === "public") return 204;
  return least !== "setup" && isAtLeast(role, least) ? 204 : 403;
}

/** They ask from this machine. */
const nobody = ({ operation }: Place) => (operation["x-role"] === "public" || operation["x-own-machine"] ? 204 : 401);

test("every route lets in whom its description names, and nobody else", async (t) => {
  const people = await AccessBox.ready();
  for (const role of ["viewer", "operator"] as const) await people.add(role, role);
  const maze = await Maze.start(t, people);
  assert.ok(maze.places.length >= 60, `only ${maze.places.length} routes`);
  const own = { Origin: maze.box.server.url, "Steadycast-Request": "1" };
  const cookie = (session: string) => ({ ...own, Cookie: `steadycast_session=${session}` });
  const wrong: string[] = [];
  const walk = async (...args: Parameters<Maze["walk"]>) => wrong.push(...(await maze.walk(...args)));
  const token = async (principal: Principal, role: Role, limited?: readonly Scope[], expires?: Date) => {
    const made = await people.access.tokens.add(principal, { name: "t", role, scopes: limited, expires });
    assert.ok(made.ok, JSON.stringify(made));
    return { Authorization: `Bearer ${made.token}` };
  };

  const old = await people.logIn("admin");
  const short = await token(old.principal, "admin", undefined, new Date(people.now().getTime() + 3600_000));
  await people.clock.advance(13 * 3600_000);

  await walk("nobody", {}, nobody);
  await walk("a page, logged out", own, nobody);
  await walk("expired session", cookie(old.session), nobody);
  await walk("expired token", short, nobody);
  await walk("invented session", cookie("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), nobody);
  await walk("invented token", { Authorization: "Bearer sc_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" }, nobody);

  for (const role of roles) {
    const { session, principal } = await people.logIn(role);
    await walk(`${role}`, cookie(session), (place) => byRole(role, place));
    const careless = (place: Place) => (isChange(place) ? 403 : byRole(role, place));
    const foreign = { ...cookie(session), Origin: "https://evil.example" };
    await walk(`${role}, wrong origin`, foreign, careless);
    const { "Steadycast-Request": _, ...headless } = cookie(session);
    await walk(`${role}, missing header`, headless, careless);
    await walk(`${role}, no origin`, { ...headless, Origin: "", "Steadycast-Request": "1" }, careless);
    await walk(`${role}, token`, await token(principal, role), (place) => byRole(role, place));
    for (const scope of scopes) {
      const others = await token(
        principal,
        role,
        scopes.filter((one) => one !== scope),
      );
      await walk(`${role}, all but ${scope}`, others, (place) =>
        place.operation["x-scope"] === scope ? 403 : byRole(role, place),
      );
      await walk(`${role}, ${scope} alone`, await token(principal, role, [scope]), (place) =>
        place.operation["x-scope"] === scope || place.operation["x-scope"] === undefined ? byRole(role, place) : 403,
      );
    }
    await people.access.logOut(principal);
    await walk(`${role}, logged out`, cookie(session), nobody);
  }
  assert.deepEqual(wrong, []);
});

test("before it is set up, a box lets nobody do anything else", async (t) => {
  const people = await AccessBox.start();
  const maze = await Maze.start(t, people);
  const first = await people.logIn("admin", { password: "admin", address: "127.0.0.1" });
  const headers = {
    Origin: maze.box.server.url,
    "Steadycast-Request": "1",
    Cookie: `steadycast_session=${first.session}`,
  };
  const wrong = await maze.walk("set-up", headers, ({ operation }) =>
    ["setup", "public"].includes(operation["x-role"]) ? 204 : 403,
  );
  wrong.push(...(await maze.walk("nobody", {}, nobody)));
  assert.deepEqual(wrong, []);
});

test("what is public is known and short", async () => {
  const open = [...(await everyRoute()).values()].filter(({ access }) => typeof access === "string");
  assert.deepEqual(open.map(({ method, path, access }) => `${method} ${path} ${access}`).sort(), [
    "delete /session public",
    "get /session public",
    "post /session public",
    "post /setup setup",
  ]);
});
