import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Box } from "./box.ts";

export interface News {
  event: string;
  data: unknown;
}

/** A client of the events that can stop reading. */
export class Listener {
  readonly news: News[] = [];
  readonly socket: Socket;
  head = "";
  #text = "";

  constructor(box: Box, query = "", token = "admin") {
    const { hostname, port } = new URL(box.server.url);
    this.socket = connect(Number(port), hostname, () =>
      this.socket.write(
        `GET /api/v1/events${query} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\n\r\n`,
      ),
    );
    this.socket.setEncoding("utf8").on("data", (text: string) => this.#take(text));
    this.socket.on("error", () => undefined);
  }

  static async open(t: TestContext, box: Box, query?: string, token?: string): Promise<Listener> {
    const listener = new Listener(box, query, token);
    t.after(() => listener.socket.destroy());
    await listener.until(() => listener.news.length > 0);
    return listener;
  }

  of(event: string): unknown[] {
    return this.news.filter((news) => news.event === event).map(({ data }) => data);
  }

  async until(condition: () => boolean, limitMs = 5000): Promise<void> {
    const end = performance.now() + limitMs;
    while (!condition()) {
      assert.ok(performance.now() < end, `it did not come: ${JSON.stringify(this.news).slice(0, 500)}`);
      await sleep(5);
    }
  }

  #take(text: string): void {
    this.#text += text;
    if (this.head === "") {
      const end = this.#text.indexOf("\r\n\r\n");
      if (end < 0) return;
      this.head = this.#text.slice(0, end);
      this.#text = this.#text.slice(end + 4);
    }
    // Chunk sizes stand on lines of their own between events; an event is two lines and an empty one.
    for (;;) {
      const found = /event: (\w+)\ndata: (.*)\n\n/.exec(this.#text);
      if (found === null) return;
      this.#text = this.#text.slice(found.index + found[0].length);
      this.news.push({ event: found[1] ?? "", data: JSON.parse(found[2] ?? "") });
    }
  }
}
