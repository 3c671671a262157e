import assert from "node:assert/strict";
import test from "node:test";
import type { RunCommand } from "../../../src/system/command.ts";
import { Journal } from "../../../src/system/logs/journal.ts";
import { everything } from "../../../src/system/logs/line.ts";

/** As journalctl of systemd 252 printed them. */
const cursor =
  "s=6505c2cd0a9d4bdeb5123ffe1d0e1f5a;i=159;b=ae1fc3e969f14e62a59624807b07bbe6;m=65242d8bd;t=660d85a60c3ed;x=fd0b42888d588d29";
const kernel = `{"PRIORITY":"4","__CURSOR":"${cursor}","_BOOT_ID":"ae1fc3e969f14e62a59624807b07bbe6","SYSLOG_IDENTIFIER":"kernel","MESSAGE":"hrtimer: interrupt took 7661 ns","__REALTIME_TIMESTAMP":"1795332205757519","__MONOTONIC_TIMESTAMP":"27149916355"}`;
const program = `{"__CURSOR":"${cursor}","PRIORITY":"4","SYSLOG_IDENTIFIER":"myprog","__MONOTONIC_TIMESTAMP":"27150910002","MESSAGE":"hello system","_PID":"68","__REALTIME_TIMESTAMP":"1795332206751166"}`;
const binary = `{"MESSAGE":[98,105,110,1,97,114,121,32,255,32,98,121,116,101,115],"SYSLOG_IDENTIFIER":"odd","__REALTIME_TIMESTAMP":"1795332206756181","_PID":"70","PRIORITY":"3","__CURSOR":"${cursor}"}`;
const long = `{"MESSAGE":null,"__REALTIME_TIMESTAMP":"1795332206756181","__CURSOR":"${cursor}"}`;

function journal(stdout: string, truncated = false) {
  const calls: (readonly string[])[] = [];
  const run: RunCommand = async (program, args) => {
    calls.push([program, ...args]);
    return { ok: true, stdout, truncated };
  };
  return { calls, journal: new Journal(run) };
}

test("what the kernel says is read", async () => {
  const { calls, journal: kernelLog } = journal(`${kernel}\n`);
  const page = await kernelLog.page({ ...everything, source: "kernel" }, undefined, 10);
  assert.deepEqual(page, {
    lines: [
      {
        ...{ cursor, time: "2026-11-22T07:23:25.757Z", level: "warning", source: "kernel" },
        message: "hrtimer: interrupt took 7661 ns",
      },
    ],
    next: null,
  });
  assert.deepEqual(calls, [
    [
      ...["journalctl", "--no-pager", "--quiet", "--reverse", "--output=json", "--lines=10"],
      ...["--output-fields=MESSAGE,PRIORITY,SYSLOG_IDENTIFIER,_PID", "_TRANSPORT=kernel"],
    ],
  ]);
});

test("programs are told with their names; what is not text, or too long, is told all the same", async () => {
  const { journal: system } = journal(`${program}\n${binary}\n${long}\n{"cut":\n`);
  const page = await system.page({ ...everything, source: "system" }, undefined, 10);
  assert("lines" in page);
  assert.deepEqual(
    page.lines.map(({ level, message }) => [level, message]),
    [
      ["warning", "myprog[68]: hello system"],
      ["error", "odd[70]: bin\u0001ary \ufffd bytes"],
      ["info", "(too long to be shown)"],
    ],
  );
});

test("level and cursor are the journal's matter, the text is ours", async () => {
  const { calls, journal: system } = journal(`${program}\n${binary}\n`);
  const filter = { level: "warning", source: "system", text: "HELLO" } as const;
  const page = await system.page(filter, cursor, 1);
  assert("lines" in page);
  assert.deepEqual(
    page.lines.map(({ message }) => message),
    ["myprog[68]: hello system"],
  );
  const args = calls[0]?.join(" ") ?? "";
  assert.match(args, /--lines=5000 .*--priority=4 --after-cursor=s=6505\S+ _TRANSPORT=journal _TRANSPORT=syslog/);
});

test("a page that is full tells where the next one goes on", async () => {
  const { journal: system } = journal(`${program}\n${binary}\n`);
  const page = await system.page({ ...everything, source: "system" }, undefined, 2);
  assert.equal("lines" in page && page.next, cursor);
});

test("a cursor that is none never reaches the command, and its failure is told", async () => {
  const { calls, journal: system } = journal("");
  const filter = { ...everything, source: "system" };
  assert.deepEqual(await system.page(filter, "x --vacuum-size=1", 2), {
    failed: "that is no cursor of the journal",
    cursor: true,
  });
  assert.deepEqual(calls, []);
  const failing = new Journal(async () => ({
    ok: false,
    code: 1,
    why: "journalctl: exit code 1",
    stdout: "",
    stderr: "",
  }));
  assert.deepEqual(await failing.page(filter, undefined, 2), { failed: "journalctl: exit code 1" });
});
