/** Ways into a box that runs: by its own socket, or by log-in as a browser does it. */
import assert from "node:assert/strict";
import { request } from "node:http";
import { join } from "node:path";

/** What the box is set up with by `setUp`. */
export const PASSWORD = "correct horse battery staple";

/** Asks over the socket in a runtime folder, as an admin and without limits. Like fetch, for bodies of text. */
export function fetchLocally(
  runtimeFolder: string,
  path: string,
  { method = "GET", headers = {}, body }: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<Response> {
  const socketPath = join(runtimeFolder, "api.sock");
  return new Promise((resolve, reject) => {
    // A connection of its own each time: one that is kept may belong to a supervisor that was killed meanwhile.
    const call = request({ socketPath, path, method, agent: false, headers: { host: "box", ...headers } }, (answer) => {
      const chunks: Uint8Array[] = [];
      answer.on("data", (chunk: Uint8Array) => chunks.push(chunk));
      answer.on("error", reject);
      answer.on("end", () => {
        const { statusCode: status = 0, headersDistinct } = answer;
        const heads = Object.entries(headersDistinct).flatMap(([name, values = []]) =>
          values.map((value): [string, string] => [name, value]),
        );
        const empty = [204, 304].includes(status);
        resolve(new Response(empty ? null : Buffer.concat(chunks), { status, headers: heads }));
      });
    });
    call.on("error", reject);
    call.end(body);
  });
}

/** Somebody who is logged in with a browser. */
export class Session {
  readonly url: string;
  readonly cookie: { name: string; value: string };

  constructor(url: string, cookie: { name: string; value: string }) {
    this.url = url;
    this.cookie = cookie;
  }

  /** What a page of the box sends with every request. */
  get headers(): Record<string, string> {
    const { name, value } = this.cookie;
    return { Cookie: `${name}=${value}`, Origin: this.url, "Steadycast-Request": "1" };
  }

  async call(method: string, path: string, body?: unknown): Promise<Response> {
    const type = body === undefined ? {} : { "Content-Type": "application/json" };
    return await fetch(`${this.url}/api/v1${path}`, {
      ...{ method, headers: { ...this.headers, ...type } },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }

  /** Logs the pages of a browser's context in. */
  async into(context: { addCookies(cookies: { name: string; value: string; url: string }[]): Promise<void> }) {
    await context.addCookies([{ ...this.cookie, url: this.url }]);
  }

  /** A new API token. */
  async token(name: string, role: "viewer" | "operator" | "admin", scopes?: readonly string[]): Promise<string> {
    const answer = await this.call("POST", "/tokens", { name, role, ...(scopes === undefined ? {} : { scopes }) });
    assert.ok(answer.ok, `POST /tokens: ${answer.status} ${await answer.clone().text()}`);
    return ((await answer.json()) as { token: string }).token;
  }
}

/** Logs in with a password. */
export async function logIn(url: string, user: string, password: string): Promise<Session> {
  return sessionOf(url, "POST /session", await post(url, "/session", { user, password }));
}

/** Sets up a box that is as it came: logs in as admin/admin from this machine and sets the password. */
export async function setUp(url: string, password = PASSWORD): Promise<Session> {
  const first = await logIn(url, "admin", "admin");
  return sessionOf(url, "POST /setup", await post(url, "/setup", { password }, first.headers));
}

async function post(url: string, path: string, body: object, headers: Record<string, string> = {}): Promise<Response> {
  return await fetch(`${url}/api/v1${path}`, {
    method: "POST",
    headers: { "Content-Type": "application/json", "Steadycast-Request": "1", Origin: url, ...headers },
    body: JSON.stringify(body),
  });
}

async function sessionOf(url: string, what: string, answer: Response): Promise<Session> {
  assert.ok(answer.ok, `${what}: ${answer.status} ${await answer.clone().text()}`);
  const found = answer.headers
    .getSetCookie()
    .map((line) => /^((?:__Host-)?steadycast_session)=([^;]+)/.exec(line))
    .find((match) => match !== null);
  assert.ok(found, `${what} sets no session cookie`);
  const [, name = "", value = ""] = found;
  return new Session(url, { name, value });
}
