/** The page that shows the API, in Chromium: under the box's own policy, and with what it can be used for. */
import assert from "node:assert/strict";
import test from "node:test";
import { buildWeb } from "../../scripts/build.ts";
import { Box } from "../api/support/box.ts";
import { launchBrowser } from "./support/browser.ts";

test("the API is shown and called, with nothing from elsewhere and nothing against the policy", async (t) => {
  const box = await Box.start(t);
  await buildWeb(box.folder);
  const browser = await launchBrowser();
  t.after(() => browser.close());
  const page = await browser.newPage();
  page.setDefaultTimeout(15_000);
  const complaints: string[] = [];
  const hosts = new Set<string>();
  let expected = /^$/;
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type()) && !expected.test(message.text()))
      complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("request", (request) => hosts.add(new URL(request.url()).host || new URL(request.url()).protocol));

  expected = /401/;
  await page.goto(`${box.server.url}/docs/api/`);
  await page.getByText("Log in first").waitFor();

  expected = /^$/;
  await box.session("operator").into(page.context());
  await page.reload();
  await page.locator("#operations-tag-channels").click();
  const operation = page.locator("#operations-channels-requestKeyframe");
  await operation.getByRole("button").first().click();
  await operation.getByRole("button", { name: "Try it out" }).click();
  await operation.locator("input[type=text]").fill("ch1");
  await operation.getByRole("button", { name: "Execute" }).click();
  await operation.locator(".live-responses-table").getByText("204", { exact: true }).waitFor();
  assert.deepEqual(box.channels.orders, ["keyframe ch1"]);
  assert.deepEqual(complaints, []);
  const own = new URL(box.server.url).host;
  assert.deepEqual(
    [...hosts].filter((host) => host !== own && !/^(data|blob):$/.test(host)),
    [],
  );
});
