/** Log-in, users, network and configuration, with a box that does what the test says. */
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import test, { after, afterEach, before, beforeEach } from "node:test";
import type { Browser, Page } from "playwright-core";
import { config as schema } from "../../src/config/schema.ts";
import { complaintsOf, isUnexpected, launchBrowser } from "./support/browser.ts";
import { lowContrastTexts } from "./support/contrast.ts";
import { adminUser, refused } from "./support/fakeAdministration.ts";
import { FakeApi } from "./support/fakeApi.ts";
import { liveChannel } from "./support/statuses.ts";

/** Where pictures of the pages go; none are taken without it. */
const pictures = process.env.SCREENSHOTS;

let browser: Browser;
let page: Page;
let api: FakeApi;
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
  api.config = schema.parse({
    version: 3,
    box: { name: "Headend 3" },
    network: { hostname: "headend-3", links: [{ type: "ethernet", name: "eth0" }] },
  });
  api.channels = [liveChannel("one", "One")];
  api.beats = true;
  url = await api.start();
  page = await browser.newPage();
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
const shows = (text: string | RegExp) => page.getByText(text).first().waitFor();
const focusedName = () =>
  page.evaluate(() => {
    const element = document.activeElement;
    const label = element instanceof HTMLInputElement ? element.labels?.[0]?.textContent : null;
    return label ?? element?.textContent ?? "";
  });
const picture = async (name: string) => {
  if (pictures !== undefined) await page.screenshot({ path: `${pictures}/${name}.png`, fullPage: true });
};

async function logIn(user: string, password: string): Promise<void> {
  await page.getByLabel("User").fill(user);
  await page.getByLabel("Password", { exact: true }).fill(password);
  await button("Log in").click();
}

test("nobody is let in without logging in; then the page is where it was asked for", async () => {
  api.administration.user = null;
  await page.goto(`${url}/#users`);
  await button("Log in").waitFor();
  assert.equal(await focusedName(), "User");
  assert.equal(await page.getByText("Headend 3").count(), 0);
  await picture("login");
  await logIn("anna", "wrong");
  await page.getByRole("alert").getByText("User, password or code is wrong").waitFor();
  assert.equal(await focusedName(), "Password");
  await page.keyboard.type(api.administration.password);
  await page.keyboard.press("Enter");
  await card("Users").waitFor();
  await shows("anna Admin");
  await page.waitForFunction(() => document.title === "Users · Headend 3");
});

test("an account with a second factor is asked for its code", async () => {
  api.administration.user = null;
  api.administration.code = "123456";
  await page.goto(url);
  await logIn("anna", api.administration.password);
  await shows("This account logs in with a code, too.");
  assert.equal(await focusedName(), "Code");
  await page.keyboard.type("000000");
  await page.keyboard.press("Enter");
  await page.getByRole("alert").getByText("User, password or code is wrong").waitFor();
  assert.equal(await focusedName(), "Code");
  await page.keyboard.type("123456");
  await page.keyboard.press("Enter");
  await page.getByRole("article", { name: "One" }).waitFor();
});

test("who has guessed too often is told how long to wait, and not let try before", async () => {
  const { administration } = api;
  administration.user = null;
  const answer = refused(429, "too-many", "Too many wrong passwords");
  administration.instead.set("POST /session", { ...answer, headers: { ...answer.headers, "Retry-After": "2" } });
  await page.goto(url);
  await logIn("anna", administration.password);
  await page.getByRole("alert").getByText("Too many wrong passwords").waitFor();
  await shows(/Try again in [12] s\./);
  await button("Log in").click({ force: true });
  assert.equal(administration.sent("POST /session").length, 1);
  await page.getByText(/Try again in/).waitFor({ state: "detached" });
  await button("Log in").click();
  await page.getByRole("article", { name: "One" }).waitFor();
});

test("the first start: the default login leads to choosing a password, which may be refused", async () => {
  api.administration.user = null;
  api.administration.needsSetup = true;
  await page.goto(url);
  await shows("This box has no password yet.");
  await logIn("admin", "admin");
  await page.getByRole("heading", { name: "Set up this box" }).waitFor();
  await shows("The channels are on air meanwhile");
  assert.equal(await focusedName(), "New password");
  await picture("setup");
  const first = page.getByLabel("New password", { exact: true });
  const second = page.getByLabel("New password again");
  await first.fill("short");
  await second.fill("shorter");
  await button("Set the password").click();
  await shows("The two are not the same.");
  await second.fill("short");
  await button("Set the password").click();
  await page.getByText("must have at least 10 characters", { exact: true }).waitFor();
  assert.equal(await first.getAttribute("aria-invalid"), "true");
  await first.fill("a right long password");
  await second.fill("a right long password");
  await button("Set the password").click();
  await page.getByRole("article", { name: "One" }).waitFor();
  await shows("admin Admin");
});

test("a session that ends leads to the log-in and back to the same page; a lost box does not", async () => {
  const gates: string[] = [];
  await page.exposeFunction("gateSeen", (text: string) => gates.push(text));
  await page.addInitScript(() => {
    new MutationObserver(() => {
      if (document.querySelector(".gate") !== null)
        void (globalThis as unknown as { gateSeen(text: string): void }).gateSeen("gate");
    }).observe(document, { subtree: true, childList: true });
  });
  await page.goto(`${url}/#network`);
  await card("Ports").waitFor();
  await api.stop();
  await shows("The box cannot be reached.");
  await api.start();
  await page.getByText("Connected", { exact: true }).waitFor();
  assert.deepEqual(gates, []);

  api.administration.user = null;
  api.endStreams();
  await shows("The session has ended.");
  await logIn("anna", api.administration.password);
  await card("Ports").waitFor();
  await page.getByText("Connected", { exact: true }).waitFor();
});

test("an order that meets an ended session leads to the log-in", async () => {
  await page.goto(`${url}/#account`);
  const end = button("End the session of anna from 192.168.1.77");
  await end.waitFor();
  api.administration.user = null;
  await end.click();
  await shows("The session has ended.");
});

test("logging out ends the session and forgets what was shown", async () => {
  await page.goto(url);
  await shows("One");
  await button("Log out").click();
  await button("Log in").waitFor();
  assert.equal(await page.getByText("The session has ended").count(), 0);
  assert.equal(await page.getByRole("article").count(), 0);
  assert.equal(api.administration.sent("DELETE /session").length, 1);
});

test("what a role may not do is not offered", async () => {
  api.administration.user = { ...adminUser, name: "vera", role: "viewer" };
  api.administration.startTrial({ confirmSeconds: 60 });
  await page.goto(`${url}/#users`);
  await page.getByRole("article", { name: "One" }).waitFor();
  assert.deepEqual(await page.getByRole("navigation").getByRole("link").allTextContents(), [
    "Box",
    "Network",
    "Configuration",
    "Firmware",
    "Account",
  ]);
  assert.equal(await button("Stop").count(), 0);
  assert.equal(await page.getByText("A change is on trial").count(), 0);
  await page.getByRole("link", { name: "Network" }).click();
  await shows("Only admins can change the network.");
  await page.getByRole("link", { name: "Configuration" }).click();
  await shows("Only admins can restore a version.");
  assert.equal(await button("Restore version 2").count(), 0);
});

test("the own password is changed, and a wrong one is told where it belongs", async () => {
  const { administration } = api;
  await page.goto(`${url}/#account`);
  const form = card("Password");
  const fill = async (current: string, next: string) => {
    await form.getByLabel("Current password").fill(current);
    await form.getByLabel("New password", { exact: true }).fill(next);
    await form.getByLabel("New password again").fill(next);
    await button("Change the password").click();
  };
  await fill("wrong", "another long password");
  await form.getByRole("alert").getByText("The current password is wrong").waitFor();
  await fill(administration.password, "another long password");
  await form.getByText("The password is changed.").waitFor();
  assert.equal(administration.password, "another long password");
  assert.equal(await form.getByLabel("Current password").inputValue(), "");
});

test("a second factor is set up: QR code, key, code, recovery codes shown once", async () => {
  const { administration } = api;
  await page.goto(`${url}/#account`);
  const form = card("Second factor");
  await form.getByLabel("Your password").fill(administration.password);
  await button("Set up").click();
  await page.getByRole("img", { name: /QR code/ }).waitFor();
  await form.getByText("JBSW Y3DP EHPK 3PXP").waitFor();
  assert.equal(await focusedName(), "Code of the app");
  await picture("totp");
  await page.keyboard.type("111111");
  await button("Switch on").click();
  await form.getByText("The code is wrong").waitFor();
  await form.getByLabel("Code of the app").fill("123 456".replace(" ", ""));
  await button("Switch on").click();
  await form.getByText("abcd-efgh-9").waitFor();
  assert.equal(await form.getByRole("listitem").count(), 10);
  await picture("recovery");
  await button("I have kept it").click();
  await form.getByText("On: you log in with a code of your authenticator app, too.").waitFor();
  assert.equal(await page.getByText("abcd-efgh-9").count(), 0);
  await form.getByLabel("Your password").fill(administration.password);
  await button("Switch the second factor off").click();
  await page.getByRole("dialog").getByRole("button", { name: "Switch off" }).click();
  await form.getByText(/^Off\./).waitFor();
});

test("who must set a second factor up can do nothing else before", async () => {
  api.administration.user = { ...adminUser, mustEnrol: true };
  await page.goto(url);
  await shows("Set it up now; everything else comes after it.");
  assert.deepEqual(await page.getByRole("navigation").getByRole("link").allTextContents(), ["Account"]);
});

test("tokens are made, shown once, and revoked", async () => {
  await page.goto(`${url}/#account`);
  const tokens = card("API tokens");
  await tokens.getByLabel("Name").fill("nms");
  await tokens.getByLabel("Role").selectOption("operator");
  await tokens.getByLabel("Status").check();
  await button("Make the token").click();
  await tokens.getByText("sc_0123456789abcdef").waitFor();
  const [sent] = api.administration.sent("POST /tokens");
  assert.equal(sent?.name, "nms");
  assert.equal(sent?.role, "operator");
  assert.deepEqual(sent?.scopes, ["status"]);
  assert(Math.abs(Date.parse(String(sent?.expires)) - Date.now() - 90 * 86_400_000) < 60_000);
  await button("I have kept it").click();
  assert.equal(await page.getByText("sc_0123456789abcdef").count(), 0);
  await picture("account");
  await button("Revoke nms").click();
  await page.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
  await tokens.getByText("nms", { exact: true }).waitFor({ state: "detached" });
});

test("users are added, changed and deleted; the last admin is not", async () => {
  const { administration } = api;
  await page.goto(`${url}/#users`);
  await card("Users").waitFor();
  const add = page.getByRole("form", { name: "New user" });
  await add.getByLabel("Name").fill("otto");
  await add.getByLabel("Password").fill("a right long password");
  await button("Add the user").click();
  await add.getByText("“otto” is there already", { exact: true }).waitFor();
  assert.equal(await add.getByLabel("Name").getAttribute("aria-invalid"), "true");
  await add.getByLabel("Name").fill("vera");
  await button("Add the user").click();
  await add.getByText("vera can log in now.").waitFor();

  const row = (name: string) => card("Users").getByRole("listitem").filter({ hasText: name });
  await row("otto").locator("summary").click();
  await picture("users");
  await row("otto").getByLabel("Role").selectOption("viewer");
  await row("otto")
    .getByLabel(/^Disabled/)
    .check();
  await row("otto").getByRole("button", { name: "Save" }).click();
  await row("otto").getByText("Viewer, disabled").waitFor();
  await row("otto").getByRole("button", { name: "Remove the second factor" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Remove", exact: true }).click();
  await row("otto").getByText("second factor off").waitFor();
  assert.deepEqual(administration.sent("PATCH /users/otto"), [{ role: "viewer", disabled: true }]);
  await button("Delete otto").click();
  await button("Delete the user").click();
  await row("otto").waitFor({ state: "detached" });

  await row("anna").locator("summary").click();
  await row("anna").getByLabel("Role").selectOption("viewer");
  await row("anna").getByRole("button", { name: "Save" }).click();
  await row("anna").getByText("The last admin must stay").waitFor();
});

test("ports are shown as measured, with what is wrong in words", async () => {
  await page.goto(`${url}/#network`);
  const port = card("Ports").getByRole("listitem", { name: "eth1" });
  for (const text of ["100 Mbit/s, full duplex", "192.168.1.168/24 static", "in use: 192.168.1.168", "9000 bytes"]) {
    await port.getByText(text, { exact: true }).waitFor();
  }
  await port
    .getByText("eth1 has an MTU of 9000: every switch and receiver on the way must take jumbo frames")
    .waitFor();
  await page.getByLabel("IPv4 address", { exact: true }).fill("192.168.1.9");
  await button("Ask the network").click();
  await shows("192.168.1.9 is taken: 02:00:00:00:00:09 answers for it on eth0");
});

test("network settings: planned, refused at their fields, applied on trial, and kept", async () => {
  const { administration } = api;
  await page.goto(`${url}/#network`);
  const settings = card("Network settings");
  const port = settings.getByRole("group", { name: "eth0", exact: true });
  await button("Settings for eth1").waitFor();
  assert.equal(await port.locator("datalist option[value=eth1]").count(), 1);
  await port.getByLabel("IPv4", { exact: true }).selectOption("static");
  await port.getByLabel("Address", { exact: true }).fill("10.0.0.999");
  await port.getByLabel("MTU (bytes)").fill("");
  administration.errors = [
    { pointer: "/network/links/0/ipv4/address", message: 'must be an IPv4 address, is "10.0.0.999"' },
    { pointer: "/network/links/0/mtu", message: "must be a whole number between 1280 and 9216 bytes, is null" },
  ];
  await button("Show what would change").click();
  const dialog = page.getByRole("dialog", { name: "Apply this change?" });
  await dialog.getByText("Ports › eth0 › IPv4 › Address: must be an IPv4 address").waitFor();
  await picture("refused");
  await dialog.getByRole("button", { name: "Close" }).click();
  await port.getByText('must be an IPv4 address, is "10.0.0.999"').waitFor();
  await page.waitForFunction(() => document.activeElement?.getAttribute("aria-invalid") === "true");
  assert.equal(await focusedName(), "Address");
  assert.equal(await port.getByLabel("MTU (bytes)").getAttribute("aria-invalid"), "true");

  await port.getByLabel("Address", { exact: true }).fill("10.0.0.5");
  await port.getByLabel("MTU (bytes)").fill("1500");
  administration.errors = [];
  administration.differences = [
    { pointer: "/network/links/0/ipv4/method", before: "dhcp", after: "static" },
    { pointer: "/network/links/0/ipv4/address", before: "192.168.1.168", after: "10.0.0.5" },
  ];
  administration.impacts = [{ id: "one", name: "One", change: "changed", effect: "transmit", interrupts: true }];
  administration.canCutOff = true;
  await picture("network");
  await page.keyboard.press("Enter");
  await dialog.getByRole("row", { name: "Network › Ports › eth0 › IPv4 › Address 192.168.1.168 10.0.0.5" }).waitFor();
  await dialog.getByText("One sends other packets").waitFor();
  await dialog.getByText("Then the box should answer at 10.0.0.5").waitFor();
  await picture("plan");
  await dialog.getByLabel("Keep it within").selectOption("60");
  await dialog.getByLabel("Comment").fill("New subnet");
  await dialog.getByRole("button", { name: "Try it" }).click();

  const trial = card("A change is on trial");
  await trial.getByText("By anna (“New subnet”)").waitFor();
  await trial.getByText(/^(60|59|58) s$/).waitFor();
  await picture("trial");
  const [sent] = administration.sent("POST /config/apply");
  assert.equal(sent?.confirmSeconds, 60);
  assert.equal(sent?.comment, "New subnet");
  assert.match(JSON.stringify(sent?.document), /"ipv4":\{"method":"static","address":"10\.0\.0\.5"/);
  await page.getByRole("link", { name: "Box" }).click();
  await trial.getByRole("button", { name: "Keep the change" }).click();
  await trial.waitFor({ state: "detached" });
  await page.getByRole("status").getByText("The change is kept.").waitFor();
  assert.deepEqual(administration.sent("POST /config/confirm"), [{ revision: 4 }]);
});

test("a change by somebody else meanwhile is told, and does not overwrite theirs", async () => {
  await page.goto(`${url}/#network`);
  await card("Network settings").getByLabel("Host name").fill("other-name");
  api.administration.differences = [{ pointer: "/network/hostname", before: "headend-3", after: "other-name" }];
  api.administration.canCutOff = true;
  api.tag = '"4-def"';
  api.publish("config", { revision: 4 });
  await shows("The configuration has changed meanwhile. Discard your changes");
  await button("Show what would change").click();
  await button("Try it").click();
  await page.getByRole("dialog").getByRole("alert").getByText("The configuration has changed meanwhile").waitFor();
  await page.keyboard.press("Escape");
  assert.equal(await card("A change is on trial").count(), 0);
  await button("Discard").click();
  assert.equal(await card("Network settings").getByLabel("Host name").inputValue(), "headend-3");
});

test("the countdown is on every page, runs on through a lost connection, and tells the new address", async () => {
  const { administration } = api;
  administration.startTrial({
    confirmSeconds: 8,
    author: "otto",
    differences: [{ pointer: "/network/links/0/ipv4/address", before: "192.168.1.50", after: "10.0.0.5" }],
  });
  await page.goto(`${url}/#account`);
  const trial = card("A change is on trial");
  await trial.getByText("By otto").waitFor();
  const port = new URL(url).port;
  const link = trial.getByRole("link", { name: "10.0.0.5" });
  assert.equal(await link.getAttribute("href"), `http://10.0.0.5:${port}/#account`);
  await api.stop();
  await trial.getByText("The time runs on there.").waitFor();
  assert.equal(await trial.getByRole("button", { name: "Keep the change" }).getAttribute("aria-disabled"), "true");
  await trial.getByText(/^[1-5] s$/).waitFor();
  await trial.getByText("The time is up").waitFor({ timeout: 10_000 });
  administration.trial = null;
  await api.start();
  await page.getByRole("status").getByText("Nobody kept the change in time").waitFor();
});

test("an answer that is lost with the way to the box is no refusal: the countdown runs", async () => {
  const { administration } = api;
  administration.differences = [{ pointer: "/network/hostname", before: "headend-3", after: "new-name" }];
  administration.canCutOff = true;
  await page.goto(`${url}/#network`);
  await card("Network settings").getByLabel("Host name").fill("new-name");
  await button("Show what would change").click();
  await button("Try it").waitFor();
  await page.route("**/api/v1/config/apply", async (route) => {
    await api.stop();
    await route.abort();
  });
  await button("Try it").click();
  const trial = card("A change is on trial");
  await trial.getByText(/^1[12]\d s$/).waitFor();
  await trial.getByRole("link", { name: /new-name\.local/ }).waitFor();
});

test("versions are listed, compared with labels, and restored", async () => {
  const { administration } = api;
  administration.differences = [{ pointer: "/network/mdns", before: true, after: false }];
  await page.goto(`${url}/#config`);
  const versions = card("Versions");
  await versions.getByText("Sport profile").waitFor();
  const compare = card("Compare");
  await compare.getByRole("row", { name: "Network › mDNS yes no" }).waitFor();
  await picture("config");
  await button("Restore version 2").click();
  const dialog = page.getByRole("dialog", { name: "Restore version 2?" });
  await dialog.getByText("It interrupts no channel.").waitFor();
  await dialog.getByRole("button", { name: "Apply" }).click();
  await dialog.waitFor({ state: "detached" });
  assert.deepEqual(administration.sent("POST /config/history/2/restore"), [{}]);
});

test("a backup is saved, and brought back after a look at what it changes", async () => {
  const { administration } = api;
  await page.goto(`${url}/#config`);
  const save = page.getByRole("form", { name: "Save a backup" });
  await save.getByLabel("Passphrase").fill("correct horse");
  await save.getByLabel("Network").check();
  const [download] = await Promise.all([page.waitForEvent("download"), button("Save to a file").click()]);
  assert.equal(download.suggestedFilename(), "headend-3.json");
  assert.deepEqual(administration.sent("POST /config/export"), [{ parts: ["network"], passphrase: "correct horse" }]);

  administration.differences = [{ pointer: "/box/name", before: "Headend 3", after: "Headend 4" }];
  const restore = page.getByRole("form", { name: "Bring a backup back" });
  await restore.getByRole("button", { name: "Show what would change" }).click();
  await restore.getByRole("alert").getByText("Choose the file of the backup first").waitFor();
  const [buffer, name] = [Buffer.from('{"steadycast":"backup"}'), "headend-3.json"];
  await restore.getByLabel("File").setInputFiles({ name, buffer, mimeType: "application/json" });
  await restore.getByLabel("Passphrase").fill("correct horse");
  await restore.getByRole("button", { name: "Show what would change" }).click();
  await page.getByRole("row", { name: "Box › Box name Headend 3 Headend 4" }).waitFor();
  await shows("The PIN was not in the backup: the panel is not locked.");
  await button("Apply").click();
  await page.getByRole("dialog").waitFor({ state: "detached" });
  const [plan, done] = administration.sent("POST /config/import");
  assert.equal(plan?.plan, true);
  assert.deepEqual(done, { backup: { steadycast: "backup" }, passphrase: "correct horse" });
});

const landmarks = { "": "One", network: "Time", config: "Compare", users: "New user", account: "API tokens" };
for (const [name, landmark] of Object.entries(landmarks)) {
  test(`page “${name}”: enough contrast, dark and light, and no overflow on a phone`, async () => {
    api.administration.differences = [{ pointer: "/network/mdns", before: true, after: false }];
    api.administration.startTrial({ confirmSeconds: 90, differences: api.administration.differences });
    await page.setViewportSize({ width: 360, height: 740 });
    await page.goto(`${url}/#${name}`);
    await card("A change is on trial").waitFor();
    await page.getByRole("heading", { name: landmark, exact: true }).waitFor();
    await page.evaluate(() => {
      for (const details of document.querySelectorAll("details")) details.open = true;
    });
    for (const colorScheme of ["dark", "light"] as const) {
      await page.emulateMedia({ colorScheme });
      assert.deepEqual(await lowContrastTexts(page), []);
    }
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 360);
    await picture(`phone-${name || "box"}`);
  });
}

test("the log-in has enough contrast and fits a phone", async () => {
  api.administration.user = null;
  api.administration.needsSetup = true;
  await page.setViewportSize({ width: 320, height: 640 });
  await page.goto(url);
  await logIn("anna", "wrong");
  await page.getByRole("alert").getByText("wrong").waitFor();
  for (const colorScheme of ["dark", "light"] as const) {
    await page.emulateMedia({ colorScheme });
    assert.deepEqual(await lowContrastTexts(page), []);
  }
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 320);
});
