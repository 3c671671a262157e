import assert from "node:assert/strict";
import test from "node:test";
import type { FirmwareStatus } from "../../src/update/status.ts";
import { ApiError } from "../../web/api.ts";
import { FirmwareWatch } from "../../web/firmware.ts";
import { FakeFirmware } from "../browser/support/fakeFirmware.ts";

const { status } = new FakeFirmware();
/** A promise that the test settles. */
function open<T>() {
  let resolve: (value: T) => void = () => {};
  let reject: (error: Error) => void = () => {};
  const promise = new Promise<T>((yes, no) => {
    [resolve, reject] = [yes, no];
  });
  return { promise, resolve, reject };
}

const file = new File(["x".repeat(100)], "b.raucb");

/** A watch whose uploads end as the test says. */
function watched(answer: () => Promise<FirmwareStatus> = async () => status) {
  const sending = open<boolean>();
  const sent: { progress: (bytes: number) => void; count: number } = { progress: () => {}, count: 0 };
  const watch = new FirmwareWatch(answer, (_file, progress) => {
    sent.progress = progress;
    sent.count += 1;
    return { done: sending.promise, abort: () => sending.resolve(false) };
  });
  return { watch, sending, sent };
}

test("tells what is on its way, never more than all of it, and takes one file at a time", async () => {
  const { watch, sending, sent } = watched();
  const sends = watch.send(file);
  await watch.send(file);
  assert.equal(sent.count, 1);
  sent.progress(40);
  assert.deepEqual(watch.state.upload, { name: "b.raucb", sent: 40, total: 100 });
  sent.progress(140);
  assert.equal(watch.state.upload?.sent, 100);
  sending.resolve(true);
  await sends;
  assert.deepEqual([watch.state.upload, watch.state.refusal, watch.state.status], [null, null, status]);
});

test("keeps why a file was refused until it is read or another one is sent", async () => {
  const { watch, sending } = watched();
  const sends = watch.send(file);
  sending.reject(new ApiError("The signature is wrong", { status: 422 }));
  await sends;
  assert.equal(watch.state.refusal?.message, "The signature is wrong");
  watch.dismiss();
  assert.equal(watch.state.refusal, null);
});

test("an upload that is aborted is no refusal", async () => {
  const { watch } = watched();
  const sends = watch.send(file);
  watch.abort();
  await sends;
  assert.deepEqual([watch.state.upload, watch.state.refusal], [null, null]);
});

test("whoever logs out takes the upload along", async () => {
  const { watch, sent } = watched(async () => {
    throw new ApiError("Log in first", { status: 401 });
  });
  watch.take(status);
  const sends = watch.send(file);
  watch.forget();
  sent.progress(50);
  assert.deepEqual([watch.state.upload, watch.state.status], [null, null]);
  await sends;
});

test("an answer that news have overtaken changes nothing", async () => {
  const asked = open<FirmwareStatus>();
  const { watch } = watched(() => asked.promise);
  const looks = watch.look();
  watch.take({ ...status, version: "2.0.0" });
  asked.resolve(status);
  await looks;
  assert.equal(watch.state.status?.version, "2.0.0");
});

test("what was known stays when the box does not answer", async () => {
  const { watch } = watched(async () => {
    throw new ApiError("The box cannot be reached");
  });
  watch.take(status);
  assert.equal(await watch.look(), null);
  assert.equal(watch.state.status, status);
  assert.equal(watch.state.error?.message, "The box cannot be reached");
});
