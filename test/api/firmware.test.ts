import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer, request, type Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { after, before, describe, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { firmwareRoutes } from "../../src/api/routes/firmware.ts";
import { Bus } from "../../src/bus.ts";
import { commandRunner } from "../../src/system/command.ts";
import { BundleStore } from "../../src/update/bundle/store.ts";
import { UpdateService } from "../../src/update/service.ts";
import type { FirmwareStatus } from "../../src/update/status.ts";
import { VirtualSlots } from "../../src/update/virtualSlots.ts";
import { Bundles } from "../update/support/bundles.ts";
import { Box } from "./support/box.ts";
import { Listener } from "./support/listener.ts";

const FILE = "application/octet-stream";
const quick = { headMs: 5000, requestMs: 300, answerMs: 5000, lookMs: 50 };

describe("the API of the firmware", () => {
  let bundles: Bundles;
  let good: Buffer;
  before(() => {
    bundles = new Bundles();
    good = readFileSync(bundles.make({ version: "9.2.0", size: 900_000 }));
  });
  after(() => bundles.remove());

  /** A box with virtual slots of 1 MiB. */
  async function start(t: TestContext, { free = 1 << 30 } = {}) {
    const folder = mkdtempSync(join(tmpdir(), "steadycast-firmware-"));
    const bus = new Bus();
    const restarts: string[] = [];
    const slots = new VirtualSlots({
      ...{ folder, run: commandRunner(), version: "1.2.3", keyring: bundles.keyring, capacity: 1 << 20 },
      restart: (reason) => restarts.push(reason),
      report: () => {},
    });
    const store = new BundleStore({ folder: join(folder, "firmware"), free: async () => free, reserve: 0 });
    const update = new UpdateService({ slots, bus, folder, usb: join(folder, "usb"), store });
    await update.start();
    const box = await Box.start(t, { bus, routes: firmwareRoutes(update), patience: quick });
    t.after(async () => {
      await update.stop();
      rmSync(folder, { recursive: true });
    });
    const files = () => readdirSync(join(folder, "firmware"));
    return { box, update, restarts, files };
  }

  /** Sends a file in parts, waiting in between; gives the answer. */
  function send(url: string, parts: readonly Buffer[], { headers = {}, pauseMs = 0, name = "" } = {}) {
    return new Promise<{ status: number; body: { type?: string; detail?: string; version?: string } }>(
      (resolve, reject) => {
        const length = parts.reduce((sum, part) => sum + part.length, 0);
        const path = `/api/v1/firmware/bundle${name === "" ? "" : `?name=${name}`}`;
        const call = request(`${url}${path}`, {
          ...{ method: "POST", agent: false },
          headers: {
            ...{ Authorization: "Bearer admin", "Content-Type": FILE, "Content-Length": String(length) },
            ...headers,
          },
        });
        call.on("response", (answer) => {
          let text = "";
          answer.setEncoding("utf8").on("data", (chunk: string) => {
            text += chunk;
          });
          answer.on("end", () => resolve({ status: answer.statusCode ?? 0, body: JSON.parse(text) as object }));
        });
        call.on("error", reject);
        void (async () => {
          for (const part of parts) {
            if (!call.destroyed) call.write(part);
            if (pauseMs > 0) await sleep(pauseMs);
          }
          call.end();
        })();
      },
    );
  }

  test("takes a bundle, installs it, and starts it again as the virtual boot script would", async (t) => {
    const { box, restarts } = await start(t);
    const events = await Listener.open(t, box);
    const { status, body } = await send(box.server.url, [good], { name: "box.raucb" });
    assert.equal(status, 201, JSON.stringify(body));
    assert.equal(body.version, "9.2.0");
    const { body: firmware } = await box.call("GET", "/firmware");
    assert.deepEqual((firmware as FirmwareStatus).bundle, body);
    const { status: taken } = await box.call("POST", "/firmware/install", { activation: { when: "next-boot" } });
    assert.equal(taken, 202);
    await events.until(() => {
      const last = events.of("firmware").at(-1) as FirmwareStatus | undefined;
      return last?.activation != null && last.work === null;
    });
    const { body: after } = await box.call("POST", "/firmware/activate", { when: "now" });
    assert.equal((after as FirmwareStatus).slots?.find(({ next }) => next)?.version, "9.2.0");
    assert.deepEqual(restarts, ["version 9.2.0 is started, ordered by admin"]);
    const { body: told } = await box.call("GET", "/firmware/history");
    const kinds = (told as { events: { what: string; who: string }[] }).events.map(({ what, who }) => `${what} ${who}`);
    assert.deepEqual(kinds, ["activated admin", "activated admin", "installed admin", "received admin", "good box"]);
    const audited = box.audited.map(({ what, result, detail }) => `${what} ${result} ${detail}`);
    assert.deepEqual(audited, [
      `uploadFirmware done version 9.2.0, ${good.length} bytes`,
      "installFirmware done start: next-boot",
      "activateFirmware done now",
    ]);
    await box.call("DELETE", "/firmware/activation");
    await box.as("viewer").refused("forbidden", "POST", "/firmware/install", { activation: { when: "now" } });
  });

  test("lets a slow upload take longer than any other request", async (t) => {
    const { box } = await start(t);
    const parts = Array.from({ length: 10 }, (_, i) =>
      good.subarray((i * good.length) / 10, ((i + 1) * good.length) / 10),
    );
    const began = performance.now();
    const { status } = await send(box.server.url, parts, { pauseMs: quick.requestMs / 4 });
    assert.ok(performance.now() - began > quick.requestMs * 2);
    assert.equal(status, 201);
  });

  test("refuses in words what is no bundle for this box, and keeps nothing", async (t) => {
    const { box, files } = await start(t);
    const { url } = box.server;
    const refused = async (status: number, kind: string, detail: RegExp, ...call: Parameters<typeof send>) => {
      const answer = await send(...call);
      assert.deepEqual([answer.status, answer.body.type], [status, `urn:steadycast:problem:${kind}`]);
      assert.match(answer.body.detail ?? "", detail);
      assert.deepEqual(files(), []);
    };
    const wrong = Buffer.from(good);
    wrong[5000] = (wrong[5000] ?? 0) ^ 1;
    await refused(422, "invalid", /damaged/, url, [wrong]);
    await refused(422, "invalid", /not a bundle/, url, [Buffer.from("hello")]);
    await refused(422, "invalid", /not a bundle/, url, [Buffer.alloc(0)]);
    await refused(413, "too-large", /at most 1048576 bytes/, url, [Buffer.alloc((1 << 20) + 1)]);
    await refused(415, "media-type", /octet-stream/, url, [good], { headers: { "Content-Type": "text/plain" } });
    const { box: full } = await start(t, { free: 100_000 });
    await refused(507, "no-space", /there is room for 100000/, full.server.url, [good]);
    const chunked = await fetch(`${url}/api/v1/firmware/bundle`, {
      method: "POST",
      headers: { Authorization: "Bearer admin", "Content-Type": FILE },
      body: new Blob([new Uint8Array(good)]).stream(),
      duplex: "half",
    } as RequestInit);
    assert.equal(chunked.status, 400);
    await chunked.body?.cancel();
    // The connection that was refused is of use still.
    assert.equal((await send(url, [good])).status, 201);
  });

  test("keeps nothing of an upload that is cut off", async (t) => {
    const { box, files, update } = await start(t);
    const { hostname, port } = new URL(box.server.url);
    const socket = connect(Number(port), hostname);
    const head = ["POST /api/v1/firmware/bundle HTTP/1.1", "Host: localhost", "Authorization: Bearer admin"];
    socket.write(`${[...head, `Content-Type: ${FILE}`, `Content-Length: ${good.length}`].join("\r\n")}\r\n\r\n`);
    socket.write(good.subarray(0, 300_000));
    const until = async (condition: () => boolean) => {
      const end = performance.now() + 10_000;
      while (!condition()) {
        assert.ok(performance.now() < end, JSON.stringify(update.status()));
        await sleep(5);
      }
    };
    await until(() => files().length === 1 && (update.status().work?.bytes ?? 0) >= 300_000);
    socket.destroy();
    await until(() => update.status().work === null);
    assert.deepEqual(files(), []);
    assert.equal(update.history()[0]?.what, "interrupted");
    assert.match(update.status().trouble, /cut before all was here/);
  });

  test("takes no large file from who may not send it", async (t) => {
    const { box, files } = await start(t);
    const { hostname, port } = new URL(box.server.url);
    for (const authorization of ["Bearer viewer", "Bearer nobody"]) {
      const socket = connect(Number(port), hostname);
      const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
      socket.on("error", () => {});
      let answer = "";
      socket.setEncoding("utf8").on("data", (text: string) => {
        answer += text;
      });
      const head = ["POST /api/v1/firmware/bundle HTTP/1.1", "Host: localhost", `Authorization: ${authorization}`];
      socket.write(`${[...head, `Content-Type: ${FILE}`, "Content-Length: 900000000"].join("\r\n")}\r\n\r\n`);
      const more = setInterval(() => socket.write(Buffer.alloc(1000)), 20);
      await closed;
      clearInterval(more);
      assert.match(answer, /^HTTP\/1.1 40[13] /);
    }
    assert.deepEqual(files(), []);
  });

  describe("fetches", () => {
    let server: Server;
    let url = "";
    let answers: Record<string, (respond: import("node:http").ServerResponse) => void> = {};
    before(async () => {
      server = createServer((asked, respond) => answers[asked.url ?? ""]?.(respond));
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    });
    after(() => {
      server.closeAllConnections();
      server.close();
    });

    async function fetched(t: TestContext, path: string, more: object = {}) {
      const bench = await start(t);
      const { status, body } = await bench.box.call("POST", "/firmware/fetch", { url: `${url}${path}`, ...more });
      assert.equal(status, 202, JSON.stringify(body));
      while (bench.update.status().work !== null) await sleep(2);
      return { ...bench, found: bench.update.status() };
    }

    test("a bundle, by ways that the server tells", async (t) => {
      answers = {
        "/a?key=secret": (respond) => respond.writeHead(302, { Location: "/b" }).end(),
        "/b": (respond) => respond.writeHead(200, { "Content-Length": good.length }).end(good),
      };
      const sha256 = createHash("sha256").update(good).digest("hex").toUpperCase();
      const { found, update } = await fetched(t, "/a?key=secret", { sha256 });
      assert.deepEqual([found.bundle?.version, found.bundle?.origin, found.trouble], ["9.2.0", "url", ""]);
      assert.doesNotMatch(JSON.stringify(update.history()), /secret/);
    });

    test("nothing that is not what it should be, and says why", async (t) => {
      const endless = (respond: import("node:http").ServerResponse) => {
        const more = () => {
          while (respond.write(randomBytes(65_536)));
          respond.once("drain", more);
        };
        more();
      };
      answers = {
        "/good": (respond) => respond.writeHead(200).end(good),
        "/none": (respond) => respond.writeHead(404).end(),
        "/loop": (respond) => respond.writeHead(302, { Location: "/loop" }).end(),
        "/away": (respond) => respond.writeHead(302, { Location: "file:///etc/passwd" }).end(),
        "/short": (respond) => {
          respond
            .writeHead(200, { "Content-Length": good.length })
            .write(good.subarray(0, 1000), () => respond.destroy());
        },
        "/long": (respond) => respond.writeHead(200, { "Content-Length": 1 << 21 }).end(),
        "/endless": endless,
      };
      const cases: [path: string, why: RegExp, more?: object][] = [
        ["/good", /Its SHA-256 is [0-9a-f]{64}, not the one that was given/, { sha256: "0".repeat(64) }],
        ["/none", /status 404/],
        ["/loop", /from one address to another/],
        ["/away", /not http or https/],
        ["/short", /cut the connection|connection failed/],
        ["/long", /at most 1048576 bytes/],
        ["/endless", /at most 1048576 bytes/],
      ];
      for (const [path, why, more] of cases) {
        const { found, files } = await fetched(t, path, more);
        assert.match(found.trouble, why, path);
        assert.deepEqual([found.bundle, files()], [null, []]);
      }
    });

    test("until somebody ends it", async (t) => {
      answers = { "/hang": (respond) => void respond.writeHead(200).write("x") };
      const { box, update, files } = await start(t);
      await box.call("POST", "/firmware/fetch", { url: `${url}/hang` });
      while (update.status().work?.bytes !== 1) await sleep(2);
      await box.refused("conflict", "POST", "/firmware/fetch", { url: `${url}/hang` });
      assert.equal((await box.call("DELETE", "/firmware/bundle")).status, 204);
      assert.deepEqual([update.status().work, files()], [null, []]);
    });

    test("by http and https alone", async (t) => {
      const { box } = await start(t);
      for (const bad of ["file:///etc/passwd", "ftp://a/b", "http://user:password@box/a", "nonsense"]) {
        await box.refused("invalid", "POST", "/firmware/fetch", { url: bad });
      }
    });
  });
});
