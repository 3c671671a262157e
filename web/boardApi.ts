/** The API of the board and its bench as this page uses it. Each call throws ApiError when the box refuses. */
import type { BenchKey, BenchStatus, EnvironmentChange, SupplyState } from "../src/api/bench.ts";
import type { KeyName } from "../src/board/boardFile.ts";
import type { Player } from "../src/board/virtual/players.ts";
import { base, request } from "./api.ts";

const json = { "Content-Type": "application/json" };

async function bench(method: "GET" | "PATCH" | "POST", path: string, body?: unknown): Promise<BenchStatus> {
  const content = body === undefined ? {} : { headers: json, body: JSON.stringify(body) };
  // What is ordered while the page is left, such as the release of a key, must still go out.
  const response = await request(`${base}/bench${path}`, { method, cache: "no-store", keepalive: true, ...content });
  return (await response.json()) as BenchStatus;
}

/** Lets the lights of the box blink for a minute. */
export async function findMe(): Promise<void> {
  await request(`${base}/board/find-me`, { method: "POST" });
}

/** One press of a key of the front panel. */
export async function pressPanelKey(key: KeyName): Promise<void> {
  await request(`${base}/panel/keys`, { method: "POST", headers: json, body: JSON.stringify({ key }) });
}

export const fetchBench = () => bench("GET", "");

export const changePlayer = (connector: string, change: Partial<Player>) =>
  bench("PATCH", `/players/${encodeURIComponent(connector)}`, change);

export const pressBenchKey = (key: BenchKey, pressed: boolean) => bench("POST", "/keys", { key, pressed });

export const changeSupply = (id: string, state: SupplyState) =>
  bench("PATCH", `/supplies/${encodeURIComponent(id)}`, { state });

export const changeEnvironment = (change: EnvironmentChange) => bench("PATCH", "/environment", change);

export const changeBus = (id: string, hangs: boolean) => bench("PATCH", `/buses/${encodeURIComponent(id)}`, { hangs });
