/** The page of the virtual box in Chromium: inputs, sensors, front panel and bench, against the real API and board. */
import assert from "node:assert/strict";
import test from "node:test";
import type { Page } from "playwright-core";
import { buildWeb } from "../../scripts/build.ts";
import { systemClock } from "../../src/board/ports.ts";
import { Bus } from "../../src/bus.ts";
import { AccessBox, PASSWORD } from "../access/support/box.ts";
import { makeBoard } from "../api/support/board.ts";
import { Box } from "../api/support/box.ts";
import { logIn } from "../support/login.ts";
import { launchBrowser } from "./support/browser.ts";
import { lowContrastTexts } from "./support/contrast.ts";

/** How many pixels of the mirror are bright. */
function litPixels(page: Page): Promise<number> {
  return page.locator("canvas").evaluate((canvas: HTMLCanvasElement) => {
    const data = canvas.getContext("2d")?.getImageData(0, 0, canvas.width, canvas.height).data ?? [];
    let lit = 0;
    for (let i = 0; i < data.length; i += 4) if ((data[i] ?? 0) > 128) lit++;
    return lit;
  });
}

test("the page shows the board and its bench, and operates them", async (t) => {
  const bus = new Bus();
  const board = await makeBoard(bus, systemClock);
  await board.start();
  t.after(() => board.stop());
  const { access } = await AccessBox.ready();
  const box = await Box.start(t, { board, bus, access });
  await buildWeb(box.folder);
  const browser = await launchBrowser();
  t.after(() => browser.close());
  const page = await browser.newPage();
  page.setDefaultTimeout(10_000);
  const complaints: string[] = [];
  page.on("console", (message) => {
    // These channels only pretend, and have no preview.
    const noPreview = message.location().url.endsWith("/preview.jpg");
    if (["error", "warning"].includes(message.type()) && !noPreview) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  await (await logIn(box.server.url, "admin", PASSWORD)).into(page.context());
  await page.goto(box.server.url);
  const section = (name: string) => page.getByRole("region", { name, exact: true });
  const button = (name: string) => page.getByRole("button", { name, exact: true });
  const input = (name: string) => section("Inputs").getByRole("listitem", { name, exact: true });
  const title = () => board.panel.view().title;
  /** Waits until the box is so; what the page orders takes its time to get there. */
  const becomes = async (what: () => unknown, wanted: string) => {
    for (let i = 0; i < 100 && what() !== wanted; i++) await page.waitForTimeout(50);
    assert.equal(what(), wanted);
  };

  await t.test("inputs with what comes in, in words", async () => {
    await input("HDMI 1").getByText("720p50, sound 48 kHz, 2 channels").waitFor();
    await input("SDI").getByText("Camera 3").waitFor();
    assert.equal(await section("Inputs").getByRole("listitem").count(), 7);
  });

  await t.test("the box with its temperatures, fan, voltages, supplies and load", async () => {
    const text = (await section("Box").innerText()).replaceAll("\u00a0", " ").replaceAll(/\s+/g, " ");
    for (const pattern of [
      /SoC temperature \d+\.\d °C/,
      /Heat Normal/,
      /Fan \d+ rpm, driven at \d+ %/,
      /12 V 1[12]\.\d\d V/,
      /Power supply B Good/,
      /Memory [\d.]+ \w+ of/,
    ]) {
      assert.match(text, pattern);
    }
  });

  await t.test("the mirror shows what the display shows", async () => {
    await page.locator("canvas").waitFor();
    const { picture } = board.panel;
    assert(picture?.kind === "graphic");
    const bits = picture.pixels.reduce((sum, byte) => sum + byte.toString(2).replaceAll("0", "").length, 0);
    assert.ok(bits > 50);
    assert.equal(await litPixels(page), bits);
    assert.ok(await page.getByRole("img", { name: /^Display: / }).isVisible());
  });

  await t.test("a key pressed here is pressed on the panel, by the pointer and by the keyboard", async () => {
    const before = title();
    await button("OK").click();
    await page.waitForFunction((was) => !document.querySelector("canvas")?.ariaLabel?.includes(`: ${was};`), before);
    assert.notEqual(title(), before);
    const { selected } = board.panel.view();
    await page.keyboard.press("ArrowDown");
    const name = () => page.getByRole("img", { name: /^Display: / }).getAttribute("aria-label");
    const shown = await name();
    for (let i = 0; i < 100 && (await name()) === shown; i++) await page.waitForTimeout(50);
    assert.notEqual(board.panel.view().selected, selected);
    await page.keyboard.press("Escape");
    await page.waitForFunction((was) => document.querySelector("canvas")?.ariaLabel?.includes(`: ${was};`), before);
  });

  for (const colorScheme of ["dark", "light"] as const) {
    await t.test(`readable and within a narrow phone (${colorScheme})`, async () => {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width: 320, height: 640 });
      for (const hash of ["", "#bench"]) {
        await page.goto(`${box.server.url}/${hash}`);
        await section(hash === "" ? "Front panel" : "Keys").waitFor();
        assert.deepEqual(await lowContrastTexts(page), []);
        assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 320);
      }
      await page.setViewportSize({ width: 1280, height: 900 });
    });
  }

  await t.test("the bench takes a player away, and the input says so", async () => {
    await page.getByRole("link", { name: "Bench" }).click();
    const player = page.getByRole("group", { name: "HDMI 1" });
    await player.getByLabel("Plugged in").uncheck();
    await player.getByText("No cable, or nothing switched on").waitFor();
    await page.getByRole("group", { name: "HDMI 2" }).getByLabel("Mode").selectOption("1080i50");
    await page.getByRole("link", { name: "Box" }).click();
    await input("HDMI 1").getByText("No cable", { exact: true }).waitFor();
    await input("HDMI 2").getByText("1080i50, sound 48 kHz").waitFor();
  });

  await t.test("a supply fails and the SoC heats up on the bench, and the box says so", async () => {
    await page.getByRole("link", { name: "Bench" }).click();
    await page.getByLabel("Power supply A").selectOption("Failed");
    const soc = page.getByLabel("Hold SoC at");
    await soc.fill("90");
    await soc.press("Enter");
    await section("Heat")
      .getByText(/SoC 90\.0\s°C/)
      .waitFor();
    await page.getByRole("link", { name: "Box" }).click();
    await section("Box")
      .getByText(/^Failed/)
      .waitFor();
    await section("Box").getByText(/^Warm/).waitFor();
    assert.equal(await section("Box").getByText("Power supply A gives no power").count(), 1, "said once");
  });

  await t.test("a key of the bench is pressed for as long as it is held", async () => {
    await page.getByRole("link", { name: "Bench" }).click();
    const key = button("Reset hole");
    await key.hover();
    await page.mouse.down();
    await page.waitForFunction(() => document.querySelector("[aria-pressed=true]") !== null);
    await becomes(title, "FACTORY RESET");
    await page.mouse.move(5, 5);
    await page.mouse.up();
    await page.waitForFunction(() => document.querySelector("[aria-pressed=true]") === null);
    await becomes(() => board.panel.view().rows[0]?.text, "Cancelled.");
  });

  await t.test("what the box refuses is told", async () => {
    const room = page.getByLabel("Room");
    await room.fill("99");
    await room.press("Enter");
    await page.getByRole("alert").getByText("/room: must be between -20 and 60 °C, is 99").waitFor();
  });

  const refused = complaints.filter((text) => !text.includes("422"));
  assert.deepEqual(refused, []);
});
