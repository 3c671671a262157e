/** Firmware and power of the box that does what the test says. */
import type { PowerStatus } from "../../../src/system/power/powerService.ts";
import type { FirmwareEvent, FirmwareStatus, SlotStatus, UsbBundle } from "../../../src/update/status.ts";
import { type Answer, refused } from "./fakeAdministration.ts";

export const slotA: SlotStatus = {
  ...{ name: "A", running: true, next: true, state: "good", version: "1.0.0", build: "20261101", attemptsLeft: 3 },
  ...{ installed: "2026-11-01T09:00:00.000Z", why: "" },
};

export const slotB: SlotStatus = {
  ...{ name: "B", running: false, next: false, state: "empty", version: "", build: "", attemptsLeft: 0 },
  ...{ installed: null, why: "" },
};

export const installedB: SlotStatus = {
  ...slotB,
  ...{ state: "new", version: "1.1.0", build: "20261120", installed: "2026-11-22T10:00:00.000Z", attemptsLeft: 3 },
};

export const bundle: NonNullable<FirmwareStatus["bundle"]> = {
  ...{ version: "1.1.0", build: "20261120", compatible: "steadycast-bench", size: 93_000_000, downgrade: false },
  notes: "Corrections\n  * SRT callers come back sooner\n\nNew\n  * Firmware page",
  ...{ origin: "upload", received: "2026-11-22T10:00:00.000Z" },
};

export class FakeFirmware {
  status: FirmwareStatus = {
    ...{ version: "1.0.0", build: "20261101", slots: [slotA, slotB], bundle: null, work: null, activation: null },
    ...{ trouble: "", capabilities: { install: true, rollBack: false, why: "" } },
  };
  events: FirmwareEvent[] = [
    {
      ...{ at: "2026-11-22T10:05:00.000Z", what: "given-up", version: "1.1.0", slot: "B", who: "box" },
      detail: "channel “One” did not transmit",
    },
    { at: "2026-11-22T10:00:00.000Z", what: "received", version: "1.1.0", slot: null, who: "anna", detail: "b.raucb" },
  ];
  usb: UsbBundle[] = [];
  /** Bytes of the files that came, by their names. */
  readonly files: [string, number][] = [];
  /** What an upload is answered with. */
  verdict: Answer = { status: 201, body: bundle };
  /** Uploads are answered only when this is over. */
  hold: Promise<void> = Promise.resolve();
  power: PowerStatus = {
    ...{ uptimeSeconds: 93_784, boot: { at: "2026-11-21T08:00:00.000Z", reason: "power cut, reset or watchdog" } },
    ...{ nextReboot: "2026-11-23T03:00:00.000Z", pending: null },
    capabilities: { reboot: true, shutdown: true, factoryReset: true, why: "" },
  };
  /** A factory reset takes a reboot, as it does on the box. */
  reboots = true;

  change(news: Partial<FirmwareStatus>): FirmwareStatus {
    this.status = { ...this.status, ...news };
    return this.status;
  }

  /** The answer, or undefined for what is not of here. */
  handle(name: string, body: Record<string, unknown>, password: string): Answer | undefined {
    const accepted: Answer = { status: 202, body: this.status };
    switch (name) {
      case "GET /firmware":
        return { status: 200, body: this.status };
      case "GET /firmware/history":
        return { status: 200, body: { events: this.events } };
      case "GET /firmware/usb":
        return { status: 200, body: { bundles: this.usb } };
      case "POST /firmware/fetch":
        if (!String(body.url).startsWith("http")) {
          const errors = [{ pointer: "/url", detail: "must be a URL of HTTP or HTTPS" }];
          return refused(422, "invalid", "The URL must be of HTTP or HTTPS", { errors });
        }
        return accepted;
      case "POST /firmware/usb":
      case "POST /firmware/install":
      case "POST /firmware/activate":
      case "POST /firmware/rollback":
        return accepted;
      case "DELETE /firmware/bundle":
      case "DELETE /firmware/activation":
        return { status: 204 };
      case "GET /power":
        return { status: 200, body: this.power };
      case "POST /power/reboot":
      case "POST /power/shutdown":
        return { status: 202, body: { order: name.slice("POST /power/".length), inSeconds: 2 } };
      case "POST /power/factory-reset":
        if (body.password !== password) return refused(403, "forbidden", "The password is wrong");
        return this.reboots ? { status: 202, body: { order: "factory-reset", inSeconds: 2 } } : { status: 204 };
    }
    return undefined;
  }
}
