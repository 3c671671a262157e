/** The page in Chromium, against an API that does what each test says. */
import assert from "node:assert/strict";
import test, { after, afterEach, before, beforeEach } from "node:test";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { config } from "../../src/config/schema.ts";
import { launchBrowser } from "./support/browser.ts";
import { lowContrastTexts } from "./support/contrast.ts";
import { FakeApi } from "./support/fakeApi.ts";
import { liveChannel, slateChannel, stoppedChannel, transmitStats } from "./support/statuses.ts";

let browser: Browser;
let api: FakeApi;
let url: string;
let context: BrowserContext;
let page: Page;
/** What the browser complained of. */
let complaints: string[];

before(async () => {
  browser = await launchBrowser();
});

after(async () => {
  await browser.close();
});

beforeEach(async () => {
  api = new FakeApi();
  api.config = config.parse({ version: 3, box: { name: "Headend 3" }, channels: [{ id: "one", name: "One" }] });
  api.channels = [liveChannel("one", "One")];
  url = await api.start();
  context = await browser.newContext();
  page = await context.newPage();
  page.setDefaultTimeout(10_000);
  complaints = [];
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
});

afterEach(async () => {
  await context.close();
  await api.stop();
  api.remove();
});

const card = (name: string) => page.getByRole("article", { name });
const button = (name: string) => page.getByRole("button", { name, exact: true });
/** Waits until the text is there, whatever kind of space it is written with. */
const shows = async (name: string, text: string) => {
  const pattern = new RegExp(text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&").replaceAll(" ", "\\s"));
  await card(name).filter({ hasText: pattern }).waitFor();
};

test("shows a channel on air: state, picture, figures, outputs, settings", async () => {
  await page.goto(url);
  await shows("One", "Live");
  for (const text of [
    "for 2 h 13 min",
    "4.00 Mbit/s",
    "3.31 Mbit/s payload",
    "1280×720p25",
    "29.7 ms",
    "error 37 ns",
  ]) {
    await shows("One", text);
  }
  await shows("One", "TR 101 290 no errors");
  await shows("One", "udp://@239.10.0.1:1234");
  await shows("One", "1 peer, 4.01 Mbit/s, round trip 18.4 ms");
  await shows("One", "H.264 High 1280×720p25, CBR 3000 kbit/s");
  await page.getByRole("heading", { level: 1, name: "Headend 3" }).waitFor();
  assert.equal(await page.title(), "Headend 3");
  assert.deepEqual(complaints, []);
});

test("the preview is renewed while it can be seen, and only then", async () => {
  await page.goto(url);
  const picture = page.getByAltText("What One sends now");
  await picture.waitFor();
  const size = await picture.evaluate((image: HTMLImageElement) => [image.naturalWidth, image.naturalHeight]);
  assert.deepEqual(size, [640, 360]);
  const first = await picture.getAttribute("src");
  await page.waitForFunction((src) => document.querySelector("img[src^=blob]")?.getAttribute("src") !== src, first);
  await page.setViewportSize({ width: 800, height: 300 });
  await page.evaluate(() => {
    document.body.style.paddingTop = "2000px";
  });
  await page.waitForTimeout(1500);
  const before = api.previews;
  await page.waitForTimeout(2500);
  assert.equal(api.previews, before);
  assert.deepEqual(complaints, []);
});

test("a picture that the encoder no longer renews looks old and says how old", async () => {
  api.previewAge = 41_000;
  await page.goto(url);
  await card("One")
    .getByText(/Picture of 4[0-9]\ss ago/)
    .waitFor();
});

test("meters follow the levels and go off when none come", async () => {
  await page.goto(url);
  await shows("One", "Live");
  api.publish("levels", { channel: "one", peak: [-12, -30], rms: [-20, -40] });
  const meter = page.getByRole("meter", { name: "Sound channel 2" });
  await page.waitForFunction(() => document.querySelectorAll("meter")[1]?.value === -30);
  assert.equal(await meter.textContent(), "-30 dBFS");
  await page.getByText("no measurement").first().waitFor({ state: "attached" });
});

test("faults are told in words, with the state and the counters", async () => {
  api.channels = [slateChannel("one", "One")];
  await page.goto(url);
  await shows("One", "On slate");
  const faults = card("One").getByRole("list", { name: "Faults" }).getByRole("listitem");
  assert.equal(await faults.count(), 2);
  assert.match((await faults.first().textContent()) ?? "", /^ErrorNo packets arrive on .* Check the sender/);
  await shows("One", "TR 101 290 2 errors");
  await shows("One", "Refused: wrong passphrase");
  await page.getByText("1 of 1 on air · 1 with faults").waitFor();
  await page.waitForFunction(() => document.title === "(2) Headend 3");
});

test("a change of state is seen at once and told to screen readers", async () => {
  await page.goto(url);
  await shows("One", "Live");
  api.update({ ...liveChannel("one", "One", 0), state: "failed" });
  await shows("One", "Failed");
  await page.locator("[aria-live=polite]", { hasText: "One: Failed" }).waitFor({ state: "attached" });
});

test("several channels, one of them new, one of them removed", async () => {
  api.channels = [liveChannel("one", "One"), stoppedChannel("two", "Two")];
  await page.goto(url);
  await shows("Two", "Stopped");
  api.publish("channel", liveChannel("three", "Three"));
  await shows("Three", "Live");
  api.publish("channelRemoved", { id: "two" });
  await card("Two").waitFor({ state: "detached" });
  assert.equal(await page.getByRole("article").count(), 2);
});

test("no channel, and a stored configuration that needed attention", async () => {
  api.channels = [];
  const when = new Date().toISOString();
  api.storeProblems = [{ when, file: "config.json", what: "is empty", action: "the last good one is used" }];
  await page.goto(url);
  await page.getByText("No channel is configured.").waitFor();
  await page.getByText("config.json is empty; the last good one is used").waitFor();
});

test("stop asks first, shows that it is under way, and turns into start", async () => {
  api.orderDelayMs = 600;
  await page.goto(url);
  await button("Stop").click();
  await button("Cancel").click();
  await button("Stop").click();
  await button("Stop channel").click();
  await button("Stopping …").waitFor();
  await button("Key frame").click({ force: true }); // held back while the order is under way
  await page.waitForFunction(() => document.querySelector("[aria-busy=true]") === null);
  assert.deepEqual(api.orders, ["one/stop"]);
  api.update(stoppedChannel("one", "One"));
  await button("Start").click();
  await page.waitForFunction(() => document.querySelector("[aria-busy=true]") === null);
  assert.deepEqual(api.orders, ["one/stop", "one/start"]);
  assert.deepEqual(complaints, []);
});

test("a refused order says why, until it is dismissed", async () => {
  api.refusal = { status: 409, title: "This cannot be done now", detail: "Channel “one” is busy with another order" };
  await page.goto(url);
  await button("Key frame").click();
  await page.getByRole("alert").getByText("Channel “one” is busy with another order").waitFor();
  await button("Dismiss").click();
  assert.equal(await page.getByText("busy with another order").count(), 0);
  assert.deepEqual(api.orders, ["one/keyframe"]);
});

test("everything can be done with the keyboard, and the focus stays where it was", async () => {
  await page.goto(url);
  await shows("One", "Live");
  const focused = () => page.evaluate(() => document.activeElement?.textContent ?? "");
  await page.keyboard.press("Tab");
  assert.equal(await focused(), "Skip to the content");
  await page.keyboard.press("Enter");
  for (const name of ["Key frame", "Restart", "Stop"]) {
    await page.keyboard.press("Tab");
    assert.equal(await focused(), name);
  }
  await page.keyboard.press("Enter");
  assert.equal(await focused(), "Cancel");
  await page.keyboard.press("Escape");
  assert.equal(await focused(), "Stop");
  assert.deepEqual(api.orders, []);
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => document.querySelector("[aria-busy=true]") === null);
  assert.deepEqual(api.orders, ["one/stop"]);
  api.update(stoppedChannel("one", "One"));
  await button("Start").waitFor();
  assert.equal(await focused(), "Start");
});

test("an address is copied, also where the browser has no clipboard for pages", async () => {
  await page.addInitScript(() => {
    Object.defineProperty(navigator, "clipboard", { value: undefined });
    document.addEventListener("copy", () => {
      document.title = `copied ${getSelection()?.toString()}`;
    });
  });
  await page.goto(url);
  await button("Copy udp://@239.10.0.1:1234").click();
  await page.getByText("Copied", { exact: true }).first().waitFor();
  assert.equal(await page.title(), "copied udp://@239.10.0.1:1234");
});

test("processes are told on demand", async () => {
  await page.goto(url);
  const row = card("One").getByRole("row", { name: /transmit/ });
  assert.equal(await row.count(), 0);
  await card("One").getByText("Processes").click();
  assert.equal(await row.textContent(), "transmitRunning47121 (found running)–");
  api.update(liveChannel("one", "One"));
  await page.waitForTimeout(100);
  assert(await row.isVisible());
});

test("a lost box is seen at once; figures look stale; it comes back by itself", async () => {
  await page.goto(url);
  await shows("One", "Live");
  const lost = Date.now();
  await api.stop();
  await page.getByRole("alert").getByText("The box cannot be reached.").waitFor();
  assert(Date.now() - lost < 1000);
  assert.equal(await page.title(), "⚠ Headend 3");
  await card("One")
    .getByText(/no news for \d+\ss/)
    .waitFor();
  const opacity = await card("One")
    .locator(".figures")
    .evaluate((element) => getComputedStyle(element).opacity);
  assert(Number(opacity) < 0.5);
  await button("Stop").click({ force: true });
  assert.equal(await page.getByRole("dialog").count(), 0);

  api.channels = [stoppedChannel("one", "One")];
  await api.start();
  await shows("One", "Stopped");
  assert.equal(await page.getByText("The box cannot be reached.").count(), 0);
});

test("a box that falls silent without closing the connection is seen as lost, and asked again", async () => {
  await page.goto(url);
  await shows("One", "Live");
  await card("One")
    .getByText(/no news for \d+\ss/)
    .waitFor();
  await page.getByText("The box cannot be reached.").waitFor();
  await page.getByText("Connected", { exact: true }).waitFor();
  await shows("One", "for 2 h 13 min");
});

test("figures move while news come", async () => {
  await page.goto(url);
  await shows("One", "4.00 Mbit/s");
  api.update({ ...liveChannel("one", "One"), transmit: { ...transmitStats, bitrate: 5_200_000 } });
  await shows("One", "5.20 Mbit/s");
  const path = card("One").locator("path.total");
  assert.match((await path.getAttribute("d")) ?? "", /^M[\d.]+ [\d.]+/);
});

for (const colorScheme of ["dark", "light"] as const) {
  test(`text has enough contrast (${colorScheme})`, async () => {
    api.channels = [slateChannel("one", "One"), stoppedChannel("two", "Two"), liveChannel("three", "Three")];
    await page.emulateMedia({ colorScheme });
    await page.goto(url);
    await shows("Three", "Live");
    const poor = await lowContrastTexts(page);
    assert.deepEqual(poor, []);
  });
}

test("nothing overflows a narrow phone", async () => {
  api.channels = [slateChannel("one", "One with a name that is rather long for a phone")];
  await page.setViewportSize({ width: 320, height: 640 });
  await page.goto(url);
  await shows("One with", "On slate");
  const width = await page.evaluate(() => document.documentElement.scrollWidth);
  assert.equal(width, 320);
});
