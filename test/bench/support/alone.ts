/** Two runs at a time would meet on the wire, and each would measure the other's load. */
import { once } from "node:events";
import { createServer } from "node:net";

/** Of 127.0.0.1; whoever listens there runs. */
const port = 17_000;

/** Holds the place until this process ends; ends it when another run has it. */
export async function runAlone(): Promise<void> {
  const server = createServer((socket) => socket.destroy());
  server.listen({ host: "127.0.0.1", port, exclusive: true });
  try {
    await once(server, "listening");
  } catch (error) {
    console.error(`Another bench or soak is running (${(error as Error).message}).`);
    process.exit(2);
  }
  server.unref();
}
