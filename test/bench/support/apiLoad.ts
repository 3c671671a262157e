/** Programs that ask a box for its state again and again, and others that listen to its news. */
import { Agent, type ClientRequest, request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

export interface Crowd {
  clients: number;
  /** Of each client in a second. */
  requests: number;
  streams: number;
}

export interface LoadReport {
  /** ms of each answer. */
  latencies: number[];
  /** By what went wrong, such as a status. */
  failures: Map<string, number>;
  /** How many streams were open to the end. */
  streams: number;
  /** Events that all streams together got. */
  events: number;
}

/** Asks for `path` for so many seconds. The clients share the tokens, and begin one after the other within a period. */
export async function load(
  url: string,
  path: string,
  tokens: readonly string[],
  { clients, requests, streams }: Crowd,
  seconds: number,
): Promise<LoadReport> {
  const report: LoadReport = { latencies: [], failures: new Map(), streams: 0, events: 0 };
  const fail = (why: string) => report.failures.set(why, (report.failures.get(why) ?? 0) + 1);
  const headers = (n: number) => ({ Authorization: `Bearer ${tokens[n % tokens.length]}` });
  const end = performance.now() + seconds * 1000;
  const open = Array.from({ length: streams }, (_, n) => listen(`${url}/api/v1/events`, headers(n), report, fail));
  const periodMs = 1000 / requests;

  const client = async (n: number): Promise<void> => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (let due = performance.now() + (periodMs * n) / clients; due < end; due += periodMs) {
      await sleep(Math.max(0, due - performance.now()));
      const asked = performance.now();
      const status = await ask(`${url}${path}`, headers(n), agent).catch((error: Error) => error.message);
      if (status === 200) report.latencies.push(performance.now() - asked);
      else fail(String(status));
    }
    agent.destroy();
  };
  await Promise.all(Array.from({ length: clients }, (_, n) => client(n)));
  report.streams = open.filter(({ destroyed }) => !destroyed).length;
  for (const stream of open) stream.destroy();
  return report;
}

function ask(url: string, headers: Record<string, string>, agent: Agent): Promise<number> {
  return new Promise((resolve, reject) => {
    const call = request(url, { headers, agent }, (answer) => {
      answer.resume().on("end", () => resolve(answer.statusCode ?? 0));
      answer.on("error", reject);
    });
    call.on("error", reject).end();
  });
}

function listen(
  url: string,
  headers: Record<string, string>,
  report: LoadReport,
  fail: (why: string) => void,
): ClientRequest {
  const call = request(url, { headers, agent: false }, (answer) => {
    if (answer.statusCode !== 200) fail(`stream ${answer.statusCode}`);
    answer.setEncoding("utf8").on("data", (text: string) => {
      report.events += text.split("\n\n").length - 1;
    });
    answer.on("error", () => undefined);
  });
  call.on("error", (error) => !call.destroyed && fail(`stream: ${error.message}`));
  call.end();
  return call;
}
