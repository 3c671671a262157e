/** Firmware and power on the box itself: real bundles on a machine whose slots are folders, and the page through its reboots. */
import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import manifest from "../../package.json" with { type: "json" };
import { PASSWORD } from "../support/login.ts";
import { Bundles } from "../update/support/bundles.ts";
import { complaintsOf, isRefusedByPolicy, launchBrowser } from "./support/browser.ts";
import { boxOnAir } from "./support/realBox.ts";

const [address, port] = ["239.255.5.6", 15_060];
const was = manifest.version;
const [newer, older] = ["9.1.0", "0.0.1"];
const notes = "Corrections\n  * SRT callers come back sooner";

const pictures = process.env.SCREENSHOTS;
if (pictures !== undefined) mkdirSync(pictures, { recursive: true });

test("firmware is received, installed, started and rolled back on the page, and the box is reset", async (t) => {
  const bundles = new Bundles();
  t.after(() => bundles.remove());
  const sticks = mkdtempSync(join(tmpdir(), "sticks-"));
  t.after(() => rmSync(sticks, { recursive: true, force: true }));
  const environment = { STEADYCAST_KEYRING: bundles.keyring, STEADYCAST_USB: sticks };
  Object.assign(process.env, environment);
  t.after(() => {
    for (const name of Object.keys(environment)) delete process.env[name];
  });
  const [box, receiver] = await boxOnAir(t, address, port);
  // With the port that it was given at its first start; else a reboot would give it another one.
  await box.stop();
  await box.start();
  const browser = await launchBrowser();
  t.after(() => browser.close());
  const context = await browser.newContext();
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  const complaints = complaintsOf(page, isRefusedByPolicy);
  const button = (name: string) => page.getByRole("button", { name, exact: true });
  const card = (name: string) => page.getByRole("region", { name, exact: true });
  const dialog = page.getByRole("dialog");
  const slot = (name: string) => card(`Slot ${name}`);
  const told = (text: string | RegExp) => page.getByRole("status").getByText(text).waitFor();
  const event = (name: RegExp) => card("History").getByRole("row", { name }).first().waitFor();
  const choose = (file: string) => page.getByLabel("File of a bundle").last().setInputFiles(file);
  const picture = async (name: string) => {
    if (pictures !== undefined) await page.screenshot({ path: `${pictures}/real-${name}.png`, fullPage: true });
  };

  await (await box.admin()).into(context);
  await page.goto(`${box.url}/#firmware`);

  await t.test("what runs is told, and that there is nothing else", async () => {
    await card("This box runs").getByText(was, { exact: true }).waitFor();
    await slot("A").getByText("Good", { exact: true }).waitFor();
    await slot("A").getByText("runs now").waitFor();
    await slot("B").getByText("Nothing was ever installed here.").waitFor();
    await card("USB sticks").getByText("There is no bundle on a USB stick.").waitFor();
  });

  await t.test("a bundle that strangers have signed is refused, with the reason", async () => {
    await choose(bundles.make({ version: newer, stranger: true }));
    await card("Upload a bundle").getByRole("alert").getByText("not by those whom this box trusts").waitFor();
    await event(/^.* Bundle refused – admin .*not by those whom this box trusts/);
    assert.equal(await card("Bundle at hand").count(), 0);
  });

  await t.test("a good one is at hand, with its notes", async () => {
    await choose(bundles.make({ version: newer, notes, size: 20_000_000 }));
    await card("Bundle at hand").getByText(newer, { exact: true }).waitFor();
    const text = await card("Bundle at hand").locator("pre").innerText();
    assert.equal(text, notes);
    await event(new RegExp(`Bundle received ${newer} admin`));
    assert.equal(await card("Upload a bundle").getByRole("alert").textContent(), "");
    await picture("bundle");
  });

  await t.test(
    "it is installed and started: the page waits and tells what runs, and the channel is on air again",
    async () => {
      while ((await receiver.during(500)) < 150);
      await button("Install and start").click();
      await dialog.getByRole("button", { name: "Install and start" }).click();
      await page.getByRole("alert").getByText(`The box starts ${newer}.`).waitFor();
      await told(`${newer} runs now and has been found good.`);
      await card("This box runs").getByText(newer, { exact: true }).waitFor();
      await slot("B").getByText("runs now").waitFor();
      await slot("A").getByText("Good", { exact: true }).waitFor();
      await event(new RegExp(`Started \\(slot B\\) ${newer} the box`));
      await picture("started");
      while ((await receiver.during(500)) < 150);
    },
  );

  await t.test("an older version is installed only on the explicit order, here from a stick", async () => {
    mkdirSync(join(sticks, "BACKUP"));
    copyFileSync(bundles.make({ version: older }), join(sticks, "BACKUP", "old.raucb"));
    await button("Look again").click();
    await button("Take old.raucb").click();
    const form = page.getByRole("form", { name: `Install ${older}` });
    await form.getByText(`This version is older than ${newer}, which runs.`).waitFor();
    await form.getByLabel("When to start").selectOption({ label: "Later, by hand" });
    assert.equal(await button("Install").getAttribute("aria-disabled"), "true");
    await picture("older");
    const install = JSON.stringify({ activation: { when: "manual" } });
    const headers = { "Content-Type": "application/json" };
    const refused = await box.fetch("/api/v1/firmware/install", { method: "POST", headers, body: install });
    assert.equal(refused.status, 409);
    await form.getByLabel(`Install the older version ${older} all the same`).check();
    await button("Install").click();
    await slot("A").getByText("Installed, not started yet").waitFor();
    await slot("A").getByText(older, { exact: true }).waitFor();
    assert.equal(await slot("A").getByText("boots next", { exact: true }).count(), 0);
  });

  await t.test("what is installed is started at the next boot, which is taken back, and then by hand", async () => {
    await slot("A").getByLabel("When to start").selectOption({ label: "When the box boots next" });
    await button("Order it").click();
    await card("This box runs").getByText(`${older} is started when the box boots next`).waitFor();
    await slot("A").getByText("boots next", { exact: true }).waitFor();
    await button("Take back").click();
    await slot("B").getByText("boots next", { exact: true }).waitFor();
    await slot("A").getByLabel("When to start").selectOption({ label: "Now" });
    await button(`Start ${older}`).click();
    await dialog.getByRole("button", { name: "Start it" }).click();
    await told(`${older} runs now and has been found good.`);
  });

  await t.test("it is rolled back by another page, and this one tells what runs", async () => {
    const other = await context.newPage();
    await other.goto(`${box.url}/#firmware`);
    await page.getByRole("link", { name: "Network" }).click();
    await other.getByRole("button", { name: `Roll back to ${newer}` }).click();
    await other.getByRole("dialog").getByText("Settings stay.").waitFor();
    await other.getByRole("dialog").getByRole("button", { name: "Roll back" }).click();
    await told(`${newer} runs now and has been found good.`);
    await other.getByRole("status").getByText(`${newer} runs now and has been found good.`).waitFor();
    await other.close();
    await page.getByRole("link", { name: "Firmware" }).click();
    await event(new RegExp(`Rolled back \\(slot B\\) ${newer} admin`));
    await picture("history");
  });

  await t.test("power: this machine is not the box's to switch off, and says so", async () => {
    await page.getByRole("link", { name: "Power" }).click();
    await card("Power").getByText("This box is a program: stop it and start it again").waitFor();
    assert.equal(await button("Reboot").getAttribute("aria-disabled"), "true");
    await picture("power");
  });

  await t.test("factory settings: users and settings are gone, the network is kept", async () => {
    const headers = { "Content-Type": "application/json" };
    const patch = { network: { hostname: "studio-9" }, box: { name: "Studio 9" } };
    const patched = await box.fetch("/api/v1/config/apply", {
      ...{ method: "POST", headers, body: JSON.stringify({ patch }) },
    });
    assert.ok(patched.ok, await patched.text());
    await page.getByRole("heading", { name: "Studio 9" }).waitFor();
    await button("Reset to factory settings").click();
    await dialog.getByLabel("Keep the network settings").check();
    await dialog.getByLabel("Your password").fill("wrong");
    await dialog.getByRole("button", { name: "Reset" }).click();
    await dialog
      .getByRole("alert")
      .getByText(/password/)
      .waitFor();
    await picture("reset");
    await dialog.getByLabel("Your password").fill(PASSWORD);
    await dialog.getByRole("button", { name: "Reset" }).click();
    await page.getByText("This box has no password yet.").waitFor();
    const answer = await box.fetch("/api/v1/config");
    const config = (await answer.json()) as { network: { hostname: string }; box: { name: string } };
    assert.deepEqual([config.network.hostname, config.box.name], ["studio-9", "Steadycast"]);
    assert.deepEqual(complaints, []);
  });
});
