import assert from "node:assert/strict";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { dirname, join } from "node:path";
import test, { type TestContext } from "node:test";
import { Box } from "./support/box.ts";

async function withPage(t: TestContext): Promise<Box> {
  const box = await Box.start(t);
  mkdirSync(join(box.folder, "assets"));
  writeFileSync(join(box.folder, "index.html"), "<!doctype html>page");
  writeFileSync(join(box.folder, "main.js"), "script");
  writeFileSync(join(box.folder, "assets", "main-AB12CD34.js"), "hashed");
  writeFileSync(join(box.folder, ".secret"), "secret");
  return box;
}

test("the page and its files are served, and asked for again", async (t) => {
  const box = await withPage(t);
  const page = await fetch(`${box.server.url}/`);
  assert.equal(await page.text(), "<!doctype html>page");
  assert.equal(page.headers.get("Content-Type"), "text/html; charset=utf-8");
  assert.equal(page.headers.get("Cache-Control"), "no-cache");
  const script = await fetch(`${box.server.url}/main.js?x=1`);
  assert.match(script.headers.get("Content-Type") ?? "", /^(text|application)\/javascript/);
  const headers = { "If-None-Match": script.headers.get("ETag") ?? "" };
  assert.equal((await fetch(`${box.server.url}/main.js`, { headers })).status, 304);
  writeFileSync(join(box.folder, "main.js"), "changed");
  assert.equal(await (await fetch(`${box.server.url}/main.js`, { headers })).text(), "changed");
});

test("a file with its hash in the name is kept for good", async (t) => {
  const box = await withPage(t);
  const { headers } = await fetch(`${box.server.url}/assets/main-AB12CD34.js`);
  assert.equal(headers.get("Cache-Control"), "public, max-age=31536000, immutable");
});

test("nothing outside the folder is served, nor hidden files, nor folders", async (t) => {
  const box = await withPage(t);
  const { hostname, port } = new URL(box.server.url);
  const outside = dirname(box.folder);
  const get = (path: string) =>
    new Promise<number>((resolve, reject) => {
      const call = request({ hostname, port, path, agent: false }, (response) => {
        response.resume().on("end", () => resolve(response.statusCode ?? 0));
      });
      call.on("error", reject).end();
    });
  symlinkSync(outside, join(box.folder, "..x"));
  const paths = [
    ...[
      "/../../../../etc/passwd",
      "/..%2f..%2fetc/passwd",
      "/%2e%2e/%2e%2e/etc/passwd",
      "//etc/passwd",
      "/assets/../.secret",
    ],
    ...["/.secret", "/..x", "/assets", "/assets/", "/main.js/", "/main.js/x", "/main.js%00.html", "/..\\main.js", "/%"],
    ...["/nothing", `/${"x".repeat(1000)}`, "/index.html\u00e9".normalize("NFC").replace("\u00e9", "%c3%a9")],
  ];
  for (const path of paths) assert.equal(await get(path), 404, path);
  assert.deepEqual(box.logged, []);
});

test("only GET and HEAD", async (t) => {
  const box = await withPage(t);
  const head = await fetch(`${box.server.url}/main.js`, { method: "HEAD" });
  assert.deepEqual([head.status, head.headers.get("Content-Length"), await head.text()], [200, "6", ""]);
  const post = await fetch(`${box.server.url}/main.js`, { method: "POST" });
  assert.deepEqual([post.status, post.headers.get("Allow")], [405, "GET, HEAD"]);
});
