/** A request of the supervisor to itself, over its own listeners. */
import { type IncomingMessage, request as requestPlain } from "node:http";
import { request as requestSecure } from "node:https";

/** Where to ask: a URL, or a path over a UNIX socket. */
export type Place = { url: string } | { socket: string; path: string };

/** The status that is answered. Rejects when there is no answer within `timeoutMs`. */
export function ask(place: Place, timeoutMs: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const take = (answer: IncomingMessage) => {
      // An answer that stops halfway is none.
      answer.on("error", reject);
      answer.resume().once("end", () => resolve(answer.statusCode ?? 0));
    };
    const options = { agent: false, signal: AbortSignal.timeout(timeoutMs) };
    const call =
      "socket" in place
        ? requestPlain({ ...options, socketPath: place.socket, path: place.path, headers: { host: "localhost" } }, take)
        : place.url.startsWith("https:")
          ? // It is itself, whatever its certificate says.
            requestSecure(place.url, { ...options, rejectUnauthorized: false }, take)
          : requestPlain(place.url, options, take);
    call.once("error", (error) => {
      const late = error.name === "AbortError" || error.name === "TimeoutError";
      reject(late ? new Error(`no answer within ${timeoutMs / 1000} s`) : error);
    });
    call.end();
  });
}
