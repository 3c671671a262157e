/** SSH to the emulated box: closed by default, open by key while it is switched on, closed again. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { buildImage, type EmulatedBox } from "./support/emulatedBox.ts";
import { boxOnAir } from "./support/onAir.ts";
import { stepsBy } from "./support/steps.ts";

/** Asks the API in the box over its own socket: METHOD, path, body in base64. */
const ASK = `
  const [method, path, body] = process.argv.slice(1);
  const headers = { "content-type": "application/json" };
  require("http")
    .request({ socketPath: "/run/steadycast/api.sock", method, path: "/api/v1" + path, headers }, (answer) => {
      console.log(answer.statusCode);
      answer.pipe(process.stdout);
    })
    .end(Buffer.from(body, "base64"));`.replaceAll(/\s*\n\s*/g, " ");

describe("SSH", { timeout: 480_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), "steadycast-ssh-"));
  let box: EmulatedBox;
  let port = 0;
  const { step, more, show } = stepsBy(() => box.seconds);

  before(async () => {
    box = await boxOnAir(buildImage());
    // The firewall is in between, as for everybody in the network.
    await box.qmp("human-monitor-command", { "command-line": "hostfwd_add net tcp:127.0.0.1:0-:22" });
    const told = String(await box.qmp("human-monitor-command", { "command-line": "info usernet" }));
    port = Number(/HOST_FORWARD\]\s+\d+\s+127\.0\.0\.1\s+(\d+)\s+\S+\s+22\b/.exec(told)?.[1]);
    for (const name of ["anna", "bert"])
      await run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", join(folder, name));
  });
  after(async () => {
    await box.remove();
    rmSync(folder, { recursive: true });
    show();
  });

  async function run(program: string, ...args: string[]) {
    const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
    let [out, told] = ["", ""];
    child.stdout.on("data", (text: Buffer) => (out += text.toString()));
    child.stderr.on("data", (text: Buffer) => (told += text.toString()));
    const [code] = (await once(child, "close")) as [number];
    return { code, out: out.trim(), told: told.trim() };
  }

  const keyOf = (name: string) => readFileSync(join(folder, `${name}.pub`), "utf8").trim();

  const ssh = (name: string, command: string, ...more: string[]) => {
    const options = ["BatchMode=yes", "StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR"];
    const limits = ["IdentitiesOnly=yes", "ConnectTimeout=30", "ServerAliveInterval=10", "ServerAliveCountMax=3"];
    const common = ["-F", "none", "-i", join(folder, name), "-p", String(port)];
    const set = [...options, ...limits].flatMap((option) => ["-o", option]);
    return run("ssh", ...common, ...more, ...set, "admin@127.0.0.1", command);
  };

  async function configure(settings: { enabled: boolean; keys?: string[] }): Promise<void> {
    const body = Buffer.from(JSON.stringify({ patch: { ssh: settings } })).toString("base64");
    assert.match((await box.shell(`node -e '${ASK}' POST /config/apply ${body}`)).text, /^200\n/);
  }

  /** Waits until the unit is in this state. */
  async function becomes(state: "active" | "inactive"): Promise<void> {
    const ask = "systemctl show -p ActiveState --value steadycast-ssh.service";
    const wait = `n=60; until [ "$(${ask})" = ${state} ] || [ $((n -= 1)) -lt 0 ]; do sleep 1; done; ${ask}`;
    assert.equal((await box.shell(wait, 120)).text, state);
  }

  const listening = async () => (await box.shell("ss -tlnH 'sport = :22'")).text;
  const letIn = async () => (await box.shell("nft list chain inet steadycast management | grep -c 'dport 22'")).text;

  test("nothing listens by default, and there is not even a key of the box", async () => {
    assert.equal(await listening(), "");
    assert.equal(await letIn(), "0");
    const units = await box.shell(
      "systemctl show -p ActiveState --value steadycast-ssh ssh.service ssh.socket | xargs",
    );
    assert.equal(units.text, "inactive inactive inactive");
    assert.equal(
      (await box.shell("ls -A /data/system/ssh /run/steadycast/authorized_keys")).text.includes("ed25519"),
      false,
    );
  });

  test("switched on, it lets in who has the key, for a look at the box without privileges", async () => {
    await configure({ enabled: true, keys: [keyOf("anna")] });
    await becomes("active");
    step("SSH is on");
    assert.match(await listening(), /:22 /);
    const { code, out, told } = await ssh(
      "anna",
      "id -un; journalctl -n 1 -q -o cat -u steadycast.service | wc -l; ss -ulnH | wc -l",
    );
    assert.equal(code, 0, told);
    const [user, lines] = out.split("\n");
    assert.deepEqual([user, lines], ["admin", "1"]);
    step("logged in");
    const forbidden = [
      ...["touch /data/system/x", "ls /data/steadycast", "cat /run/steadycast/authorized_keys", "cat /etc/shadow"],
      ...["systemctl stop steadycast.service", "systemctl restart systemd-networkd.service", "nft flush ruleset"],
    ];
    const attempts = forbidden.map((command) => `${command} >/dev/null 2>&1 && echo "${command}"`);
    assert.equal((await ssh("anna", `${attempts.join("; ")}; echo here >/tmp/note && cat /tmp/note`)).out, "here");
    assert.equal(
      (await ssh("anna", "i2cdetect -l >/dev/null && ip -br link >/dev/null && networkctl >/dev/null")).code,
      0,
    );
    // With a terminal, as people have it.
    assert.match((await ssh("anna", "tty", "-tt")).out, /^\/dev\/pts\/\d+/);
  });

  test("no other key, no password, no other user", async () => {
    for (const refused of [
      await ssh("bert", "true"),
      await ssh("anna", "true", "-o", "PreferredAuthentications=password,keyboard-interactive"),
      await ssh("anna", "true", "-l", "root"),
    ]) {
      assert.equal(refused.code, 255);
      assert.match(refused.told, /Permission denied \(publickey\)/);
    }
  });

  test("the unit is held", async () => {
    const { text } = await box.shell("systemd-analyze security --no-pager steadycast-ssh.service | tail -n 1");
    const [, exposure] = /level for steadycast-ssh.service: ([\d.]+)/.exec(text) ?? [];
    assert.ok(Number(exposure) <= 4.5, text);
    more(`exposure of steadycast-ssh.service: ${exposure}`);
    assert.equal((await box.shell("systemctl --failed --no-legend --plain")).text.trim(), "");
  });

  test("other keys end the sessions; off, it is closed, and on again it is the same box", async () => {
    const fingerprint = async () => (await box.shell("ssh-keygen -l -f /data/system/ssh/ed25519")).text;
    const known = await fingerprint();
    const session = ssh("anna", "touch /tmp/begun; exec sleep 600");
    assert.equal((await ssh("anna", "until [ -e /tmp/begun ]; do sleep 0.2; done")).code, 0);
    await configure({ enabled: true, keys: [keyOf("bert")] });
    assert.notEqual((await session).code, 0);
    step("the session of the old key has ended");
    await becomes("active");
    assert.equal((await ssh("bert", "true")).code, 0);
    await configure({ enabled: false });
    await becomes("inactive");
    assert.equal(await listening(), "");
    assert.equal(await letIn(), "0");
    step("SSH is off");
    // The firewall does not even answer.
    assert.equal((await ssh("bert", "true", "-o", "ConnectTimeout=10")).code, 255);
    await configure({ enabled: true });
    await becomes("active");
    assert.equal((await ssh("bert", "true")).code, 0);
    assert.equal(await fingerprint(), known);
    step("off and on again");
  });

  test("who logs in may start the supervisor again", async () => {
    const { code, told } = await ssh("bert", "systemctl restart --no-block steadycast.service");
    assert.equal(code, 0, told);
  });
});
