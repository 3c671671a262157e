/** The page on the box itself: supervisor, media processes and Chromium. */
import assert from "node:assert/strict";
import test from "node:test";
import type { Page } from "playwright-core";
import { launchBrowser } from "./support/browser.ts";
import { boxOnAir } from "./support/realBox.ts";

const address = "239.255.5.1";
const port = 15_000;

/** Brightness of each sixteenth of the preview's width, 0…255. */
function brightness(page: Page): Promise<number[]> {
  return page.getByAltText("What Channel 1 sends now").evaluate((image: HTMLImageElement) => {
    const canvas = document.createElement("canvas");
    canvas.width = 16;
    canvas.height = 1;
    const context = canvas.getContext("2d");
    if (context === null) return [];
    context.drawImage(image, 0, 0, image.naturalWidth, image.naturalHeight / 2, 0, 0, 16, 1);
    const { data } = context.getImageData(0, 0, 16, 1);
    return Array.from(
      { length: 16 },
      (_, i) => ((data[4 * i] ?? 0) + (data[4 * i + 1] ?? 0) + (data[4 * i + 2] ?? 0)) / 3,
    );
  });
}

test("the page shows a channel on air, takes it off air and back, and survives the supervisor", async (t) => {
  const [box, receiver] = await boxOnAir(t, address, port);
  const browser = await launchBrowser();
  t.after(() => browser.close());
  const page = await browser.newPage();
  page.setDefaultTimeout(20_000);
  const complaints: string[] = [];
  page.on("console", (message) => {
    // While an encoder starts there is no preview, which Chromium notes.
    const noPreview = message.location().url.endsWith("/preview.jpg");
    if (["error", "warning"].includes(message.type()) && !noPreview) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  await (await box.admin()).into(page.context());
  await page.goto(box.url);
  const state = page.locator(".state");
  const reads = (text: string) => state.filter({ hasText: text }).waitFor();
  const button = (name: string) => page.getByRole("button", { name, exact: true });

  await t.test("on air", async () => {
    await reads("Live");
    await page
      .getByText(/4\.0\d\sMbit\/s/)
      .first()
      .waitFor();
    await page.getByText("no errors").waitFor();
    await page.getByText("1280×720p25", { exact: true }).waitFor();
    await page.getByText(`udp://@${address}:${port}`, { exact: true }).waitFor();
    // 4 Mbit/s in datagrams of 1316 bytes: 380 a second.
    const datagrams = await receiver.during(1000);
    assert(datagrams > 340 && datagrams < 420, `${datagrams} datagrams in a second`);
  });

  await t.test("the preview is the test picture, the meters beep", async () => {
    const image = page.getByAltText("What Channel 1 sends now");
    await image.waitFor();
    await page.waitForFunction(() => (document.querySelector<HTMLImageElement>(".preview img")?.naturalWidth ?? 0) > 0);
    const bars = await brightness(page);
    assert(Math.max(...bars) > 120 && Math.min(...bars) < 90, `brightness ${bars.map(Math.round)}`);
    const first = await image.getAttribute("src");
    await page.waitForFunction((src) => document.querySelector(".preview img")?.getAttribute("src") !== src, first);
    await page.waitForFunction(() => (document.querySelector("meter")?.value ?? -60) > -40);
  });

  await t.test("a key frame can be asked for", async () => {
    await button("Key frame").click();
    await page.waitForFunction(() => document.querySelector("[aria-busy=true]") === null);
    assert.equal(await page.getByRole("article", { name: "Channel 1" }).locator(".refusal").textContent(), "");
  });

  await t.test("off air and on air again", async () => {
    await button("Stop").click();
    await button("Stop channel").click();
    await reads("Stopped");
    assert.equal(await receiver.during(500), 0);
    await button("Start").click();
    await reads("Live");
    assert((await receiver.during(1000)) > 340);
    assert.deepEqual(complaints, []);
  });

  await t.test("the supervisor is killed: said at once, the stream goes on, the next one takes over", async () => {
    const before = receiver.count;
    const began = performance.now();
    await box.stop("SIGKILL");
    await page.getByText("The box cannot be reached.").waitFor();
    assert(performance.now() - began < 1500);
    await box.start();
    await page.getByText("Connected", { exact: true }).waitFor();
    await reads("Live");
    await page.getByText("Processes").click();
    await page.getByText("(found running)").first().waitFor();
    const seconds = (performance.now() - began) / 1000;
    assert(receiver.count - before > 360 * seconds, `${receiver.count - before} datagrams in ${seconds} s`);
  });

  await t.test("an orderly end takes the stream off air", async () => {
    await box.stop();
    assert.equal(await receiver.during(500), 0);
  });
});
