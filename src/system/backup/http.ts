/** Sends backups with PUT (RFC 9110 section 9.3.4): WebDAV servers, NAS boxes and object stores take it. */
import type { BackupTarget } from "../../config/schema.ts";
import { webFault } from "../webFault.ts";
import { type Parcel, SEND_MS, type SendOptions, type Sent } from "./sending.ts";

type HttpTarget = Extract<BackupTarget, { type: "http" }>;

export async function putFile(
  target: HttpTarget,
  { name, bytes }: Parcel,
  { clock, signal }: SendOptions,
): Promise<Sent> {
  const url = new URL(target.url);
  url.pathname = `${url.pathname.replace(/\/$/, "")}/${name}`;
  const authorization = `Basic ${Buffer.from(`${target.user}:${target.password}`).toString("base64")}`;
  const abort = new AbortController();
  const cancel = clock.after(SEND_MS, () => abort.abort());
  try {
    const response = await fetch(url, {
      method: "PUT",
      headers: {
        "Content-Type": "application/json",
        ...(target.user === "" && target.password === "" ? {} : { Authorization: authorization }),
      },
      body: new Uint8Array(bytes),
      // Elsewhere the password has no business.
      redirect: "manual",
      signal: AbortSignal.any([abort.signal, signal]),
    });
    await response.body?.cancel();
    return response.ok ? { ok: true } : { ok: false, reason: inWords(response.status) };
  } catch (error) {
    if (abort.signal.aborted) return { ok: false, reason: `the server took longer than ${SEND_MS / 1000} s` };
    return { ok: false, reason: webFault(error instanceof Error ? error.cause : undefined) };
  } finally {
    cancel();
  }
}

function inWords(status: number): string {
  const meaning: Record<number, string> = {
    401: "user or password is wrong",
    403: "the user may not write there",
    404: "there is no such folder",
    405: "it does not take PUT",
    409: "there is no such folder",
    413: "the backup is too large for it",
    507: "it has no space left",
  };
  const redirect = status >= 300 && status < 400 ? "it wants to send the backup elsewhere; set that URL" : undefined;
  const why = meaning[status] ?? redirect;
  return `the server answers with status ${status}${why === undefined ? "" : `: ${why}`}`;
}
