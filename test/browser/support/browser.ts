/** Debian's Chromium, silent and without a network of its own. */
import { type Browser, type ConsoleMessage, chromium, type Page } from "playwright-core";

export async function launchBrowser(): Promise<Browser> {
  return await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

/** What the page complains of from now on: errors that nobody catches, and those of its console's messages that count. */
export function complaintsOf(page: Page, counts: (message: ConsoleMessage) => boolean): string[] {
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => {
    if (counts(message)) complaints.push(message.text());
  });
  return complaints;
}

/** Errors and warnings, but for what Chromium notes of each refusal and of the loss of a stream. */
export function isUnexpected(message: ConsoleMessage): boolean {
  const noted = /Failed to load resource|ERR_CONNECTION|ERR_INCOMPLETE/.test(message.text());
  return ["error", "warning"].includes(message.type()) && !noted;
}

export function isRefusedByPolicy(message: ConsoleMessage): boolean {
  return /Content Security Policy|Refused to/.test(message.text());
}
