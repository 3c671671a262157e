/**
 * A media process that does nothing but speak the control protocol. Arguments: role, habits (JSON), then the usual ones.
 * Habits: exitAtStart (code), protocol (number), role, mute (no hello), deaf (does not answer pings), stubborn (takes
 * neither quit nor SIGTERM). A spec with "refuse" is refused, one with "fail" fails, one with "die" ends the process.
 */
import { unlinkSync } from "node:fs";
import { createServer } from "node:net";

const [, , role, json, ...rest] = process.argv;
const habits = JSON.parse(json);
const path = rest[rest.indexOf("--socket") + 1];
if (habits.exitAtStart !== undefined) process.exit(habits.exitAtStart);
if (habits.stubborn) process.on("SIGTERM", () => {});

let spec = null;
let pings = 0;

const methods = {
  ping: () => {
    pings++;
    return habits.deaf && pings > 1 ? undefined : { result: {} };
  },
  apply: ({ spec: next }) => {
    if (next.die) process.exit(6);
    if (next.refuse) return { error: { code: "invalid", message: `must not be ${next.refuse}`, field: "/refuse" } };
    if (next.fail) return { error: { code: "failed", message: "out of everything" } };
    if (next.ignore) return undefined;
    spec = next;
    return { result: { live: ["/value"], rebuilt: [] } };
  },
  stats: () => ({ result: { pings, spec } }),
  quit: () => {
    if (!habits.stubborn) setTimeout(() => process.exit(0), 10);
    return { result: {} };
  },
  never: () => undefined,
  crash: () => process.exit(6),
  say: (event) => {
    broadcast(event);
    return { result: {} };
  },
  nonsense: () => {
    for (const client of clients) client.write("}this is no JSON{\n");
    return undefined;
  },
};

const clients = new Set();
const broadcast = (message) => {
  for (const client of clients) client.write(`${JSON.stringify(message)}\n`);
};

const server = createServer((client) => {
  clients.add(client);
  client.on("error", () => {}).on("close", () => clients.delete(client));
  if (!habits.mute) {
    const greeting = { event: "hello", role: habits.role ?? role, version: "fake", protocol: habits.protocol ?? 1 };
    client.write(`${JSON.stringify({ ...greeting, pid: process.pid, spec })}\n`);
  }
  let text = "";
  client.setEncoding("utf8").on("data", (chunk) => {
    text += chunk;
    const lines = text.split("\n");
    text = lines.pop();
    for (const line of lines) {
      const { id, method, params } = JSON.parse(line);
      const reply =
        methods[method]?.(params) ??
        (methods[method] ? undefined : { error: { code: "unknown-method", message: method } });
      if (reply !== undefined) client.write(`${JSON.stringify({ id, ...reply })}\n`);
    }
  });
});
try {
  unlinkSync(path);
} catch {}
server.listen(path);
