/** The firmware of the box. Each call throws ApiError when the box refuses. */
import type { Activation, FirmwareEvent, FirmwareStatus, UsbBundle } from "../src/update/status.ts";
import { ApiError, ask, base, refusalOf } from "./api.ts";

export const fetchFirmware = () => ask<FirmwareStatus>("GET", "/firmware");
export const fetchEvents = async () => (await ask<{ events: FirmwareEvent[] }>("GET", "/firmware/history")).events;
export const fetchUsb = async () => (await ask<{ bundles: UsbBundle[] }>("GET", "/firmware/usb")).bundles;

/** The box fetches a bundle by itself. @param sha256 in hexadecimal, "" for none */
export const fetchFrom = (url: string, sha256: string) =>
  ask<FirmwareStatus>("POST", "/firmware/fetch", sha256 === "" ? { url } : { url, sha256 });
export const takeFromUsb = (id: string) => ask("POST", "/firmware/usb", { id });

/** Removes the bundle, or ends receiving. */
export const removeBundle = () => ask("DELETE", "/firmware/bundle");

export const install = (activation: Activation, downgrade: boolean) =>
  ask("POST", "/firmware/install", downgrade ? { activation, downgrade } : { activation });
export const activate = (activation: Exclude<Activation, { when: "manual" }>) =>
  ask("POST", "/firmware/activate", activation);
export const takeBack = () => ask("DELETE", "/firmware/activation");
export const rollBack = () => ask("POST", "/firmware/rollback", {});

/** A file on its way to the box. */
export interface Sending {
  /** Whether it has arrived and is right; false: it was aborted. Rejects with ApiError. */
  done: Promise<boolean>;
  abort(): void;
}

/**
 * Sends a bundle. By XMLHttpRequest, since fetch does not tell how much has been sent.
 * @param progress is told the bytes that have been sent
 */
export function sendBundle(file: File, progress: (bytes: number) => void): Sending {
  const path = `${base}/firmware/bundle?name=${encodeURIComponent(file.name)}`;
  const request = new XMLHttpRequest();
  const done = new Promise<boolean>((resolve, reject) => {
    request.upload.addEventListener("progress", ({ loaded }) => progress(loaded));
    request.addEventListener("abort", () => resolve(false));
    request.addEventListener("error", () => reject(new ApiError("The connection broke while the bundle was sent")));
    request.addEventListener("load", () => {
      const { status, statusText, responseText: body } = request;
      if (status >= 200 && status < 300) resolve(true);
      else reject(refusalOf({ path, status, statusText, retryAfter: request.getResponseHeader("retry-after"), body }));
    });
  });
  request.open("POST", path);
  request.setRequestHeader("Content-Type", "application/octet-stream");
  request.setRequestHeader("Steadycast-Request", "1");
  request.send(file);
  return { done, abort: () => request.abort() };
}
