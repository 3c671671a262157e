/** A cold boot of the emulated box: from U-Boot to datagrams on the wire, with the time of each step. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { buildImage, EmulatedBox } from "./support/emulatedBox.ts";
import { stepsBy } from "./support/steps.ts";

const PACKET = 188;

describe("a cold boot", { timeout: 480_000 }, () => {
  let box: EmulatedBox;
  const { step, more, show } = stepsBy(() => box.seconds);

  before(async () => {
    box = new EmulatedBox(buildImage());
    await box.start();
  });
  after(async () => {
    await box.remove();
    show();
  });

  test("comes to datagrams on the wire and an API that answers", async () => {
    const streamed = new Promise<void>((resolve) => {
      box.onDatagram(({ destination, port, payload }) => {
        if (destination !== "239.10.0.1" || port !== 1234) return;
        step(`first datagram of channel 1: ${payload.length} bytes`);
        assert.equal(payload.length % PACKET, 0);
        for (let at = 0; at < payload.length; at += PACKET) assert.equal(payload[at], 0x47);
        box.onDatagram(() => {});
        resolve();
      });
    });
    let at = await box.shows(/Steadycast: boot script/);
    step("U-Boot runs the boot script");
    at = await box.shows(/Steadycast: booting slot A, attempts left after this one: 2/, at);
    step("slot A is chosen");
    at = await box.shows(/Booting Linux/, at);
    step("the kernel starts");
    at = await box.shows(/Welcome to/, at);
    step("systemd starts");
    await box.shellReady();
    step("the console answers");
    assert.equal(await box.apiReady(), 200);
    step("the API answers");
    await streamed;
  });

  test("no unit has failed, nothing waits, no ordering cycle", async () => {
    const state = await box.shell("systemctl is-system-running --wait", 120);
    step(`systemd: ${state.text}`);
    const failed = await box.shell("systemctl --failed --no-legend --plain; systemctl list-jobs --no-legend");
    assert.equal(failed.text.replace("No jobs running.", "").trim(), "");
    assert.equal(state.text, "running");
    const journal = await box.shell(
      "journalctl -b --no-pager -o cat | grep -iE 'ordering cycle|deleted to break' || true",
    );
    assert.equal(journal.text, "");
    const times = await box.shell("systemd-analyze time");
    more(...times.text.split("\n"));
  });

  test("nothing listens but the supervisor and its media", async () => {
    const { text } = await box.shell("ss -tulpnH");
    const foreign = text.split("\n").filter((line) => !/users:\(\("(node|transmit|encode|output)"/.test(line));
    // Of networkd, for DHCP, and resolved, for mDNS.
    const expected = foreign.filter((line) => !/systemd-(network|resolve)/.test(line));
    assert.deepEqual(expected, []);
  });

  test("the root is read-only, and the data partition has the rest of the disk", async () => {
    const mounts = await box.shell(
      "findmnt -no OPTIONS /; findmnt -no SOURCE,FSTYPE,OPTIONS /data; df -B1M --output=size /data",
    );
    const [root, data, , size] = mounts.text.split("\n");
    assert.match(root ?? "", /^ro,/);
    assert.match(data ?? "", /ext4.*nosuid,nodev,noexec/);
    assert.ok(Number(size) > 2000, `${size} MB`);
    assert.equal((await box.shell("touch /usr/x")).code, 1);
  });

  test("the supervisor is unprivileged, and tightly held", async () => {
    const { text } = await box.shell("systemd-analyze security --no-pager steadycast.service | tail -n 1");
    const [, exposure] = /level for steadycast.service: ([\d.]+)/.exec(text) ?? [];
    assert.ok(Number(exposure) <= 3, text);
    const { text: users } = await box.shell("ps -o user= -C node,transmit,encode | sort -u");
    assert.equal(users, "steadycast");
    more(`exposure of steadycast.service: ${exposure}`);
  });

  test("network, clock and host name are the supervisor's to set", async () => {
    const { text } = await box.shell(
      "journalctl -b -u steadycast --no-pager -o cat | grep -E '^(error|warning): (network|time)' || true",
    );
    assert.equal(text, "");
    assert.match((await box.shell("ip -br -4 address show eth0")).text, /10\.0\.2\.15\/24/);
  });

  test("the clock is that of the box", async () => {
    const { text } = await box.shell("date +%s");
    assert.ok(Math.abs(Number(text) - Date.now() / 1000) < 60, text);
  });

  test("the box is the same after a reboot", async () => {
    const identity = (await box.shell("cat /etc/machine-id")).text;
    assert.match(identity, /^[0-9a-f]{32}$/);
    assert.match((await box.shell("fw_printenv")).text, new RegExp(`MACHINE_ID=${identity}`));
    // The health gate has given the attempt back.
    assert.equal((await box.shell("systemctl start steadycast-good", 120)).code, 0);
    let at = box.console.length;
    await box.shell("systemctl --no-block reboot");
    at = await box.shows(/Steadycast: booting slot A, attempts left after this one: 2/, at);
    step("second boot");
    await box.shellReady(at);
    assert.equal((await box.shell("cat /etc/machine-id")).text, identity);
    await box.apiReady();
    step("the API answers again");
    assert.match((await box.shell("journalctl --list-boots --no-pager | grep -c '^ *-*[0-9]'")).text, /^2$/);
  });

  test("a system that does not start tries again", async () => {
    const at = box.console.length;
    await box.shell("systemctl --no-block emergency");
    await box.shows(/the system does not start, and tries again/, at);
    await box.shellReady(await box.shows(/Steadycast: booting slot A/, at));
    await box.apiReady();
    step("the API answers after a start that failed");
  });
});
