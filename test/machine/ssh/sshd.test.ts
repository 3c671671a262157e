/** The box's settings for sshd, in OpenSSH's own server: who is let in, and what for. */
import assert from "node:assert/strict";
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import test, { type TestContext } from "node:test";
import { promisify } from "node:util";
import { config as schema } from "../../../src/config/schema.ts";
import { SystemdSsh } from "../../../src/system/ssh/adapters.ts";

const run = promisify(execFile);
const LIMIT = { timeout: 60_000, skip: process.getuid?.() === 0 ? false : "another user's log-in takes root" };
const SETTINGS = resolve("rootfs/usr/lib/steadycast/sshd_config");
/** Nobody has these numbers. */
const [ADMIN, SUPERVISOR] = [64124, 64125];

interface Result {
  code: number;
  out: string;
  told: string;
}

interface Server {
  folder: string;
  /** Makes a key and gives the line of its public half. */
  key(name: string, ...options: string[]): Promise<string>;
  /** As the supervisor does when the configuration names these keys. */
  allow(...keys: string[]): Promise<void>;
  ssh(key: string, ...args: string[]): Promise<Result>;
}

/** A real sshd for each connection, in a mount namespace that has the users and the folders of the box. */
async function serve(t: TestContext): Promise<Server> {
  const folder = await mkdtemp(join(tmpdir(), "steadycast-sshd-"));
  const at = (name: string) => join(folder, name);
  await chmod(folder, 0o755);
  await mkdir(at("run"));
  await run("chown", [String(SUPERVISOR), at("run")]);
  const [passwd, shadow] = await Promise.all([readFile("/etc/passwd", "utf8"), readFile("/etc/shadow", "utf8")]);
  // Without a password that could be right; admin's account is not locked ("!"), as in the images.
  const users = [
    `admin:x:${ADMIN}:${ADMIN}::/tmp:/bin/sh`,
    `steadycast:x:${SUPERVISOR}:${SUPERVISOR}::/:/usr/sbin/nologin`,
  ];
  await writeFile(at("passwd"), `${passwd}${users.join("\n")}\n`);
  await writeFile(at("shadow"), `${shadow}admin:*:19000::::::\nsteadycast:!*:19000::::::\n`, { mode: 0o600 });
  await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", at("host")]);

  const script = [
    ...[`mount --bind ${at("passwd")} /etc/passwd`, `mount --bind ${at("shadow")} /etc/shadow`],
    ...["mount -t tmpfs tmpfs /run", "mkdir /run/sshd /run/steadycast"],
    ...[`mount --bind ${at("run")} /run/steadycast`, `exec /usr/sbin/sshd -i -e -f ${SETTINGS} -h ${at("host")}`],
  ].join(" && ");
  const children = new Set<ChildProcess>();
  const listener = createServer({ pauseOnConnect: true }, (socket) => {
    const child = spawn("unshare", ["--mount", "sh", "-c", script], { stdio: [socket, socket, "ignore"] });
    children.add(child);
    child.once("exit", () => {
      children.delete(child);
      socket.destroy();
    });
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  const { port } = listener.address() as AddressInfo;
  t.after(async () => {
    listener.close();
    await Promise.all([...children].map((child) => once(child, "exit")));
    await rm(folder, { recursive: true });
  });

  const adapter = new SystemdSsh(async () => ({ ok: true, stdout: "", truncated: false }), at("run"));
  return {
    folder,
    key: async (name, ...options) => {
      await run("ssh-keygen", ["-q", ...options, "-N", "", "-C", `${name}, laptop`, "-f", at(name)]);
      return (await readFile(at(`${name}.pub`), "utf8")).trimEnd();
    },
    allow: async (...keys) => {
      const { ssh } = schema.parse({ version: 3, ssh: { enabled: true, keys } });
      assert.equal(await adapter.apply(ssh), "");
      await run("chown", [String(SUPERVISOR), at("run/authorized_keys")]);
    },
    ssh: async (key, ...args) => {
      const options = ["BatchMode=yes", "StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR"];
      const common = [
        ...["-F", "none", "-p", String(port), "-i", at(key), "-o", "IdentitiesOnly=yes"],
        ...options.flatMap((option) => ["-o", option]),
      ];
      const child = spawn("ssh", [...common, ...args], { stdio: ["ignore", "pipe", "pipe"] });
      let [out, told] = ["", ""];
      child.stdout.on("data", (text: Buffer) => (out += text.toString()));
      child.stderr.on("data", (text: Buffer) => (told += text.toString()));
      const [code] = (await once(child, "close")) as [number];
      return { code, out: out.trim(), told: told.trim() };
    },
  };
}

const HERE = "admin@127.0.0.1";

test("every kind of key that the configuration takes lets its owner in, who has no privileges", LIMIT, async (t) => {
  const { key, allow, ssh } = await serve(t);
  const kinds = { anna: ["-t", "ed25519"], bert: ["-t", "rsa", "-b", "2048"], cleo: ["-t", "ecdsa", "-b", "521"] };
  const keys = [];
  for (const [name, options] of Object.entries(kinds)) keys.push(await key(name, ...options));
  await allow(...keys);
  for (const name of Object.keys(kinds)) {
    const { code, out, told } = await ssh(name, HERE, "id -un; id -u");
    assert.deepEqual([code, out, told], [0, `admin\n${ADMIN}`, ""], name);
  }
});

test(
  "nobody else comes in: with another key, a key that has gone, a password, or as another user",
  LIMIT,
  async (t) => {
    const { key, allow, ssh } = await serve(t);
    const [anna, bert] = [await key("anna", "-t", "ed25519"), await key("bert", "-t", "ed25519")];
    await allow(anna);
    const DENIED = /Permission denied \(publickey\)\.$/;
    const refused = async (name: string, ...args: string[]) => {
      const { code, told } = await ssh(name, ...args, "true");
      assert.equal(code, 255, told);
      assert.match(told, DENIED);
    };
    assert.equal((await ssh("anna", HERE, "true")).code, 0);
    await refused("bert", HERE);
    await refused("anna", "-o", "PreferredAuthentications=password,keyboard-interactive,hostbased", HERE);
    await refused("anna", "root@127.0.0.1");
    await refused("anna", "steadycast@127.0.0.1");
    await allow(bert);
    assert.equal((await ssh("bert", HERE, "true")).code, 0);
    await refused("anna", HERE);
  },
);

test("it is a way to the box, and not through it", LIMIT, async (t) => {
  const { key, allow, ssh } = await serve(t);
  await allow(await key("anna", "-t", "ed25519"));
  const behind = createServer((socket) => socket.end("not to be seen\n")).listen(0, "127.0.0.1");
  t.after(() => behind.close());
  await once(behind, "listening");
  const { port } = behind.address() as AddressInfo;
  const forwarded = await ssh("anna", "-W", `127.0.0.1:${port}`, HERE);
  assert.equal(forwarded.code, 255);
  assert.doesNotMatch(forwarded.out, /not to be seen/);
  assert.match(forwarded.told, /prohibited|forwarding failed/);
});
