/** Sends backups with PUT (RFC 9110 section 9.3.4): WebDAV servers, NAS boxes and object stores take it. */
import type { BackupTarget } from "../../config/schema.ts";
import { type Parcel, SEND_MS, type SendOptions, type Sent } from "./sending.ts";

type HttpTarget = Extract<BackupTarget, { type: "http" }>;

/** Words for what goes wrong below HTTP. */
const CAUSES: Record<string, string> = {
  ECONNREFUSED: "the server refuses connections",
  ENOTFOUND: "there is no such host",
  EAI_AGAIN: "the host's name cannot be looked up now",
  ECONNRESET: "the server has cut the connection",
  EHOSTUNREACH: "the host cannot be reached",
  ENETUNREACH: "the network cannot be reached",
  ETIMEDOUT: "the server does not answer",
  CERT_HAS_EXPIRED: "the server's certificate has expired",
  DEPTH_ZERO_SELF_SIGNED_CERT: "the server's certificate is signed by itself",
  SELF_SIGNED_CERT_IN_CHAIN: "the server's certificate is signed by an authority that is not known",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "the server's certificate is signed by an authority that is not known",
  ERR_TLS_CERT_ALTNAME_INVALID: "the server's certificate is for another name",
};

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
    return { ok: false, reason: causeOf(error) };
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

/** Messages of fetch are not repeated: some quote the URL. */
function causeOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  return CAUSES[code] ?? `the connection failed${code === "" ? "" : ` (${code})`}`;
}
