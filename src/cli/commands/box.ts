/** `status`, `channel …`, `logs`: how the box is, and orders to its channels. */
import type { Health } from "../../api/schemas.ts";
import type { ChannelStatus } from "../../channels/status.ts";
import type { ChannelConfig } from "../../config/schema.ts";
import type { LogLine, LogPage } from "../../system/logs/line.ts";
import { type Client, Refusal } from "../client.ts";
import { type Command, type Context, UsageError, wholeNumber } from "../command.ts";
import { type Output, printable } from "../output.ts";

const LEVELS = ["debug", "info", "warning", "error"];

interface Channel {
  config: ChannelConfig;
  /** Null while it is being set up. */
  status: ChannelStatus | null;
}

export const boxCommands: readonly Command[] = [
  {
    name: "status",
    summary: "tell how the box and its channels are",
    run: async ({ client, output }) => {
      const health = await client.get<Health>("/health", { also: 503 });
      const channels = await channelsOf(client);
      await output.tell({ health, channels: channels.map(({ status }) => status) }, () => [
        ...output.fields([
          ["State", health.status],
          ["Firmware", health.version],
          ["Up for", duration(health.uptimeSeconds)],
          ["Configuration", `revision ${health.revision}`],
        ]),
        ...health.checks.flatMap(({ name, ok, detail }) => (ok ? [] : [`Not well: ${name}: ${printable(detail)}`])),
        ...(health.configurationProblems > 0 ? [`Stored files with problems: ${health.configurationProblems}`] : []),
        "",
        ...channelTable(output, channels),
        ...channels.flatMap(({ config, status }) =>
          (status?.faults ?? []).map(({ severity, message }) => `${severity}: ${config.id}: ${printable(message)}`),
        ),
      ]);
    },
  },
  {
    name: "channel list",
    summary: "list the channels",
    run: async ({ client, output }) => {
      const channels = await channelsOf(client);
      await output.tell(channels, () => channelTable(output, channels));
    },
  },
  order("start", "put a channel on air, also after a restart of the box", "is put on air"),
  order("stop", "take a channel off air, also after a restart of the box", "is taken off air"),
  order(
    "restart",
    "end a channel's media processes and start them anew; the stream is interrupted",
    "is being restarted",
  ),
  order("keyframe", "make the encoder send a key frame", "sends a key frame"),
  {
    name: "logs",
    summary: "show the log of the box, the newest line last",
    options: {
      follow: { help: "go on with what comes" },
      lines: { value: "N", help: "how many lines (50)" },
      level: { value: "LEVEL", help: `at least ${LEVELS.join(", ")}` },
      source: { value: "NAME", help: "of this part of the box" },
      text: { value: "TEXT", help: "lines with this text" },
    },
    run: logs,
  },
];

function order(what: string, summary: string, done: string): Command {
  return {
    name: `channel ${what}`,
    args: "<channel>",
    summary,
    run: async ({ client, output, args: [id = ""] }) => {
      await client.post(`/channels/${encodeURIComponent(id)}/${what}`);
      await output.tell({ channel: id, done: what }, () => `Channel ${id} ${done}`);
    },
  };
}

async function channelsOf(client: Client): Promise<Channel[]> {
  const configs = await client.get<ChannelConfig[]>("/channels");
  const channels: Channel[] = [];
  // One after the other: the box takes only so many connections from one address.
  for (const config of configs) {
    const path = `/channels/${encodeURIComponent(config.id)}/status`;
    const status = await client.get<ChannelStatus>(path).catch((error: unknown) => {
      if (error instanceof Refusal) return null;
      throw error;
    });
    channels.push({ config, status });
  }
  return channels;
}

function channelTable(output: Output, channels: readonly Channel[]): string[] {
  const rows = channels.map(({ config: { id, name, source, video }, status }) => [
    ...[id, name, status?.state ?? "starting", source.type === "input" ? source.connector : source.type],
    `${video.codec} ${video.width}x${video.height} ${video.bitrate} kbit/s`,
    (status?.outputs ?? []).map(({ url, state }) => `${url} (${state})`).join(", "),
  ]);
  return output.table(["id", "name", "state", "source", "video", "outputs"], rows, "There are no channels");
}

async function logs({ client, output, option, has }: Context): Promise<void> {
  const [level, source, text] = [option("level"), option("source"), option("text")];
  if (level !== undefined && !LEVELS.includes(level))
    throw new UsageError(`--level must be one of ${LEVELS.join(", ")}`);
  const query = new URLSearchParams({ limit: String(wholeNumber("--lines", option("lines") ?? "50")) });
  for (const [name, value] of Object.entries({ level, source, text })) if (value !== undefined) query.set(name, value);
  const show = async (line: Partial<LogLine>): Promise<void> => {
    if (output.isJson) return await output.jsonLine(line);
    const count = (line.count ?? 1) > 1 ? ` (${line.count} times)` : "";
    const { time, level = "info", source = "", message = "" } = line;
    await output.line(printable(`${time ?? ""}  ${level.padEnd(7)}  ${source}: ${message}${count}`));
  };
  const news = client.events("log");
  // Listening begins before the page is asked for, so that nothing is missed between the two; a line may come twice.
  let next = has("follow") ? news.next() : undefined;
  next?.catch(() => undefined);
  const { lines } = await client.get<LogPage>(`/logs?${query}`);
  for (const line of [...lines].reverse()) await show(line);
  for (; next !== undefined; next = news.next()) {
    const line = (await next).value as Pick<LogLine, "level" | "source" | "message">;
    if (level !== undefined && LEVELS.indexOf(line.level) < LEVELS.indexOf(level)) continue;
    if (source !== undefined && line.source !== source) continue;
    if (text !== undefined && !line.message.toLowerCase().includes(text.toLowerCase())) continue;
    await show({ time: new Date().toISOString(), ...line });
  }
}

function duration(seconds: number): string {
  const [days, hours, minutes] = [
    Math.floor(seconds / 86_400),
    Math.floor(seconds / 3600) % 24,
    Math.floor(seconds / 60) % 60,
  ];
  return `${days > 0 ? `${days} d ` : ""}${hours} h ${minutes} min`;
}
