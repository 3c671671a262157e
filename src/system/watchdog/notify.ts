/** What systemd is told of this service (sd_notify(3)). */
import { commandRunner, type RunCommand } from "../command.ts";

/** Tells the variables; gives what went wrong, "" for nothing. */
export type Notify = (...variables: string[]) => Promise<string>;

/** What systemd asks of a service of Type=notify. */
export interface Supervision {
  notify: Notify;
  /** Longest time between two signs of life, ms; 0: none are asked for. */
  watchdogMs: number;
}

/**
 * Reads what systemd says in the environment, and takes it out: the media processes, which live longer, must not speak for
 * the supervisor. Undefined where nobody waits to be told anything: everywhere but on the box.
 *
 * Node.js has no datagrams of UNIX sockets, so systemd-notify tells it. It stays until systemd has read the message, and so
 * is known as a process of this service (NotifyAccess=all). That costs a few ms of a processor, three times in WatchdogSec.
 */
export function takeSupervision(
  env: NodeJS.ProcessEnv = process.env,
  { pid = process.pid, run = commandRunner() }: { pid?: number; run?: RunCommand } = {},
): Supervision | undefined {
  const { NOTIFY_SOCKET: socket, WATCHDOG_USEC: period = "", WATCHDOG_PID: watched } = env;
  for (const name of ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"]) delete env[name];
  if (socket === undefined || socket === "") return undefined;
  const isMeant = watched === undefined || watched === String(pid);
  return {
    notify: async (...variables) => {
      const result = await run("systemd-notify", variables, { env: { NOTIFY_SOCKET: socket } });
      return result.ok ? "" : result.why;
    },
    watchdogMs: isMeant && /^\d{1,15}$/.test(period) ? Number(period) / 1000 : 0,
  };
}
