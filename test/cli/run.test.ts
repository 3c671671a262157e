import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer as createPlain } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import test, { type TestContext } from "node:test";
import { commands } from "../../src/cli/run.ts";
import { defaultConfig } from "../../src/config/schema.ts";
import { TlsBench } from "../access/tls/support.ts";
import { ESCAPE, FakeBox, type Given, onSocket, problem, steadycast } from "./support.ts";

async function onHttps(t: TestContext) {
  const { service } = await TlsBench.start();
  const box = new FakeBox();
  const server = createServer(service.context(), box.handle);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `https://localhost:${(server.address() as AddressInfo).port}`;
  const call = (line: string, env: Given["env"] = {}, given: Given = {}) =>
    steadycast(line.split(" "), { ...given, env: { STEADYCAST_URL: url, STEADYCAST_TOKEN: "sc_secret", ...env } });
  return { box, url, call, fingerprint: service.info()?.fingerprint ?? "" };
}

test("the help lists every command, and each command its options", async () => {
  const { code, out } = await steadycast(["--help"]);
  assert.equal(code, 0);
  for (const { name, options = {} } of commands) {
    assert.match(out, new RegExp(`^ {2}${name}\\b`, "m"));
    const own = await steadycast([...name.split(" "), "--help"]);
    for (const option of Object.keys(options)) assert.match(own.out, new RegExp(`^ {2}--${option}\\b`, "m"));
    assert.match(own.out, /Exit codes: 0 done/);
  }
});

test("a wrong command line is exit code 2, with what is wrong", async () => {
  for (const [line, message] of [
    ["nonsense", /There is no command "nonsense"/],
    ["config", /There is no command "config"/],
    ["config set /a", /Usage: steadycast config set <pointer> <value>/],
    ["config get a b", /Usage: steadycast config get \[pointer\]/],
    ["status --nonsense", /Unknown option '--nonsense'/],
    ["config confirm x", /revision must be a whole number, is "x"/],
    ["status --url http://192.0.2.1", /in the clear/],
    ["status --url https://box --fingerprint 12", /--fingerprint must be SHA256/],
    ["logs --level loud", /--level must be one of debug, info, warning, error/],
    ["token create robot", /token create takes --url/],
  ] as const) {
    const { code, out, error } = await steadycast(line.split(" "));
    assert.deepEqual([code, out], [2, ""], line);
    assert.match(error, message);
  }
  assert.equal((await steadycast([])).code, 2);
});

test("a box that is not there is exit code 3", async (t) => {
  const { call, folder } = await onSocket(t);
  const none = await steadycast(["status", "--socket", `${folder}/none.sock`]);
  assert.equal(none.code, 3);
  assert.match(none.error, /^No box runs here \(.*none\.sock\)/);
  assert.equal((await steadycast(["status", "--url", "https://127.0.0.1:1"])).code, 3);
  assert.equal((await call("status")).code, 1, "one that is there and refuses");
  const other = createPlain((_request, response) => response.writeHead(302, { Location: "https://elsewhere/" }).end());
  other.listen(0, "127.0.0.1");
  await once(other, "listening");
  t.after(() => other.close());
  const foreign = await steadycast(["status", "--url", `http://127.0.0.1:${(other.address() as AddressInfo).port}`]);
  assert.deepEqual(
    [foreign.code, foreign.error],
    [3, "What answers there is no Steadycast box (HTTP 302; it is at https://elsewhere/)\n"],
  );
});

test("status and channels", async (t) => {
  const { box, call } = await onSocket(t);
  const { channels } = defaultConfig();
  box.replies.set("GET /health", {
    status: "degraded",
    version: "1.2.3",
    uptimeSeconds: 93_784,
    revision: 7,
    configurationProblems: 0,
    checks: [],
  });
  box.replies.set("GET /channels", channels);
  box.replies.set("GET /channels/ch1/status", {
    ...{ state: "held", outputs: [{ url: "udp://@239.10.0.1:1234", state: "sending" }] },
    faults: [{ severity: "warning", message: "The source is gone" }],
  });
  const { code, out } = await call("status");
  assert.equal(code, 0);
  assert.match(out, /^State +degraded\nFirmware +1\.2\.3\nUp for +1 d 2 h 3 min\nConfiguration +revision 7\n/);
  assert.match(out, /^ch1 +Channel 1 +held +test +\S+ \d+x\d+ 3000 kbit\/s +udp:\/\/@239\.10\.0\.1:1234 \(sending\)$/m);
  assert.match(out, /^warning: ch1: The source is gone$/m);
  assert.ok(!out.includes(ESCAPE));
  assert.ok((await call("status", { isTerminal: true })).out.includes(`${ESCAPE}[1mID`));
  assert.ok(!(await call("status", { isTerminal: true, env: { NO_COLOR: "1" } })).out.includes(ESCAPE));
  const json = JSON.parse((await call("--json status")).out);
  assert.deepEqual([json.health.status, json.channels[0].state], ["degraded", "held"]);
  for (const order of ["start", "stop", "restart", "keyframe"]) {
    box.replies.set(`POST /channels/ch1/${order}`, (response) => response.writeHead(204).end());
    assert.equal((await call(`channel ${order} ch1`)).code, 0);
  }
  const missing = await call("channel stop a/b");
  assert.deepEqual([missing.code, missing.error], [1, "There is no such thing here: /channels/a%2Fb/stop\n"]);
});

test("logs: the newest last, without what commands a terminal; then what comes", async (t) => {
  const { box, call } = await onSocket(t);
  const line = (message: string) => ({
    cursor: "1",
    time: "2026-01-01T00:00:00.000Z",
    level: "info",
    source: "api",
    message,
  });
  box.replies.set("GET /logs", { lines: [line("second\u001b[2J"), line("first")], next: null });
  const { out } = await call("logs --lines 2 --level info --text s");
  assert.equal(
    out,
    "2026-01-01T00:00:00.000Z  info     api: first\n2026-01-01T00:00:00.000Z  info     api: second\ufffd[2J\n",
  );
  assert.equal(box.requests.at(-1)?.path, "/logs?limit=2&level=info&text=s");
  box.replies.set("GET /events", (response) => {
    response.write('event: beat\ndata: {}\n\nevent: log\ndata: {"level":"debug","source":"api","message":"small"}\n\n');
    response.end('event: log\ndata: {"level":"error","source":"api","message":"large"}\n\n');
  });
  const followed = await call("logs --follow --level warning");
  assert.deepEqual([followed.code, followed.error], [3, "The box has closed the connection\n"]);
  assert.match(followed.out, /second.*\n\S+ {2}error {4}api: large\n$/);
});

test("audit: list, check, export", async (t) => {
  const { box, call } = await onSocket(t);
  const who = { name: "anna", role: "admin", via: "session", address: "192.0.2.1" };
  const record = {
    seq: 9,
    time: "2026-01-01T00:00:00.000Z",
    who,
    what: "stopChannel",
    target: "/channels/ch1/stop",
    result: "done",
  };
  box.replies.set("GET /audit", { records: [record], next: 9 });
  const { out } = await call("audit --who anna --limit 1");
  assert.match(out, /^9 +2026-01-01T00:00:00\.000Z +anna +192\.0\.2\.1 +stopChannel +done +\/channels\/ch1\/stop$/m);
  assert.match(out, /More: steadycast audit --before 9\n$/);
  assert.equal(box.requests.at(-1)?.path, "/audit?limit=1&who=anna");
  box.replies.set("GET /audit/check", { ok: false, text: "The log is not as it was written: x." });
  const check = await call("audit check");
  assert.deepEqual([check.code, check.out], [1, "The log is not as it was written: x.\n"]);
  box.replies.set("GET /audit/export", (response) => response.end('{"seq":1}\n{"seq":2}\n'));
  assert.equal((await call("audit export")).out, '{"seq":1}\n{"seq":2}\n');
});

test("another box: its certificate is held against the fingerprint before the token is sent", async (t) => {
  const { box, call, fingerprint } = await onHttps(t);
  box.replies.set("GET /audit/check", { ok: true, text: "well" });
  const untrusted = await call("audit check");
  assert.equal(untrusted.code, 3);
  assert.match(untrusted.error, /is not trusted here/);
  assert.ok(untrusted.error.includes(fingerprint), untrusted.error);
  const other = await call("audit check", { STEADYCAST_FINGERPRINT: `SHA256:${"AB".repeat(32)}` });
  assert.equal(other.code, 3);
  assert.match(other.error, /is not the box that it should be/);
  assert.equal(box.requests.length, 0, "nothing was sent");
  for (const spelling of [
    fingerprint,
    fingerprint.slice(7),
    fingerprint.replaceAll(":", "").replace("SHA256", "sha256:").toLowerCase(),
  ]) {
    assert.equal((await call("audit check", { STEADYCAST_FINGERPRINT: spelling })).out, "well\n", spelling);
  }
  assert.equal((await call("audit check --insecure")).code, 0);
  assert.equal(box.requests.at(-1)?.headers.authorization, "Bearer sc_secret");
  box.replies.set("GET /audit/check", (response) =>
    problem(response, { status: 401, title: "Log in first", detail: "or send a token" }),
  );
  const refused = await call("audit check --insecure");
  assert.deepEqual([refused.code, refused.error], [1, "Log in first: or send a token\n"]);
  assert.doesNotMatch(refused.error, /sc_secret/);
});

test("a token is made by a log-in that ends right after", async (t) => {
  const { box, call, url } = await onHttps(t);
  box.replies.set("POST /session", (response) =>
    response
      .setHeader("Content-Type", "application/json")
      .setHeader("Set-Cookie", "__Host-steadycast_session=abc; Path=/; Secure")
      .end("{}"),
  );
  box.replies.set("POST /tokens", { id: "t1", token: "sc_new" });
  box.replies.set("DELETE /session", (response) => response.writeHead(204).end());
  const line = "token create robot --user anna --role operator --scopes channels,status --days 30 --insecure";
  const { code, out } = await call(line, { STEADYCAST_TOKEN: "" }, { password: "battery staple" });
  assert.deepEqual([code, out], [0, "sc_new\n"]);
  assert.deepEqual(box.asked("POST", "/session")?.body, { user: "anna", password: "battery staple" });
  const made = box.asked("POST", "/tokens");
  assert.ok(made !== undefined);
  const { expires, ...rest } = made.body as { expires: string };
  assert.deepEqual(rest, { name: "robot", role: "operator", scopes: ["channels", "status"] });
  assert.ok(Date.parse(expires) > Date.now());
  const { cookie, origin } = made.headers;
  assert.deepEqual([cookie, origin, made.headers["steadycast-request"]], ["__Host-steadycast_session=abc", url, "1"]);
  assert.ok(box.asked("DELETE", "/session"));
});
