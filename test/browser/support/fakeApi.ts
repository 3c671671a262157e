/** A box that does what the test says: the real page, an API of canned answers, faults on demand. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { buildWeb } from "../../../scripts/build.ts";
import type { ChannelStatus } from "../../../src/channels/status.ts";
import type { StoreProblem } from "../../../src/config/durableFile.ts";
import { type Config, config as schema } from "../../../src/config/schema.ts";
import { type Answer, FakeAdministration } from "./fakeAdministration.ts";

const types: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};

/** As strict as the product's own: what it would block is blocked in these tests too. */
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; " +
  "font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

export interface Refusal {
  status: number;
  title: string;
  detail: string;
}

export class FakeApi {
  channels: ChannelStatus[] = [];
  config: Config = schema.parse({ version: 3 });
  /** Entity tag of the configuration. */
  tag = '"3-abc"';
  storeProblems: StoreProblem[] = [];
  /** Log-in, users, configuration and network; an admin is logged in. */
  readonly administration = new FakeAdministration(
    () => this.config,
    () => this.tag,
  );
  /** Whether a listener hears something while nothing happens, as it does of the box. */
  beats = false;
  /** Orders that came, such as `ch1/stop`. */
  readonly orders: string[] = [];
  /** What the next orders are answered with. */
  refusal: Refusal | null = null;
  /** Answers orders only after this, ms. */
  orderDelayMs = 0;
  /** How many previews were asked for. */
  previews = 0;
  /** How old the preview file is, ms; null: there is none. */
  previewAge: number | null = 0;

  readonly #folder = mkdtempSync(join(tmpdir(), "steadycast-page-"));
  readonly #pictures: Buffer[];
  readonly #sockets = new Set<Socket>();
  readonly #listeners = new Set<ServerResponse>();
  #server: Server | null = null;
  #beat: NodeJS.Timeout | undefined;
  #port = 0;

  constructor() {
    this.#pictures = this.#makePictures();
  }

  /** Serves the page and the API; again on the same port after `stop`. */
  async start(): Promise<string> {
    if (this.#port === 0) await buildWeb(this.#folder);
    const server = createServer((request, response) => void this.#serve(request, response));
    server.on("connection", (socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
    });
    await new Promise<void>((resolve) => server.listen(this.#port, "127.0.0.1", resolve));
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
    this.#beat = setInterval(() => this.beats && this.publish("beat", {}), 1000);
    return `http://127.0.0.1:${this.#port}`;
  }

  /** The box is gone: connections break and new ones are refused. */
  async stop(): Promise<void> {
    const server = this.#server;
    if (server === null) return;
    this.#server = null;
    clearInterval(this.#beat);
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Ends every stream of events, as the box does when a session is over. */
  endStreams(): void {
    for (const response of this.#listeners) response.end();
  }

  /** Tells every page that is open. */
  publish(event: string, data: unknown): void {
    for (const response of this.#listeners) response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  /** Replaces a channel's status and tells the pages. */
  update(status: ChannelStatus): void {
    this.channels = this.channels.map((channel) => (channel.id === status.id ? status : channel));
    this.publish("channel", status);
  }

  #makePictures(): Buffer[] {
    const pattern = join(this.#folder, "picture%d.jpg");
    const source =
      "smptehdbars=size=640x360:rate=1,drawtext=text='%{n}':fontsize=90:x=280:y=120:fontcolor=white:box=1:boxcolor=black";
    execFileSync("ffmpeg", ["-v", "error", "-f", "lavfi", "-i", source, "-frames:v", "4", "-q:v", "6", pattern]);
    return [1, 2, 3, 4].map((n) => readFileSync(join(this.#folder, `picture${n}.jpg`)));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.setHeader("Content-Security-Policy", policy);
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://box");
    if (!pathname.startsWith("/api/v1/")) {
      this.#serveFile(pathname === "/" ? "/index.html" : pathname, response);
      return;
    }
    const [path, method] = [pathname.slice("/api/v1".length), request.method ?? "GET"];
    if (`${method} ${path}` === "POST /firmware/bundle") {
      await this.#receive(searchParams.get("name") ?? "", request, response);
      return;
    }
    const call = { method, path, query: searchParams, headers: request.headers, body: await bodyOf(request) };
    const answer = this.administration.handle(call);
    if (answer !== undefined) this.#answer(response, answer);
    else await this.#serveChannels(path, method, response);
  }

  async #receive(name: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { firmware } = this.administration;
    let size = 0;
    try {
      for await (const chunk of request) size += (chunk as Uint8Array).length;
    } catch {
      // Cut off.
      return;
    }
    firmware.files.push([name, size]);
    await firmware.hold;
    this.#answer(response, firmware.verdict);
  }

  async #serveChannels(path: string, method: string, response: ServerResponse): Promise<void> {
    const order = /^\/channels\/([^/]+)\/(start|stop|restart|keyframe)$/.exec(path);
    if (path === "/events") this.#serveEvents(response);
    else if (path === "/config")
      this.#answer(response, { status: 200, body: this.config, headers: { ETag: this.tag } });
    else if (path === "/config/problems") this.#json(response, 200, { problems: this.storeProblems });
    else if (path.endsWith("/preview.jpg")) this.#servePreview(response);
    else if (order !== null && method === "POST") await this.#take(`${order[1]}/${order[2]}`, response);
    else this.#json(response, 404, { title: "There is no such thing here", detail: `There is nothing at ${path}` });
  }

  #answer(response: ServerResponse, { status, body, headers }: Answer): void {
    response.writeHead(status, { "Content-Type": "application/json", ...headers });
    response.end(body === undefined ? undefined : JSON.stringify(body));
  }

  #json(response: ServerResponse, status: number, body: unknown, type = "application/json"): void {
    response.writeHead(status, { "Content-Type": type }).end(JSON.stringify(body));
  }

  #serveEvents(response: ServerResponse): void {
    response.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-store" });
    this.#listeners.add(response);
    response.on("close", () => this.#listeners.delete(response));
    response.write(`event: snapshot\ndata: ${JSON.stringify({ channels: this.channels })}\n\n`);
  }

  #servePreview(response: ServerResponse): void {
    const picture = this.#pictures[this.previews % this.#pictures.length];
    this.previews += 1;
    if (this.previewAge === null) {
      this.#json(response, 404, {
        title: "There is no such thing here",
        detail: "There is no preview yet",
        status: 404,
      });
      return;
    }
    const made = new Date(Date.now() - this.previewAge).toUTCString();
    response.writeHead(200, { "Content-Type": "image/jpeg", "Last-Modified": made }).end(picture);
  }

  async #take(order: string, response: ServerResponse): Promise<void> {
    this.orders.push(order);
    if (this.orderDelayMs > 0) await new Promise((resolve) => setTimeout(resolve, this.orderDelayMs));
    if (this.refusal === null) response.writeHead(204).end();
    else this.#json(response, this.refusal.status, this.refusal, "application/problem+json");
  }

  #serveFile(path: string, response: ServerResponse): void {
    const type = types[extname(path)];
    if (type === undefined || path.includes("..")) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, { "Content-Type": type }).end(readFileSync(join(this.#folder, path)));
  }
}

async function bodyOf(request: IncomingMessage): Promise<Record<string, unknown>> {
  let text = "";
  for await (const chunk of request.setEncoding("utf8")) text += chunk;
  return text === "" ? {} : (JSON.parse(text) as Record<string, unknown>);
}
