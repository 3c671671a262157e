import assert from "node:assert/strict";
import test from "node:test";
import type { WorkStatus } from "../../src/update/status.ts";
import { attemptsWords, awayWords, doneWords, outcomeWords, slotWords } from "../../web/firmwareFormat.ts";
import { installedB, slotA, slotB } from "../browser/support/fakeFirmware.ts";

test("a slot's state is in words, with the starts that a trial has left", () => {
  assert.equal(slotWords(slotA).words, "Good");
  assert.equal(slotWords(slotB).words, "Empty");
  assert.equal(slotWords(installedB).words, "Installed, not started yet");
  assert.equal(slotWords({ ...installedB, running: true }).words, "On trial");
  assert.equal(attemptsWords({ ...installedB, attemptsLeft: 1 }), "1 start left");
  assert.equal(attemptsWords({ ...installedB, attemptsLeft: 2 }), "2 starts left");
  assert.equal(attemptsWords(slotA), "");
});

test("only what is known is told of work", () => {
  const work: WorkStatus = {
    ...{ what: "receive", percent: null, step: "", bytes: 0, totalBytes: null, cancellable: true },
  };
  assert.equal(doneWords(work), "");
  assert.equal(doneWords({ ...work, bytes: 2048 }), "2.0\u00a0KiB");
  const half = { ...work, bytes: 2048, totalBytes: 4096, percent: 50.9 };
  assert.equal(doneWords(half), "2.0\u00a0KiB of 4.0\u00a0KiB, 50\u00a0%");
});

test("what became of a firmware is a sentence, whether or not its reason is one", () => {
  const gone = { kind: "given-up", version: "1.1.0", back: "1.0.0" } as const;
  assert.equal(
    outcomeWords({ ...gone, why: "the kernel did not start" }),
    "1.1.0 was given up: the kernel did not start. The box runs 1.0.0 again.",
  );
  assert.equal(outcomeWords({ ...gone, why: "No." }), "1.1.0 was given up: No. The box runs 1.0.0 again.");
  assert.equal(outcomeWords({ ...gone, why: "" }), "1.1.0 was given up. The box runs 1.0.0 again.");
});

test("a box that is reset tells where it is found", () => {
  const away = { why: "reset", from: null, to: null, version: "", gone: false, keepNetwork: false } as const;
  assert.match(awayWords(away, "192.168.1.168").text, /at http:\/\/192\.168\.1\.168\/\..*admin/);
  assert.match(awayWords({ ...away, keepNetwork: true }, "192.168.1.168").text, /^Then it is found here again\./);
});
