/** The administration on the box itself: first start, users, trial, history, tokens, while the channel stays on air. */
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import test from "node:test";
import type { Page } from "playwright-core";
import { complaintsOf, isRefusedByPolicy, launchBrowser } from "./support/browser.ts";
import { boxOnAir } from "./support/realBox.ts";

const [address, port] = ["239.255.5.4", 15_040];
const password = "three mild oysters";
/** 4 Mbit/s in datagrams of 1316 bytes are 380 a second; some are under way at both ends of the count. */
const leastPerSecond = 360;

const pictures = process.env.SCREENSHOTS;
if (pictures !== undefined) mkdirSync(pictures, { recursive: true });

async function logIn(page: Page, user: string, secret: string): Promise<void> {
  await page.getByLabel("User").fill(user);
  await page.getByLabel("Password", { exact: true }).fill(secret);
  await page.getByRole("button", { name: "Log in", exact: true }).click();
}

test("a box is set up and looked after on its page, and its channel stays on air", async (t) => {
  const [box, receiver] = await boxOnAir(t, address, port);
  const browser = await launchBrowser();
  t.after(() => browser.close());
  const page = await browser.newPage();
  page.setDefaultTimeout(20_000);
  const complaints = complaintsOf(page, isRefusedByPolicy);
  const button = (name: string) => page.getByRole("button", { name, exact: true });
  const card = (name: string) => page.getByRole("region", { name, exact: true });
  const open = (name: string) => page.getByRole("link", { name, exact: true }).click();
  const dialog = page.getByRole("dialog");
  const picture = async (name: string) => {
    if (pictures !== undefined) await page.screenshot({ path: `${pictures}/real-${name}.png`, fullPage: true });
  };
  const hostname = async () => {
    const answer = await box.fetch("/api/v1/config");
    return ((await answer.json()) as { network: { hostname: string } }).network.hostname;
  };

  await page.goto(box.url);
  let began = 0;
  let before = 0;

  await t.test("the channel is on air before anybody has logged in", async () => {
    await page.getByText("This box has no password yet.").waitFor();
    while ((await receiver.during(500)) < leastPerSecond / 2);
    [began, before] = [performance.now(), receiver.count];
  });

  await t.test("the default login leads to choosing a password, and no further", async () => {
    await logIn(page, "admin", "admin");
    await page.getByRole("heading", { name: "Set up this box" }).waitFor();
    const choose = async (secret: string) => {
      await page.getByLabel("New password", { exact: true }).fill(secret);
      await page.getByLabel("New password again").fill(secret);
      await button("Set the password").click();
    };
    await choose("short");
    await page.getByText("must have 10 to 128 characters, has 5", { exact: true }).waitFor();
    await choose("password123");
    await page
      .getByText(/one of those that are tried first/)
      .first()
      .waitFor();
    await choose(password);
    await page.locator(".state").filter({ hasText: "Live" }).waitFor();
    await button("Log out").click();
    await logIn(page, "admin", "admin");
    await page.getByRole("alert").getByText("User, password or code is wrong").waitFor();
    await logIn(page, "admin", password);
    await page.getByRole("article", { name: "Channel 1" }).waitFor();
  });

  await t.test("a user is added", async () => {
    await open("Users");
    const form = page.getByRole("form", { name: "New user" });
    await form.getByLabel("Name").fill("olga");
    await form.getByLabel("Role").selectOption("operator");
    await form.getByLabel("Password").fill("four calm herrings");
    await button("Add the user").click();
    await card("Users").getByRole("listitem").filter({ hasText: "olga" }).getByText("Operator").first().waitFor();
    await picture("users");
  });

  await t.test("a token is made, works, and is worth nothing once it is revoked", async () => {
    await open("Account");
    await card("API tokens").getByLabel("Name").fill("nms");
    await button("Make the token").click();
    const token = await page.getByText(/^sc_/).textContent();
    const ask = async () => {
      const headers = { Authorization: `Bearer ${token}` };
      return (await fetch(`${box.url}/api/v1/channels`, { headers })).status;
    };
    assert.equal(await ask(), 200);
    await button("I have kept it").click();
    await button("Revoke nms").click();
    await dialog.getByRole("button", { name: "Revoke" }).click();
    await card("API tokens").getByText("nms", { exact: true }).waitFor({ state: "detached" });
    assert.equal(await ask(), 401);
  });

  const tryHostname = async (name: string, comment: string) => {
    await open("Network");
    await card("Network settings").getByLabel("Host name").fill(name);
    await button("Show what would change").click();
    await dialog.getByRole("row", { name: new RegExp(`Network › Host name .* ${name}$`) }).waitFor();
    await picture("plan");
    await dialog.getByLabel("Comment").fill(comment);
    await button("Try it").click();
    await card("A change is on trial").getByText(`(“${comment}”)`).waitFor();
  };

  await t.test("what is wrong is told at its field", async () => {
    await open("Network");
    await card("Ports").getByRole("listitem").first().waitFor();
    await card("Network settings").getByLabel("Host name").fill("Not A Name");
    await button("Show what would change").click();
    await dialog.getByRole("button", { name: "Close" }).click();
    await page.waitForFunction(() => document.activeElement?.getAttribute("aria-invalid") === "true");
    await card("Network settings").getByText("must be lower-case letters, digits and hyphens (RFC 1123)").waitFor();
    await button("Discard").click();
  });

  await t.test("a network setting is tried, counted down on every page, and taken back", async () => {
    await tryHostname("studio-7", "A try");
    assert.equal(await hostname(), "studio-7");
    await open("Box");
    await card("A change is on trial")
      .getByText(/^1[01]\d s$/)
      .waitFor();
    await picture("trial");
    await button("Go back now").click();
    await page.getByRole("status").getByText("The box is back at its former settings.").waitFor();
    assert.equal(await hostname(), "steadycast");
  });

  await t.test("it is tried again, kept, and in the history; an older version is restored", async () => {
    await tryHostname("studio-8", "For good");
    await button("Keep the change").click();
    await page.getByRole("status").getByText("The change is kept.").waitFor();
    await open("Configuration");
    const newest = card("Versions").getByRole("listitem").first();
    await newest.getByText("For good").waitFor();
    await newest.getByText(/by admin/).waitFor();
    await card("Compare").getByRole("row", { name: "Network › Host name steadycast studio-8" }).waitFor();
    await picture("history");
    await page
      .getByRole("button", { name: /^Restore version/ })
      .first()
      .click();
    await dialog.getByRole("row", { name: "Network › Host name studio-8 steadycast" }).waitFor();
    await button("Try it").click();
    await button("Keep the change").click();
    await page.getByRole("status").getByText("The change is kept.").waitFor();
    assert.equal(await hostname(), "steadycast");
  });

  await t.test("a session that is ended elsewhere leads to the log-in, and back to where one was", async () => {
    const answer = await box.fetch("/api/v1/sessions");
    const { sessions } = (await answer.json()) as { sessions: { id: string }[] };
    for (const { id } of sessions) await box.fetch(`/api/v1/sessions/${id}`, { method: "DELETE" });
    await page.getByText("The session has ended.").waitFor();
    await logIn(page, "olga", "four calm herrings");
    await page.getByText("Only admins can restore a version.").waitFor();
    assert.equal(await page.getByRole("link", { name: "Users" }).count(), 0);
  });

  await t.test("meanwhile the channel was on air without a gap", () => {
    const seconds = (performance.now() - began) / 1000;
    const got = receiver.count - before;
    assert(got > leastPerSecond * seconds, `${got} datagrams in ${seconds} s`);
    assert.deepEqual(complaints, []);
  });
});
