/** What the diagnostics bundle holds of the services; what the machine tells comes beside it (machineParts). */
import type { ChannelControl } from "../channels/status.ts";
import { redact } from "../config/secrets.ts";
import type { ConfigService } from "../config/store.ts";
import { type DiagnosticsPart, jsonPart } from "../system/diagnostics/diagnostics.ts";
import { everything, toText } from "../system/logs/line.ts";
import type { LogService } from "../system/logs/logService.ts";
import type { NetworkService } from "../system/network/service.ts";
import type { PowerService } from "../system/power/powerService.ts";
import type { SshService } from "../system/ssh/service.ts";
import type { TimeService } from "../system/time/timeService.ts";
import { type BoardControl, boardStatus } from "./boardControl.ts";

export interface DiagnosticsSources {
  /** Of this firmware. */
  version: string;
  config: ConfigService;
  channels: ChannelControl;
  logs: LogService;
  board?: BoardControl;
  network?: Pick<NetworkService, "status">;
  time?: TimeService;
  power?: PowerService;
  ssh?: Pick<SshService, "faults">;
}

/** Lines of the system's and the media processes' logs, each. */
const OTHER_LINES = 1000;

export function diagnosticsParts(sources: DiagnosticsSources): DiagnosticsPart[] {
  const { version, config, channels, logs, board, network, time, power, ssh } = sources;
  return [
    jsonPart("versions.json", () => ({
      ...{ steadycast: version, configuration: config.revision, node: process.versions },
      ...{
        uptimeSeconds: Math.floor(process.uptime()),
        memory: process.memoryUsage(),
        resources: process.resourceUsage(),
      },
    })),
    jsonPart("faults.json", () => ({
      board: board?.faults() ?? [],
      time: time?.faults() ?? [],
      power: power?.faults() ?? [],
      ssh: ssh?.faults() ?? [],
      logs: logs.faults(),
      channels: Object.fromEntries(channels.list().map(({ id, faults }) => [id, faults])),
    })),
    jsonPart("configuration/current.json", () => redact(config.current)),
    jsonPart("configuration/history.json", () => config.versions()),
    jsonPart("configuration/trial.json", () => config.trial()),
    jsonPart("configuration/problems.json", () => config.problems()),
    jsonPart("channels.json", () => channels.list()),
    ...(board === undefined
      ? []
      : [jsonPart("board.json", () => ({ ...boardStatus(board), inputs: board.inputs.list() }))]),
    ...(network === undefined ? [] : [jsonPart("network.json", () => network.status())]),
    ...(time === undefined ? [] : [jsonPart("time.json", () => time.status())]),
    ...(power === undefined ? [] : [jsonPart("power.json", () => power.status())]),
    { name: "logs/steadycast.log", content: () => ownLog(logs) },
    { name: "logs/others.log", content: () => otherLogs(logs) },
  ];
}

async function ownLog(logs: LogService): Promise<string> {
  const lines: string[] = [];
  for await (const line of logs.all()) lines.push(toText(line));
  return lines.join("");
}

/** The newest lines of each, under its name. */
async function otherLogs(logs: LogService): Promise<string> {
  const texts: string[] = [];
  for (const source of await logs.sources()) {
    const page = await logs.browse({ ...everything, source }, undefined, OTHER_LINES);
    const lines = "failed" in page ? [`${page.failed}\n`] : page.lines.reverse().map(toText);
    texts.push(`==== ${source}\n`, ...lines);
  }
  return texts.join("");
}
