import assert from "node:assert/strict";
import test from "node:test";
import type { CommandResult, RunCommand } from "../../../src/system/command.ts";
import { parseAnswer, readTime } from "../../../src/system/time/reading.ts";
import { answered, notBooted, show, unanswered } from "./recordings.ts";

const said = (stdout: string): CommandResult => ({ ok: true, stdout, truncated: false });
const failed: CommandResult = { ok: false, code: 1, why: notBooted, stdout: "", stderr: notBooted };

test("the state of the clock and the last answer are read", async () => {
  const run: RunCommand = async (program) =>
    said(program === "timedatectl" ? show({ RTCTimeUSec: "Sun 2026-11-22 07:25:41 UTC" }) : answered);
  assert.deepEqual(await readTime(run), {
    ...{ synchronized: true, ntp: true, zone: "Etc/UTC", rtc: "2026-11-22T07:25:41.000Z" },
    answer: {
      ...{ server: "time.example.net", address: "192.0.2.123", stratum: 2, interval: 64, ignored: false },
      // As `timedatectl timesync-status` printed it: +12.549ms.
      offsetMs: 12.549,
      ...{ received: "2026-11-22T07:25:01.001Z", mark: "1 1795332301001536" },
    },
  });
});

test("a machine without a battery's clock, and a server that has not answered", async () => {
  const run: RunCommand = async (program) =>
    said(program === "timedatectl" ? show({ NTPSynchronized: "no" }) : unanswered);
  assert.deepEqual(await readTime(run), { synchronized: false, ntp: true, zone: "Etc/UTC", rtc: null, answer: null });
});

test("a machine that tells nothing is unknown", async () => {
  assert.deepEqual(await readTime(async () => failed), {
    ...{ synchronized: null, ntp: null, zone: null, rtc: null, answer: null },
  });
});

test("an address of IPv6 is told as people write it", () => {
  const bytes = [0x20, 0x01, 0x0d, 0xb8, ...Array.from({ length: 11 }, () => 0), 0x01];
  const text = answered.replace("[2,[192,0,2,123]]", JSON.stringify([10, bytes]));
  assert.equal(parseAnswer(text)?.address, "2001:db8::1");
});

test("what is not an answer is none", () => {
  for (const text of ["", "{}", "null\nnull\nnull\nnull", answered.replace("1795332301013771", '"x"'), "[1"]) {
    assert.equal(parseAnswer(text), null);
  }
});
