/** The network of the box. Each call throws ApiError when the box refuses. */
import type { NetworkStatus } from "../src/system/network/status.ts";
import { ask } from "./api.ts";

export const fetchNetwork = () => ask<NetworkStatus>("GET", "/network");

/** Asks whether another machine has an address already. */
export const checkAddress = (name: string, address: string) =>
  ask<{ message: string }>("POST", "/network/check", { interface: name, address });
