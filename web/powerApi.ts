/** Reboot, shutdown and factory settings. Each call throws ApiError when the box refuses. */
import type { PowerStatus } from "../src/system/power/powerService.ts";
import { ask } from "./api.ts";

export const fetchPower = () => ask<PowerStatus>("GET", "/power");
export const reboot = () => ask("POST", "/power/reboot");
export const shutDown = () => ask("POST", "/power/shutdown");

/** Whether the box reboots for it; else it has begun anew already. */
export const resetToFactory = async (password: string, keepNetwork: boolean) =>
  (await ask<object | undefined>("POST", "/power/factory-reset", { password, keepNetwork })) !== undefined;
