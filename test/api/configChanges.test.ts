import assert from "node:assert/strict";
import test from "node:test";
import { type Config, defaultConfig, SECRET_MARK } from "../../src/config/schema.ts";
import { Box } from "./support/box.ts";

const srt = { type: "srt", id: "srt", address: "peer", port: 9000, passphrase: "a long passphrase" };
const SECRETS = ["a long passphrase", "another passphrase", "271828"];

const withHostname = (hostname: string) => ({ patch: { network: { hostname } } });

interface Applied {
  revision: number;
  changed: boolean;
  trial?: { revision: number; confirmSeconds: number };
}

async function apply(box: Box, body: object, role: "admin" | "operator" = "admin"): Promise<Applied> {
  const answer = await box.as(role).call("POST", "/config/apply", body);
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return answer.body as Applied;
}

test("a change is planned, made and kept, with author, comment and differences", async (t) => {
  const box = await Box.start(t);
  const body = { patch: { box: { name: "Rack 7" } } };
  const planned = await box.call("POST", "/config/plan", body);
  const differences = [{ pointer: "/box/name", before: "Steadycast", after: "Rack 7" }];
  assert.deepEqual(planned.body, {
    ...{ revision: 1, valid: true, errors: [], changed: true, differences, sections: ["box"], channels: [] },
    ...{ canCutOff: false, confirmSeconds: 0 },
  });
  assert.deepEqual(await apply(box, { ...body, comment: "Moved" }), { revision: 2, changed: true });
  const { versions } = (await box.as("viewer").call("GET", "/config/history")).body as { versions: object[] };
  const [newest] = versions as { saved: string }[];
  assert.deepEqual(newest, {
    ...{ revision: 2, saved: newest?.saved, author: "admin", comment: "Moved", current: true },
  });
  const events = box.audited.map(({ what, result, detail, diff, who }) => ({
    what,
    result,
    detail,
    diff,
    by: who.name,
  }));
  assert.deepEqual(events, [{ what: "applyConfig", result: "done", detail: "Moved", diff: differences, by: "admin" }]);
});

test("a change to the network is on trial until it is confirmed or taken back", async (t) => {
  const box = await Box.start(t);
  const get = async () =>
    ((await box.call("GET", "/config/trial")).body as { trial: Record<string, unknown> | null }).trial;
  assert.equal(await get(), null);
  await box.refused("conflict", "POST", "/config/confirm", { revision: 1 });
  const { trial, revision } = await apply(box, { ...withHostname("one"), confirmSeconds: 60, comment: "Name" });
  assert.deepEqual([trial?.revision, trial?.confirmSeconds], [revision, 60]);
  assert.deepEqual(await get().then((told) => [told?.author, told?.comment, told?.confirmSeconds]), [
    "admin",
    "Name",
    60,
  ]);
  for (const [method, path, body] of [
    ["PUT", "/config", { version: 3 }],
    ["POST", "/config/apply", withHostname("two")],
    ["POST", "/config/history/1/restore", {}],
    ["PATCH", "/channels/ch1", { name: "x" }],
    ["POST", "/channels/ch1/stop", undefined],
    ["DELETE", "/channels/ch1", undefined],
    ["POST", "/config/confirm", { revision: revision + 1 }],
    ["POST", "/config/revert", { revision: 1 }],
  ] as const) {
    const problem = await box.refused("conflict", method, path, body);
    assert.match(problem.detail, /evision 2/);
  }
  const reverted = await box.as("operator").call("POST", "/config/revert", { revision });
  assert.deepEqual(reverted.body, { revision: 1, changed: true });
  assert.equal(box.config.current.network.hostname, "steadycast");

  const put = await box.call("PUT", "/config", { ...defaultConfig(), network: { hostname: "three" } });
  assert.equal((put.body as Config).network.hostname, "three");
  assert.equal((await get())?.confirmSeconds, 120, "whoever does not ask has the default");
  assert.equal((await box.call("POST", "/config/confirm", { revision: 3 })).status, 200);
  assert.deepEqual([await get(), box.config.current.network.hostname, box.config.revision], [null, "three", 3]);
  for (const confirmSeconds of [0, 9, 3601]) {
    await box.refused("invalid", "POST", "/config/apply", { ...withHostname("four"), confirmSeconds });
  }
});

test("a confirmation that cannot be stored says so, and the trial goes on", async (t) => {
  const box = await Box.start(t);
  const { revision } = await apply(box, withHostname("one"));
  box.disk.failAt(1, "ENOSPC");
  const problem = await box.refused("storage", "POST", "/config/confirm", { revision });
  assert.match(problem.detail, /the disk is full/);
  assert.equal(box.config.trial()?.revision, revision);
  assert.equal((await box.call("POST", "/config/confirm", { revision })).status, 200);
});

test("no answer, problem or record of the audit log has a secret, and the mark stands for it", async (t) => {
  const box = await Box.start(t);
  const secretive = {
    ...defaultConfig(),
    panel: { pin: "271828" },
    channels: [{ ...defaultConfig().channels[0], outputs: [srt] }],
  };
  const told: unknown[] = [];
  const call = async (method: string, path: string, body?: unknown) => {
    const answer = await box.call(method, path, body);
    told.push(answer.body, ...answer.headers.values());
    return answer;
  };
  await call("PUT", "/config", secretive);
  const { body } = await call("GET", "/config");
  const shown = body as Config;
  assert.equal(shown.panel.pin, SECRET_MARK);
  assert.equal((await call("PUT", "/config", { ...shown, box: { name: "x" } })).status, 200);
  const [channel] = (await call("GET", "/channels")).body as Config["channels"];
  await call("GET", "/channels/ch1");
  assert.equal((await call("PUT", "/channels/ch1", { ...channel, name: "y" })).status, 200);
  assert.equal((await call("PATCH", "/channels/ch1", { outputs: channel?.outputs, name: "z" })).status, 200);
  assert.equal(box.config.current.panel.pin, "271828");
  const [kept] = box.config.channel("ch1")?.outputs ?? [];
  assert.equal(kept?.type === "srt" && kept.passphrase, srt.passphrase);
  await call("PATCH", "/channels/ch1", { outputs: [{ ...srt, passphrase: "another passphrase" }] });
  await call("POST", "/config/plan", { document: secretive });
  await call("POST", "/config/plan", { revision: 1 });
  await call("GET", "/config/history/2");
  await call("GET", "/config/history/1/diff");
  await call("GET", "/config/history/1/diff?to=2");
  await call("POST", "/channels", { ...channel, id: "ch2" });
  await call("POST", "/config/apply", { patch: { panel: { pin: "271828x" } } });
  await call("POST", "/config/apply", { ...withHostname("one"), comment: "Trial" });
  await call("GET", "/config/trial");
  await call("GET", "/config/problems");
  const text = JSON.stringify([told, box.audited, box.logged]);
  assert.ok(text.includes(SECRET_MARK));
  for (const secret of SECRETS) assert.ok(!text.includes(secret), `${secret} is told`);
});

test("an operator changes channels, inputs and presets, and nothing else", async (t) => {
  const box = await Box.start(t);
  await apply(box, { patch: { panel: { pin: "1234" } } });
  const operator = box.as("operator");
  assert.equal((await apply(box, { patch: { inputs: [{ connector: "hdmi1" }] } }, "operator")).changed, true);
  assert.equal((await operator.call("PATCH", "/channels/ch1", { name: "x" })).status, 200);
  const shown = (await operator.call("GET", "/config")).body as Config;
  assert.equal((await operator.call("POST", "/config/plan", { document: shown })).status, 200);
  for (const patch of [
    { box: { name: "x" } },
    { network: { dscp: 0 } },
    { panel: { pin: "1234" } },
    { panel: { pin: "0" } },
  ]) {
    const valid = JSON.stringify(patch) !== '{"panel":{"pin":"0"}}';
    if (valid) await operator.refused("forbidden", "POST", "/config/plan", { patch });
    const problem = await operator.refused(valid ? "forbidden" : "invalid", "POST", "/config/apply", { patch });
    if (valid) assert.match(problem.detail, /^It takes an admin to change (box|network|panel)$/);
  }
  await operator.refused("forbidden", "PUT", "/config", shown);
  await operator.refused("forbidden", "POST", "/config/history/1/restore", {});
  for (const path of ["/config/plan", "/config/apply", "/config/confirm", "/config/revert"]) {
    await box.as("viewer").refused("forbidden", "POST", path, {});
  }
  assert.equal(box.config.current.box.name, "Steadycast");
});

test("versions are listed, read, compared and brought back", async (t) => {
  const box = await Box.start(t);
  await apply(box, { patch: { box: { name: "a" }, panel: { pin: "1234" } } });
  await apply(box, { patch: { box: { name: "b" }, panel: { pin: "" } } });
  const old = (await box.call("GET", "/config/history/2")).body as Config;
  assert.deepEqual([old.box.name, old.panel.pin], ["a", SECRET_MARK]);
  const { differences } = (await box.call("GET", "/config/history/2/diff?to=3")).body as { differences: unknown };
  assert.deepEqual(differences, [
    { pointer: "/box/name", before: "a", after: "b" },
    { pointer: "/panel/pin", before: SECRET_MARK, after: "" },
  ]);
  const tag = `"${box.config.tag}"`;
  const restored = await box.call("POST", "/config/history/2/restore", { comment: "Back" }, { "If-Match": tag });
  assert.deepEqual(restored.body, { revision: 4, changed: true });
  assert.deepEqual([box.config.current.box.name, box.config.current.panel.pin], ["a", "1234"]);
  await box.refused("stale", "POST", "/config/history/2/restore", {}, { "If-Match": tag });
  for (const path of ["0", "9", "x", "-1", "1e3", "99999999999999999999"]) {
    await box.refused("not-found", "GET", `/config/history/${path}`);
    await box.refused("not-found", "GET", `/config/history/${path}/diff`);
    await box.refused("not-found", "GET", `/config/history/1/diff?to=${path}`);
    await box.refused("not-found", "POST", `/config/history/${path}/restore`, {});
  }
  await box.refused("not-found", "POST", "/config/plan", { revision: 9 });
});

test("what is asked for must be one thing, and comments are short and of one line", async (t) => {
  const box = await Box.start(t);
  const { tag } = box.config;
  for (const body of [
    {},
    { document: {}, patch: {} },
    { patch: {}, revision: 1 },
    [],
    { patches: {} },
    { revision: 0 },
  ]) {
    await box.refused("invalid", "POST", "/config/plan", body);
    await box.refused("invalid", "POST", "/config/apply", body);
  }
  for (const comment of ["x".repeat(201), "a\nb", 7, null]) {
    await box.refused("invalid", "POST", "/config/apply", { patch: { box: { name: "x" } }, comment });
  }
  const wrong = await box.refused("invalid", "POST", "/config/apply", { patch: { channels: [{ id: "x" }] } });
  assert.deepEqual(
    wrong.errors?.map(({ pointer }) => pointer),
    ["/channels/0/name"],
  );
  assert.equal(box.config.tag, tag);
});

test("only an admin says who may log in by SSH", async (t) => {
  const box = await Box.start(t);
  const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDCrcDWPPQCHWDqjPIBUlG0XnIJLnKNzDrLAcM3S2Wx8 Anna";
  const body = { patch: { ssh: { enabled: true, keys: [key] } } };
  for (const path of ["/config/plan", "/config/apply"]) {
    const problem = await box.as("operator").refused("forbidden", "POST", path, body);
    assert.equal(problem.detail, "It takes an admin to change ssh");
  }
  const plan = (await box.as("admin").call("POST", "/config/plan", body)).body as Record<string, unknown>;
  assert.deepEqual([plan.sections, plan.channels, plan.canCutOff], [["ssh"], [], false]);
  assert.deepEqual(plan.differences, [
    { pointer: "/ssh/enabled", before: false, after: true },
    { pointer: "/ssh/keys", before: [], after: [key] },
  ]);
  await apply(box, body);
  await apply(box, { patch: { ssh: { enabled: false } } });
  await box.refused("invalid", "POST", "/config/apply", { patch: { ssh: { enabled: true, keys: [] } } });
});
