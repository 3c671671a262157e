/** Bundles from a web server. */
import { basename } from "node:path";
import { webFault } from "../../system/webFault.ts";

export type Opened =
  | { ok: true; size: number | null; body: AsyncIterable<Uint8Array>; name: string }
  | { ok: false; why: string };

const MAX_REDIRECTS = 5;
/** Longest silence of a server, ms. */
const SILENCE_MS = 60_000;

/** Asks for a file, wherever the server sends it to. Errors while it comes are Error with words for people. */
export async function openUrl(url: string, signal: AbortSignal, silenceMs = SILENCE_MS): Promise<Opened> {
  const silence = new Silence(silenceMs);
  const all = AbortSignal.any([signal, silence.signal]);
  try {
    let at = new URL(url);
    for (let redirects = 0; ; redirects++) {
      if (!isWeb(at)) return { ok: false, why: "The server sends it to an address that is not http or https" };
      const response = await fetch(at, { redirect: "manual", signal: all, headers: { "Accept-Encoding": "identity" } });
      const to = response.headers.get("Location");
      if (response.status >= 300 && response.status < 400 && to !== null) {
        await response.body?.cancel();
        if (redirects === MAX_REDIRECTS) return { ok: false, why: "The server sends it from one address to another" };
        const next = new URL(to, at);
        if (at.protocol === "https:" && next.protocol === "http:") {
          return { ok: false, why: "The server sends it to an address without encryption" };
        }
        at = next;
        continue;
      }
      if (!response.ok || response.body === null) {
        await response.body?.cancel();
        return { ok: false, why: `The server answers with status ${response.status}` };
      }
      const length = response.headers.get("Content-Length");
      const isPlain = response.headers.get("Content-Encoding") === null;
      const size = length !== null && isPlain ? Number(length) : null;
      return { ok: true, size, body: heard(response.body, silence), name: nameOf(at) };
    }
  } catch (error) {
    silence.end();
    return { ok: false, why: inWords(error, silence) };
  }
}

export function isWeb({ protocol, username, password }: URL): boolean {
  return (protocol === "http:" || protocol === "https:") && username === "" && password === "";
}

/** Of the file, without what a query may hold. */
export function nameOf(url: URL): string {
  return `${url.host}/…/${basename(url.pathname)}`.replace("/…//", "/");
}

async function* heard(body: AsyncIterable<Uint8Array>, silence: Silence): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of body) {
      silence.heard();
      yield chunk;
    }
  } catch (error) {
    throw new Error(inWords(error, silence));
  } finally {
    silence.end();
  }
}

/** Gives up a server that says nothing for too long. */
class Silence {
  readonly #abort = new AbortController();
  readonly #timer: NodeJS.Timeout;
  readonly #ms: number;

  constructor(ms: number) {
    this.#ms = ms;
    this.#timer = setTimeout(() => this.#abort.abort(), ms);
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  get seconds(): number {
    return this.#ms / 1000;
  }

  heard(): void {
    this.#timer.refresh();
  }

  end(): void {
    clearTimeout(this.#timer);
  }
}

function inWords(error: unknown, silence: Silence): string {
  if (silence.signal.aborted) return `The server said nothing for ${silence.seconds} s`;
  const cause = error instanceof Error ? (error.cause ?? error) : undefined;
  return `It could not be fetched: ${webFault(cause)}`;
}
