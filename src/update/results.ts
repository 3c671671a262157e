/** What comes of an order, and why it is not taken. */

export type Refusal = { ok: false; kind: "conflict" | "invalid" | "too-large" | "no-space"; why: string };
export type Taken = { ok: true } | Refusal;

export function conflict(why: string): Refusal {
  return { ok: false, kind: "conflict", why };
}

export function failed(error: unknown): { ok: false; why: string } {
  return { ok: false, why: inWords(error) };
}

export function inWords(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
