/** Backups sent to OpenSSH's own server. */
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { promisify } from "node:util";
import { systemClock } from "../../../src/board/ports.ts";
import { fromBytes } from "../../../src/config/backup/format.ts";
import { send } from "../../../src/system/backup/target.ts";
import { Bench } from "../../system/backup/support/bench.ts";

const run = promisify(execFile);
const PASSWORD = "sftp-secret-word";
const USER = "backup-test";
/** Nobody has this number. */
const ID = 64123;

const skip = process.getuid?.() === 0 ? false : "checking a password takes root";

interface Server {
  target: { type: "sftp"; host: string; port: number; user: string; password: string; path: string; hostKey: string };
  home: string;
  fingerprint: string;
  /** Gives the server another host key. */
  rekey(): Promise<void>;
  logged(): string;
}

/** A real sshd for each connection, in a mount namespace in which there is a user to log in as. */
async function serve(t: TestContext, settings: readonly string[] = []): Promise<Server> {
  const folder = await mkdtemp(join(tmpdir(), "steadycast-sftp-"));
  const at = (name: string) => join(folder, name);
  const home = at("home");
  await mkdir(home);
  await run("chown", [String(ID), home]);
  await run("chmod", ["755", folder]);
  const { stdout: hash } = await run("openssl", ["passwd", "-6", PASSWORD]);
  const [passwd, shadow] = await Promise.all([readFile("/etc/passwd", "utf8"), readFile("/etc/shadow", "utf8")]);
  await writeFile(at("passwd"), `${passwd}${USER}:x:${ID}:${ID}::${home}:/bin/sh\n`);
  await writeFile(at("shadow"), `${shadow}${USER}:${hash.trim()}:19000:0:99999:7:::\n`, { mode: 0o600 });
  // The first word on a setting counts.
  const config = [
    ...settings,
    ...[`HostKey ${at("key")}`, "UsePAM no", "PubkeyAuthentication no", "Subsystem sftp internal-sftp"],
  ];
  await writeFile(at("sshd_config"), `${config.join("\n")}\n`);
  const server: Server = {
    target: { type: "sftp", host: "127.0.0.1", port: 0, user: USER, password: PASSWORD, path: ".", hostKey: "" },
    ...{ home, fingerprint: "" },
    rekey: async () => {
      await Promise.all(["key", "key.pub"].map((name) => rm(at(name), { force: true })));
      await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", at("key")]);
      const { stdout } = await run("ssh-keygen", ["-l", "-f", at("key.pub")]);
      server.fingerprint = stdout.split(" ")[1] ?? "";
    },
    logged: () => lines.join(""),
  };
  await server.rekey();

  const lines: string[] = [];
  const script = [
    ...[`mount --bind ${at("passwd")} /etc/passwd`, `mount --bind ${at("shadow")} /etc/shadow`],
    ...["mount -t tmpfs tmpfs /run", "mkdir /run/sshd", `exec /usr/sbin/sshd -i -e -f ${at("sshd_config")}`],
  ].join(" && ");
  const children = new Set<Promise<unknown>>();
  const listener = createServer({ pauseOnConnect: true }, (socket) => {
    const child = spawn("unshare", ["--mount", "sh", "-c", script], { stdio: [socket, socket, "pipe"] });
    child.stderr?.on("data", (chunk: Buffer) => lines.push(chunk.toString()));
    const ended = once(child, "exit");
    children.add(ended);
    void ended.finally(() => socket.destroy());
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  server.target.port = (listener.address() as AddressInfo).port;
  t.after(async () => {
    listener.close();
    await Promise.all(children);
    await rm(folder, { recursive: true });
  });
  return server;
}

const parcel = { name: "box-2026-01-10-120000.json", bytes: new TextEncoder().encode('{"whole":true}') };
const options = () => ({ clock: systemClock, signal: new AbortController().signal });

test("a backup that is made arrives, and the server's key is kept and held to", { skip }, async (t) => {
  const server = await serve(t);
  const bench = await Bench.start("2026-01-10T12:00:00Z");
  t.after(() => bench.stop());
  await bench.set({ target: { ...server.target, path: "boxes" } });
  const made = await bench.daily.make();
  assert.ok(made.ok);
  const told = () => bench.daily.status().target;
  await bench.until(() => told()?.sent != null || told()?.failure != null);
  assert.equal(told()?.failure, null, server.logged());
  const path = join(server.home, "boxes");
  assert.deepEqual(await readdir(path), [made.backup.name]);
  const bytes = await readFile(join(path, made.backup.name));
  assert.ok(fromBytes(bytes).ok);
  assert.deepEqual(bytes, Buffer.from((await bench.daily.read(made.backup.name)) ?? []));
  assert.equal((await stat(join(path, made.backup.name))).mode & 0o777, 0o600);
  assert.equal(told()?.hostKey, server.fingerprint, "as ssh-keygen tells it");

  const old = server.fingerprint;
  await server.rekey();
  await bench.pass(60_000);
  await bench.daily.make();
  await bench.until(() => told()?.failure !== null);
  const words = `the server has the host key ${server.fingerprint}, and not ${old}`;
  assert.ok(told()?.failure?.reason.startsWith(words), told()?.failure?.reason);
  assert.equal((await readdir(path)).length, 1);
  await bench.set({ target: { ...server.target, path: "boxes", hostKey: server.fingerprint } });
  await bench.until(() => told()?.failure === null);
  assert.equal((await readdir(path)).length, 2);
  assert.equal(told()?.hostKey, server.fingerprint);
  assert.ok(!bench.logged.join().includes(PASSWORD));
});

test("sent twice, it is there once and whole", { skip }, async (t) => {
  const { target, home, logged, fingerprint } = await serve(t);
  for (let n = 0; n < 2; n++) {
    assert.deepEqual(await send(target, parcel, undefined, options()), { ok: true, hostKey: fingerprint }, logged());
  }
  assert.deepEqual(await readdir(home), [parcel.name]);
  assert.equal(await readFile(join(home, parcel.name), "utf8"), '{"whole":true}');
});

test("a server that asks for the password as a question gets it", { skip }, async (t) => {
  const questions = ["PasswordAuthentication no", "KbdInteractiveAuthentication yes"];
  const { target, home, logged } = await serve(t, [...questions, "UsePAM yes"]);
  const sent = await send(target, parcel, undefined, options());
  assert.ok(sent.ok, logged());
  assert.deepEqual(await readdir(home), [parcel.name]);
});

test("what goes wrong is told in words", { skip }, async (t) => {
  const { target, logged } = await serve(t);
  const reasonOf = async (change: Partial<typeof target>, known?: string) => {
    const sent = await send({ ...target, ...change }, parcel, known, options());
    assert.ok(!sent.ok, logged());
    assert.ok(!sent.reason.includes(PASSWORD));
    return sent.reason;
  };
  assert.equal(await reasonOf({ password: "wrong" }), "user or password is wrong");
  assert.equal(await reasonOf({ path: "a/b/c" }), "there is no such folder");
  assert.equal(await reasonOf({ path: "/" }), "the user may not write there");
  assert.match(await reasonOf({}, `SHA256:${"A".repeat(43)}`), /it is another one, or somebody is in between/);
  assert.equal(await reasonOf({ port: 1 }), "the server refuses connections");
});

test("a server that says nothing, or is no SSH server, is told", async (t) => {
  const listener = createServer((socket) => {
    socket.on("error", () => {});
    socket.end("HTTP/1.1 400 Bad Request\r\n\r\n");
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  t.after(() => listener.close());
  const { port } = listener.address() as AddressInfo;
  const target = { type: "sftp" as const, host: "127.0.0.1", port, user: "x", password: "y", path: ".", hostKey: "" };
  const sent = await send(target, parcel, undefined, options());
  assert.ok(!sent.ok);
  assert.match(sent.reason, /speaks no SSH|has cut the connection|does not answer/);
});
