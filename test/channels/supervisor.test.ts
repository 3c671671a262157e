/** The supervisor with the real media processes. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { ChannelStatus } from "../../src/channels/status.ts";
import type { ChannelConfig } from "../../src/config/schema.ts";
import { runCommand } from "../../src/media/command.ts";
import { Receiver } from "./support/receiver.ts";
import { type Patch, Supervisor, until } from "./support/supervisor.ts";

const group = "239.255.6.10";
const port = 5510;

const small = { width: 320, height: 180 };

function pids(status: ChannelStatus): Record<string, number | null> {
  return Object.fromEntries(status.workers.map(({ name, pid }) => [name, pid]));
}

/** A supervisor whose first configuration is a small picture on this test's own address. */
async function prepared(t: TestContext): Promise<Supervisor> {
  const supervisor = await Supervisor.prepare(t);
  await supervisor.start("--orphan-seconds", "20");
  await supervisor.change({
    source: { type: "test", ...small },
    video: { ...small, bitrate: 600 },
    transport: { bitrate: 1500 },
    outputs: [{ type: "udp", id: "main", address: group, port, interface: "lo" }],
  });
  return supervisor;
}

test("a channel from the first start to the orderly end", async (t) => {
  const receiver = await Receiver.join(t, group, port);
  const supervisor = await prepared(t);
  let before = await supervisor.reaches("live", 15_000);
  assert.match(supervisor.output, /ffplay .*udp:\/\/239\.10\.0\.1:1234/);

  await t.test("is on air, and its slate is made beside that", async () => {
    await until("datagrams", () => receiver.datagrams > 200);
    await until(
      "one slate",
      async () => {
        const clips = (await readdir(join(supervisor.folder, "data/slates")).catch(() => [])).filter((name) =>
          name.endsWith(".feed"),
        );
        return clips.length === 1;
      },
      20_000,
    );
    const status = await supervisor.status();
    assert.deepEqual(status.faults, []);
    assert.equal(status.outputs[0]?.state, "sending");
    assert.equal(status.outputs[0]?.url, `udp://@${group}:${port}`);
    const preview = await supervisor.request("GET", "/channels/ch1/preview.jpg");
    assert.equal(preview.status, 200);
  });

  await t.test("takes another bitrate without restarting anything", async () => {
    before = await supervisor.status();
    await supervisor.change({ video: { bitrate: 300 } });
    await sleep(1000);
    const after = await supervisor.reaches("live");
    assert.deepEqual(pids(after), pids(before));
    assert.deepEqual(
      after.workers.map(({ starts }) => starts),
      before.workers.map(({ starts }) => starts),
    );
    assert.equal(after.encode?.source.rebuilds, before.encode?.source.rebuilds);
    assert.equal(receiver.continuityErrors, 0);
  });

  await t.test("takes another size, codec and number of tracks with the same processes", async () => {
    const tracks = [
      { codec: "mp2", bitrate: 128, language: "eng" },
      { codec: "aac", bitrate: 96, language: "deu" },
    ];
    await supervisor.change({ video: { width: 480, height: 270 }, audio: tracks });
    await until("both tracks", async () => {
      const status = await supervisor.status();
      const streams = status.transmit?.programmes[0]?.streams ?? [];
      return status.state === "live" && streams.length === 3 && streams.every(({ bitrate }) => bitrate > 0);
    });
    const after = await supervisor.status();
    assert.deepEqual(pids(after), pids(before));
    assert.deepEqual(
      after.transmit?.programmes[0]?.streams.map(({ codec }) => codec),
      ["h264", "mp2", "aac"],
    );
    assert.equal(receiver.continuityErrors, 0);
  });

  await t.test("survives the death of its supervisor, which another one takes up", async () => {
    before = await supervisor.status();
    await supervisor.signal("SIGKILL");
    receiver.takeGap();
    const count = receiver.datagrams;
    await sleep(500);
    assert.ok(receiver.datagrams > count, "nothing is sent without a supervisor");
    await supervisor.start();
    const after = await supervisor.reaches("live");
    assert.deepEqual(pids(after), pids(before));
    assert.ok(after.workers.every(({ adopted, starts }) => adopted && starts === 0));
    await sleep(300);
    assert.equal(receiver.continuityErrors, 0);
  });

  await t.test("is live again soon after its encoder dies, and says what happened", async () => {
    const { encode } = pids(await supervisor.status());
    process.kill(encode as number, "SIGKILL");
    const down = await until("the fault", async () => {
      const status = await supervisor.status();
      return status.faults.some(({ id }) => id === "encoder-down") && status;
    });
    assert.notEqual(down.state, "live");
    const began = performance.now();
    const after = await supervisor.reaches("live", 3000);
    t.diagnostic(`live again after ${Math.round(performance.now() - began)} ms`);
    await until("the end of the fault", async () => (await supervisor.status()).faults.length === 0);
    assert.notEqual(pids(after).encode, encode);
    assert.equal(pids(after).transmit, pids(before).transmit);
    assert.equal(receiver.continuityErrors, 0);
  });

  await t.test("goes on where it was when its multiplexer dies", async () => {
    const { transmit } = pids(await supervisor.status());
    receiver.takeGap();
    process.kill(transmit as number, "SIGKILL");
    await until("another multiplexer", async () => {
      const status = await supervisor.status();
      return status.state === "live" && pids(status).transmit !== transmit && pids(status).transmit !== null;
    });
    t.diagnostic(`longest gap ${Math.round(receiver.takeGap())} ms`);
    assert.equal(receiver.continuityErrors, 0);
  });

  await t.test("replaces an encoder that freezes", async () => {
    const frozen = pids(await supervisor.status()).encode as number;
    process.kill(frozen, "SIGSTOP");
    await until("another encoder", async () => {
      const status = await supervisor.status();
      return status.state === "live" && pids(status).encode !== frozen;
    });
    assert.equal(receiver.continuityErrors, 0);
  });

  await t.test("plays a file of any name", async () => {
    const path = join(supervisor.folder, `we"ird 'file' ! fakesink name=x \\ (1).mp4`);
    const picture = ["-f", "lavfi", "-i", "testsrc2=s=320x180:r=25", "-f", "lavfi", "-i", "sine", "-t", "3"];
    await runCommand("ffmpeg", ["-v", "error", ...picture, "-c:v", "mpeg4", "-c:a", "aac", path], {
      timeoutMs: 20_000,
    });
    const config = (await (await supervisor.request("GET", "/channels/ch1")).json()) as Patch;
    const response = await supervisor.request("PUT", "/channels/ch1", { ...config, source: { type: "file", path } });
    assert.ok(response.ok, await response.text());
    await until("the file's picture", async () => {
      const { state, encode } = await supervisor.status();
      return state === "live" && encode?.source.width === 320 && encode.source.height === 180;
    });
    assert.equal(receiver.continuityErrors, 0);
  });

  await t.test("has an output with a process of its own, which comes and goes alone", async () => {
    before = await supervisor.status();
    const [udp] = before.outputs;
    const { outputs } = (await (await supervisor.request("GET", "/channels/ch1")).json()) as ChannelConfig;
    const listener = { type: "srt", id: "guests", mode: "listener", address: "127.0.0.1", port: 9710 };
    await supervisor.change({ outputs: [...outputs, listener] });
    await until("the listener", async () => (await supervisor.status()).outputs[1]?.state === "listening");
    const during = await supervisor.status();
    assert.deepEqual(during.faults, []);
    assert.equal(during.outputs[1]?.url, "srt://127.0.0.1:9710?mode=listener");
    await supervisor.change({ outputs });
    await until("its end", () => supervisor.media().length === 2);
    const after = await supervisor.status();
    assert.deepEqual(pids(after), pids(before));
    assert.equal(after.outputs[0]?.id, udp?.id);
    assert.equal(receiver.continuityErrors, 0);
  });

  await t.test("leaves the runtime folder to one supervisor", async () => {
    const { output } = supervisor;
    const second = await Supervisor.prepare(t);
    const child = second.spawn("--runtime", supervisor.runtime);
    const [code] = await once(child, "exit");
    assert.equal(code, 1);
    assert.match(second.output, /another supervisor runs in/);
    assert.equal(supervisor.output, output);
  });

  await t.test("can be stopped and started", async () => {
    assert.ok((await supervisor.request("POST", "/channels/ch1/stop")).ok);
    await until("the end of the workers", () => supervisor.media().length === 0);
    await supervisor.reaches("stopped");
    assert.ok((await supervisor.request("POST", "/channels/ch1/start")).ok);
    await supervisor.reaches("live");
  });

  await t.test("ends with its supervisor when that ends in order", async () => {
    const began = performance.now();
    assert.equal(await supervisor.signal("SIGTERM"), 0);
    t.diagnostic(`ended after ${Math.round(performance.now() - began)} ms`);
    assert.deepEqual(supervisor.media(), []);
  });
});

test("a removed channel leaves nothing behind, even when it was removed while no supervisor ran", async (t) => {
  const supervisor = await prepared(t);
  await supervisor.reaches("live", 15_000);
  const first = (await (await supervisor.request("GET", "/channels/ch1")).json()) as object;
  const added = { ...first, id: "ch2", outputs: [] };
  const folders = () => readdir(supervisor.runtime);

  assert.equal((await supervisor.request("POST", "/channels", added)).status, 201);
  await until("its workers", () => supervisor.media().length === 4);
  assert.ok((await supervisor.request("DELETE", "/channels/ch2")).ok);
  await until("the end of its folder", async () => !(await folders()).includes("ch2"));
  assert.equal(supervisor.media().length, 2);

  assert.equal((await supervisor.request("POST", "/channels", added)).status, 201);
  await until("its workers", () => supervisor.media().length === 4);
  await supervisor.signal("SIGKILL");
  // The first start with another data folder knows ch1 alone.
  await rm(join(supervisor.folder, "data"), { recursive: true });
  await supervisor.start();
  await until("the end of its folder", async () => !(await folders()).includes("ch2"));
  assert.ok(supervisor.media().every(({ socket }) => socket.includes("/ch1/")));
});
