/** Firmware and power, with a box that does what the test says. */
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import test, { after, afterEach, before, beforeEach } from "node:test";
import type { Browser, Page } from "playwright-core";
import { config as schema } from "../../src/config/schema.ts";
import type { FirmwareStatus } from "../../src/update/status.ts";
import { complaintsOf, isUnexpected, launchBrowser } from "./support/browser.ts";
import { lowContrastTexts } from "./support/contrast.ts";
import { adminUser, refused } from "./support/fakeAdministration.ts";
import { FakeApi } from "./support/fakeApi.ts";
import { bundle, type FakeFirmware, installedB, slotA, slotB } from "./support/fakeFirmware.ts";
import { liveChannel } from "./support/statuses.ts";

/** Where pictures of the pages go; none are taken without it. */
const pictures = process.env.SCREENSHOTS;

let browser: Browser;
let page: Page;
let api: FakeApi;
let firmware: FakeFirmware;
let url: string;
let complaints: string[];

before(async () => {
  browser = await launchBrowser();
  if (pictures !== undefined) mkdirSync(pictures, { recursive: true });
});

after(async () => {
  await browser.close();
});

beforeEach(async () => {
  api = new FakeApi();
  firmware = api.administration.firmware;
  api.config = schema.parse({ version: 3, box: { name: "Headend 3" }, time: { zone: "Europe/Berlin" } });
  api.channels = [liveChannel("one", "One")];
  api.beats = true;
  url = await api.start();
  page = await browser.newPage({ timezoneId: "America/New_York" });
  page.setDefaultTimeout(8000);
  complaints = complaintsOf(page, isUnexpected);
});

afterEach(async () => {
  await page.close();
  await api.stop();
  api.remove();
  assert.deepEqual(complaints, []);
});

const button = (name: string) => page.getByRole("button", { name, exact: true });
const card = (name: string) => page.getByRole("region", { name, exact: true });
const dialog = () => page.getByRole("dialog");
const sent = (call: string) => api.administration.sent(call);
/** The bodies of the requests of this kind, when there are so many. */
const arrived = async (call: string, count = 1) => {
  for (let i = 0; i < 200 && sent(call).length < count; i++) await page.waitForTimeout(25);
  return sent(call);
};
const picture = async (name: string) => {
  if (pictures === undefined) return;
  for (const colorScheme of ["dark", "light"] as const) {
    await page.emulateMedia({ colorScheme });
    for (const width of [390, 1280]) {
      await page.setViewportSize({ width, height: 800 });
      await page.screenshot({ path: `${pictures}/${name}-${width}-${colorScheme}.png`, fullPage: true });
    }
  }
};

/** The box tells every page. */
function tell(news: Partial<FirmwareStatus>): void {
  api.publish("firmware", firmware.change(news));
}

/** The box is gone, and comes back so. */
async function reboot(news: Partial<FirmwareStatus>): Promise<void> {
  await api.stop();
  firmware.change(news);
  await api.start();
}

async function open(name = "firmware"): Promise<void> {
  await page.goto(`${url}/#${name}`);
}

const file = (size: number) => ({
  ...{ name: "steadycast-1.1.0.raucb", mimeType: "application/octet-stream" },
  buffer: Buffer.alloc(size, 7),
});

const receiving: FirmwareStatus["work"] = {
  ...{ what: "receive", percent: 25, step: "", bytes: 5 * 1024 * 1024, totalBytes: 20 * 1024 * 1024 },
  cancellable: true,
};
const activating: FirmwareStatus["work"] = {
  ...{ what: "activate", percent: null, step: "", bytes: 0, totalBytes: null, cancellable: false },
};

test("slots tell what they are, and what has happened", async () => {
  const why = "channel “One” did not transmit within 120 s";
  firmware.change({ slots: [slotA, { ...installedB, state: "bad", attemptsLeft: 0, why }] });
  await open();
  await card("This box runs").getByText("1.0.0", { exact: true }).waitFor();
  await card("Slot A").getByText("Good", { exact: true }).waitFor();
  await card("Slot A").getByText("runs now").waitFor();
  await card("Slot A").getByText("boots next").waitFor();
  await card("Slot B").getByText("Given up", { exact: true }).waitFor();
  await card("Slot B").getByText(why).waitFor();
  assert.equal(await card("Slot B").getByRole("button").count(), 0);
  await card("History")
    .getByRole("row", { name: /Given up \(slot B\) 1\.1\.0 the box channel “One”/ })
    .waitFor();
  await picture("given-up");
  const [one] = firmware.events;
  assert.ok(one);
  firmware.events = Array.from({ length: 40 }, () => one);
  tell({ trouble: "news" });
  await button("Show all 40").click();
  assert.equal(await card("History").getByRole("row").count(), 41);
});

test("a viewer sees all of it and is offered nothing", async () => {
  api.administration.user = { ...adminUser, name: "vera", role: "viewer" };
  firmware.change({ slots: [slotA, installedB], bundle, activation: { when: "next-boot" } });
  firmware.change({ capabilities: { install: true, rollBack: true, why: "" } });
  await open();
  await page.getByText("Only admins can change the firmware.").waitFor();
  await card("Bundle at hand").getByText("SRT callers come back sooner").waitFor();
  assert.equal(await page.getByRole("main").getByRole("button").count(), 0);
  assert.equal(await page.getByRole("link", { name: "Power" }).count(), 0);
});

test("a machine without slots says so, and offers nothing", async () => {
  const capabilities = { install: false, rollBack: false, why: "This machine has no slots for firmware." };
  firmware.change({ slots: null, capabilities });
  firmware.events = [];
  await open();
  await card("This box runs").getByText("This machine has no slots for firmware.").waitFor();
  await card("History").getByText("Nothing has happened yet.").waitFor();
  assert.equal(await page.getByRole("main").getByRole("button").count(), 0);
});

test("a bundle is uploaded: sent, checked, and at hand", async () => {
  let release = () => {};
  firmware.hold = new Promise((resolve) => {
    release = resolve;
  });
  await open();
  await page.getByLabel("File of a bundle").last().setInputFiles(file(300_000));
  const work = card("This box runs");
  await work.getByText("Sending steadycast-1.1.0.raucb").waitFor();
  await work.getByText("The box checks it").waitFor();
  assert.equal(await button("Choose a file").getAttribute("aria-disabled"), "true");
  const verify = { ...receiving, what: "verify" as const, percent: 40, bytes: 0, totalBytes: null };
  tell({ work: verify });
  await work.getByLabel("Checking the bundle").waitFor();
  await work.getByText("40 %").waitFor();
  assert.equal(await work.getByRole("progressbar").getAttribute("value"), "40");
  tell({ work: null, bundle });
  release();
  await card("Bundle at hand").getByText("88.7 MiB").waitFor();
  await work.getByRole("progressbar").waitFor({ state: "detached" });
  assert.deepEqual(firmware.files, [["steadycast-1.1.0.raucb", 300_000]]);
});

test("an upload goes on while other pages are shown, and can be given up", async () => {
  firmware.hold = new Promise(() => {});
  await open();
  await page.getByLabel("File of a bundle").last().setInputFiles(file(1000));
  await card("This box runs").getByText("The box checks it").waitFor();
  await page.getByRole("link", { name: "Network" }).click();
  await page.getByRole("link", { name: "Firmware" }).click();
  await card("This box runs").getByText("The box checks it").waitFor();
  await button("Cancel").click();
  await button("Cancel").waitFor({ state: "detached" });
  assert.equal(await card("Upload a bundle").getByRole("alert").textContent(), "");
  assert.equal(await button("Choose a file").getAttribute("aria-disabled"), "false");
});

test("a file is dropped, and refused with the reason", async () => {
  firmware.verdict = refused(422, "invalid", "The bundle is not signed by a key that this box trusts");
  await open();
  const drop = card("Upload a bundle").getByRole("group");
  const transfer = await page.evaluateHandle(() => {
    const data = new DataTransfer();
    data.items.add(new File(["not signed"], "foreign.raucb"));
    return data;
  });
  await drop.dispatchEvent("dragover", { dataTransfer: transfer });
  assert.match((await drop.getAttribute("class")) ?? "", /over/);
  await drop.dispatchEvent("drop", { dataTransfer: transfer });
  await card("Upload a bundle").getByRole("alert").getByText("not signed by a key that this box trusts").waitFor();
  assert.deepEqual(firmware.files, [["foreign.raucb", 10]]);
});

test("a bundle that another page sends is followed, and can be cancelled", async () => {
  await open();
  await card("Upload a bundle").waitFor();
  tell({ work: receiving });
  const work = card("This box runs");
  await work.getByLabel("Receiving a bundle").waitFor();
  await work.getByText("5.0 MiB of 20.0 MiB, 25 %").waitFor();
  assert.equal(await button("Choose a file").getAttribute("aria-disabled"), "true");
  assert.equal(await button("Fetch").getAttribute("aria-disabled"), "true");
  await button("Cancel").click();
  assert.equal((await arrived("DELETE /firmware/bundle")).length, 1);
});

test("a bundle is fetched by its URL, and taken from a USB stick", async () => {
  firmware.usb = [{ id: "sda1/fw.raucb", stick: "BACKUP", file: "fw.raucb", size: 93_000_000 }];
  await open();
  const form = page.getByRole("form", { name: "Fetch a bundle" });
  await form.getByLabel("URL").fill("ftp://somewhere/fw.raucb");
  await button("Fetch").click();
  await form.getByText("must be a URL of HTTP or HTTPS", { exact: true }).waitFor();
  await form.getByLabel("URL").fill("https://updates.example/fw.raucb");
  await form.getByLabel("SHA-256").fill("ab".repeat(32));
  await button("Fetch").click();
  const [, fetched] = await arrived("POST /firmware/fetch", 2);
  assert.deepEqual(fetched, { url: "https://updates.example/fw.raucb", sha256: "ab".repeat(32) });
  await card("USB sticks").getByText("88.7 MiB on BACKUP").waitFor();
  await button("Take fw.raucb").click();
  assert.deepEqual(await arrived("POST /firmware/usb"), [{ id: "sda1/fw.raucb" }]);
  firmware.usb = [];
  await button("Look again").click();
  await card("USB sticks").getByText("There is no bundle on a USB stick.").waitFor();
});

test("what went wrong is told until a new order clears it", async () => {
  await open();
  await card("Slot A").waitFor();
  tell({ trouble: "The server answered 404 Not Found" });
  await card("This box runs").getByRole("alert").getByText("The server answered 404 Not Found").waitFor();
  tell({ trouble: "" });
  await page.getByText("The server answered 404").waitFor({ state: "detached" });
});

test("a bundle is installed at a time of the box's zone, which may be taken back", async () => {
  firmware.change({ bundle });
  await open();
  const form = page.getByRole("form", { name: "Install 1.1.0" });
  await card("Bundle at hand").getByText("* SRT callers come back sooner").waitFor();
  await form.getByLabel("When to start").selectOption({ label: "At a time" });
  await form.getByText("In the time zone of the box, Europe/Berlin, where it is").waitFor();
  await picture("bundle");
  await form.getByLabel("Date and time").fill("2020-01-01T03:00");
  await button("Install").click();
  await form.getByText("must be in the future").waitFor();
  assert.equal(sent("POST /firmware/install").length, 0);
  const year = new Date().getFullYear() + 1;
  await form.getByLabel("Date and time").fill(`${year}-01-02T03:00`);
  await form.getByText(/On this computer: Jan 1, \d+, 9:00.PM \(America\/New_York\)/).waitFor();
  await button("Install").click();
  const at = `${year}-01-02T02:00:00.000Z`;
  assert.deepEqual(await arrived("POST /firmware/install"), [{ activation: { when: "at", at } }]);

  tell({ slots: [slotA, installedB], activation: { when: "at", at } });
  await card("This box runs")
    .getByText(/1\.1\.0 is started on Jan 2, \d+, 3:00.AM \(Europe\/Berlin\)/)
    .waitFor();
  await button("Take back").click();
  assert.equal((await arrived("DELETE /firmware/activation")).length, 1);
  tell({ activation: null });
  await button("Take back").waitFor({ state: "detached" });
});

test("an older bundle is installed only when that is said", async () => {
  firmware.change({ bundle: { ...bundle, version: "0.9.0", downgrade: true, notes: "" } });
  await open();
  const form = page.getByRole("form", { name: "Install 0.9.0" });
  await form.getByText("This version is older than 1.0.0, which runs.").waitFor();
  await card("Bundle at hand").getByText("It has none.").waitFor();
  await picture("older");
  await form.getByLabel("When to start").selectOption({ label: "Later, by hand" });
  await button("Install").click({ force: true });
  await form.getByLabel("Install the older version 0.9.0 all the same").check();
  await button("Install").click();
  assert.deepEqual(await arrived("POST /firmware/install"), [{ activation: { when: "manual" }, downgrade: true }]);
});

test("install and start: asked twice, followed, away, back on trial, then good; on every page", async () => {
  firmware.change({ bundle });
  await open();
  await button("Install and start").click();
  await dialog().getByText("the box returns to 1.0.0 by itself").waitFor();
  await picture("confirm");
  await dialog().getByRole("button", { name: "Install and start" }).click();
  await dialog().waitFor({ state: "hidden" });
  const install = { ...receiving, what: "install" as const, bytes: 0, totalBytes: null, cancellable: false };
  tell({ work: { ...install, percent: 62, step: "Copying image to rootfs.1" } });
  await card("This box runs").getByText("Copying image to rootfs.1").waitFor();
  await picture("installing");
  assert.deepEqual(await arrived("POST /firmware/install"), [{ activation: { when: "now" } }]);

  await page.getByRole("link", { name: "Account" }).click();
  tell({ work: activating, slots: [slotA, { ...installedB, next: true }] });
  await page.getByRole("alert").getByText("The box starts 1.1.0.").waitFor();
  await api.stop();
  await page.getByText("Connection lost").waitFor();
  assert.equal(await page.getByText("The box cannot be reached.").count(), 0);
  await page.getByRole("link", { name: "Firmware" }).click();
  await picture("away");
  const [was, now] = [
    { ...slotA, running: false, next: false },
    { ...installedB, running: true, next: true },
  ];
  firmware.change({ version: "1.1.0", slots: [was, now], bundle: null, activation: null, work: null });
  await api.start();
  await page.getByRole("status").getByText("1.1.0 runs now and is on trial").waitFor();
  await card("Slot B").getByText("On trial", { exact: true }).waitFor();
  await picture("trial");
  tell({ slots: [was, { ...now, state: "good" }] });
  await page.getByRole("status").getByText("1.1.0 runs now and has been found good.").waitFor();
  await button("Load it anew").waitFor();
  await button("Dismiss").click();
  await page.getByText("has been found good.").waitFor({ state: "detached" });
});

test("a firmware that was given up is told with its reason, after logging in again", async () => {
  await open();
  await card("Slot A").waitFor();
  // Ordered on another page.
  tell({ work: activating, slots: [slotA, { ...installedB, next: true }] });
  await page.getByLabel("Making it the next to start").waitFor();
  const why = "the supervisor did not start";
  await api.stop();
  await page.getByRole("alert").getByText("The box starts 1.1.0.").waitFor();
  // What is kept in memory is gone after a reboot, and sessions are.
  api.administration.user = null;
  firmware.change({ work: null, slots: [slotA, { ...installedB, state: "bad", why }] });
  await api.start();
  await page.getByText("The session has ended.").waitFor();
  await page.getByLabel("User").fill("anna");
  await page.getByLabel("Password", { exact: true }).fill(api.administration.password);
  await button("Log in").click();
  await page.getByRole("status").getByText(`1.1.0 was given up: ${why}. The box runs 1.0.0 again.`).waitFor();
});

test("rolls back after it was said what happens", async () => {
  const capabilities = { install: true, rollBack: true, why: "" };
  firmware.change({ slots: [slotA, { ...installedB, state: "good", version: "0.9.0" }], capabilities });
  await open();
  await button("Roll back to 0.9.0").click();
  await dialog().getByText("The box reboots at once and runs 0.9.0 from slot B.").waitFor();
  await dialog().getByRole("button", { name: "Roll back" }).click();
  await page.getByRole("alert").getByText("The box starts 0.9.0.").waitFor();
  assert.deepEqual(sent("POST /firmware/rollback"), [{}]);
  await reboot({
    version: "0.9.0",
    slots: [
      { ...slotA, running: false, next: false },
      { ...slotB, state: "good", version: "0.9.0", running: true, next: true },
    ],
  });
  await page.getByRole("status").getByText("0.9.0 runs now and has been found good.").waitFor();
});

test("what is installed already is started, and a refusal is told", async () => {
  firmware.change({ slots: [slotA, installedB] });
  api.administration.instead.set("POST /firmware/activate", refused(409, "conflict", "The box is about to reboot"));
  await open();
  const slot = card("Slot B");
  await slot.getByText("3 starts left").waitFor();
  await picture("installed");
  await button("Start 1.1.0").click();
  await dialog().getByRole("button", { name: "Start it" }).click();
  await slot.getByRole("alert").getByText("The box is about to reboot").first().waitFor();
  await slot.getByLabel("When to start").selectOption({ label: "When the box boots next" });
  await button("Order it").click();
  assert.deepEqual(await arrived("POST /firmware/activate", 2), [{ when: "now" }, { when: "next-boot" }]);
});

test("power: since when, why, when next; reboot and shutdown are asked twice", async () => {
  await open("power");
  const power = card("Power");
  for (const text of ["1 d 2 h", "power cut, reset or watchdog"]) await power.getByText(text).waitFor();
  await power.getByText(/Nov 23, 2026, 4:00.AM \(Europe\/Berlin\)/).waitFor();
  await picture("power");
  await button("Shut down").click();
  await dialog().getByText("only the power of the box brings it up again").waitFor();
  await dialog().getByRole("button", { name: "Cancel" }).click();
  await button("Reboot").click();
  await dialog().getByRole("button", { name: "Reboot" }).click();
  await page.getByRole("alert").getByText("The box reboots.").waitFor();
  assert.deepEqual([sent("POST /power/reboot").length, sent("POST /power/shutdown").length], [1, 0]);
  await reboot({});
  await page.getByRole("status").getByText("The box is up again and runs 1.0.0.").waitFor();
});

test("a machine whose power is not ours says so", async () => {
  const why = "This box is a program: stop it and start it again";
  firmware.power = { ...firmware.power, nextReboot: null };
  firmware.power.capabilities = { reboot: false, shutdown: false, factoryReset: true, why };
  await open("power");
  await card("Power").getByText(why).waitFor();
  await card("Power").getByText("none by the calendar").waitFor();
  assert.equal(await button("Reboot").getAttribute("aria-disabled"), "true");
});

test("factory settings: what is lost, the password, and where the box is found then", async () => {
  await open("power");
  await button("Reset to factory settings").click();
  await dialog().getByText("users, tokens and log-ins").waitFor();
  await dialog().getByText("the box takes an address by DHCP; where no server gives one").waitFor();
  await dialog().getByText("http://192.168.1.168/").waitFor();
  await picture("reset");
  await dialog().getByLabel("Your password").fill("wrong");
  await dialog().getByRole("button", { name: "Reset" }).click();
  await dialog().getByRole("alert").getByText("The password is wrong").waitFor();
  await dialog().getByLabel("Keep the network settings").check();
  await dialog().getByText("the box is found at the addresses that it has now").waitFor();
  await dialog().getByLabel("Keep the network settings").uncheck();
  await dialog().getByLabel("Your password").fill(api.administration.password);
  await dialog().getByRole("button", { name: "Reset" }).click();
  const away = page.getByRole("alert").getByText("The box goes back to factory settings and reboots.");
  await away.waitFor();
  await api.stop();
  await page.getByText("Connection lost").waitFor();
  await page.getByText("http://192.168.1.168/").first().waitFor();
  assert.deepEqual(sent("POST /power/factory-reset").at(-1), {
    ...{ password: api.administration.password, keepNetwork: false },
  });
});

for (const name of ["firmware", "power"]) {
  test(`page “${name}”: enough contrast, dark and light, and no overflow on a phone`, async () => {
    firmware.change({ slots: [slotA, installedB], bundle: { ...bundle, downgrade: true }, work: receiving });
    firmware.change({ capabilities: { install: true, rollBack: true, why: "" }, trouble: "The last try failed" });
    firmware.change({ activation: { when: "next-boot" } });
    await page.setViewportSize({ width: 360, height: 740 });
    await open(name);
    await page.getByRole("region", { name: name === "firmware" ? "History" : "Factory settings" }).waitFor();
    for (const colorScheme of ["dark", "light"] as const) {
      await page.emulateMedia({ colorScheme });
      assert.deepEqual(await lowContrastTexts(page), []);
    }
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 360);
    await picture(`all-${name}`);
  });
}
