/** Health, live events and the description of the API itself. */
import type { ChannelControl } from "../../channels/status.ts";
import type { ConfigService } from "../../config/store.ts";
import type { HealthReport } from "../../system/watchdog/health.ts";
import type { EventHub } from "../events.ts";
import { isKnown } from "../principal.ts";
import { answer, type Route } from "../route.ts";
import { type Health, type HealthInShort, healthAnswer, openapiDocument } from "../schemas.ts";

export interface HealthSource {
  /** Whether the firmware does its work. May take some seconds. */
  check(): Promise<HealthReport>;
}

export interface BoxRoutesOptions {
  config: ConfigService;
  channels: ChannelControl;
  events: EventHub;
  version: string;
  health: HealthSource;
  /** How many things are wrong with the box beside its channels. */
  faults(): number;
  /** The OpenAPI document of all routes, these included. */
  describe(): unknown;
}

export function boxRoutes(options: BoxRoutesOptions): Route[] {
  const { config, channels, events, version, health, faults, describe } = options;
  const measure = (report: HealthReport): Health => {
    const list = channels.list();
    const count: Health["channels"] = { stopped: 0, starting: 0, live: 0, held: 0, slate: 0, failed: 0 };
    for (const { state } of list) count[state]++;
    const configurationProblems = config.problems().length;
    const boxFaults = faults();
    const faulty = list.some(({ state, faults: own }) => state === "failed" || own.length > 0);
    return {
      status: faulty || configurationProblems > 0 || boxFaults > 0 ? "degraded" : "ok",
      version,
      uptimeSeconds: Math.floor(process.uptime()),
      revision: config.revision,
      configurationProblems,
      boxFaults,
      channels: count,
      ...report,
    };
  };

  return [
    {
      id: "getHealth",
      method: "get",
      path: "/health",
      access: { role: "viewer", scope: "status" },
      ownMachine: true,
      summary: "Whether the box does its work, and how it is",
      description:
        "The checks are whether the API answers, whether each enabled channel transmits, and whether the data folder can be " +
        "written. What is wrong around the box, such as a missing source, link or peer, fails none of them: that is told by " +
        "the faults. A program on the box that is not logged in is told `ok` and the names of the checks only.",
      answers: {
        200: { description: "It does", schema: healthAnswer },
        503: { description: "It does not: a check has failed", schema: healthAnswer },
      },
      problems: [],
      handle: async (ctx) => {
        const report = await health.check();
        answer(ctx, isKnown(ctx) ? measure(report) : inShort(report));
        if (!report.ok) ctx.status = 503;
      },
    },
    {
      id: "listenToEvents",
      method: "get",
      path: "/events",
      access: { role: "viewer", scope: "status" },
      summary: "Live news as server-sent events",
      description:
        "First `snapshot` {revision, channels: ChannelStatus[], board: BoardStatus, inputs: InputStatus[], panel: " +
        "PanelStatus}; then `channel` (ChannelStatus), `levels` {channel, peak, rms} in dBFS, `channelRemoved` {id}, " +
        "`input` (InputStatus), `readings` (BoardReadings), `faults` (those of BoardStatus), `panel` (PanelStatus, at most " +
        "5 a second), `firmware` (FirmwareStatus, at most 4 a second), `config` {revision} and `log` {level, source, message} as they come, and `beat` {} every 2 s. A " +
        "client that falls behind gets the latest of each; one that takes nothing for 30 s is cut.",
      query: { channels: "Ids of channels, separated by commas; news of others is left out" },
      answers: { 200: { description: "A stream without end", type: "text/event-stream" } },
      problems: ["unavailable"],
      handle: (ctx) => {
        const only = [ctx.query.channels ?? []].flat().flatMap((ids) => ids.split(","));
        events.open(ctx, only.length === 0 ? undefined : new Set(only));
      },
    },
    {
      id: "getOpenApi",
      method: "get",
      path: "/openapi.json",
      access: { role: "viewer", scope: "status" },
      summary: "This API as OpenAPI 3.1",
      answers: { 200: { description: "The document", schema: openapiDocument } },
      problems: [],
      handle: (ctx) => answer(ctx, describe()),
    },
  ];
}

function inShort({ ok, checks }: HealthReport): HealthInShort {
  return { ok, checks: checks.map((check) => ({ name: check.name, ok: check.ok })) };
}
