/** Where backups are sent, beside the box itself. */
import type { BackupTarget } from "../../config/schema.ts";
import { putFile } from "./http.ts";
import type { Parcel, SendOptions, Sent } from "./sending.ts";

/** @param knownKey the fingerprint that an SFTP server must have, unless the target names one; undefined: any. */
export async function send(
  target: BackupTarget,
  parcel: Parcel,
  knownKey: string | undefined,
  options: SendOptions,
): Promise<Sent> {
  switch (target.type) {
    case "none":
      return { ok: true };
    case "sftp": {
      // Most boxes never need it, and it takes some megabytes.
      const { sendFile } = await import("./sftp.ts");
      return await sendFile(target, parcel, target.hostKey || knownKey, options);
    }
    case "http":
      return await putFile(target, parcel, options);
  }
}

/** Names the server that a target leads to, without a secret. */
export function serverOf(target: BackupTarget): string {
  switch (target.type) {
    case "none":
      return "";
    case "sftp":
      return `${target.host}:${target.port}`;
    case "http":
      return new URL(target.url).host;
  }
}
