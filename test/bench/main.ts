/** Runs the benches one after the other and writes what they found to test/bench/RESULTS.md. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, release, totalmem } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { mediaDir } from "../media/support/worker.ts";
import { api } from "./api.ts";
import { encodeCost } from "./encodeCost.ts";
import { latency } from "./latency.ts";
import { start } from "./start.ts";
import { supervisor } from "./supervisor.ts";
import { runAlone } from "./support/alone.ts";
import type { Bench, Finding, Row, Settings } from "./support/bench.ts";
import { Noise } from "./support/noise.ts";
import { transmitCost } from "./transmitCost.ts";
import { wire } from "./wire.ts";

const benches: Record<string, Bench> = { encodeCost, transmitCost, wire, latency, start, supervisor, api };

const usage = `Usage: npm run bench -- [options] [bench…]

Benches: ${Object.keys(benches).join(" ")}; without a name all of them.

  --seconds N      length of a measurement (12; 4 with --quick)
  --repetitions N  how often each is made (5; 2 with --quick)
  --quick          short, to try the benches; the figures say little
  --output FILE    where the result goes; without it, a full run of all benches
                   goes to test/bench/RESULTS.md and others are only shown
  --help           this text

Leave the machine alone meanwhile: a full run takes about half an hour.
`;

interface Options {
  names: string[];
  settings: Settings;
  output: string | undefined;
}

function readOptions(): Options | "help" {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      seconds: { type: "string" },
      repetitions: { type: "string" },
      quick: { type: "boolean", default: false },
      output: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return "help";
  const number = (name: "seconds" | "repetitions", otherwise: number) => {
    const value = Number(values[name] ?? otherwise);
    if (!(value >= 1 && value <= 3600)) throw new Error(`--${name} must be 1 to 3600, is ${values[name]}`);
    return value;
  };
  const unknown = positionals.filter((name) => !(name in benches));
  if (unknown.length > 0) throw new Error(`no such bench: ${unknown.join(", ")}`);
  const names = positionals.length > 0 ? positionals : Object.keys(benches);
  const full = names.length === Object.keys(benches).length && !values.quick;
  return {
    names,
    settings: {
      seconds: number("seconds", values.quick ? 4 : 12),
      repetitions: Math.round(number("repetitions", values.quick ? 2 : 5)),
      say: (text) => console.log(`  ${text}`),
    },
    output: values.output ?? (full ? fileURLToPath(new URL("RESULTS.md", import.meta.url)) : undefined),
  };
}

/** The first line of what a program says of itself. */
function firstLine(program: string, ...args: string[]): string {
  return execFileSync(program, args, { encoding: "utf8" }).split("\n")[0] ?? "";
}

function machine(): string[] {
  const [processor] = cpus();
  const system = /^PRETTY_NAME="(.*)"/m.exec(readFileSync("/etc/os-release", "utf8"))?.[1];
  const revision = firstLine("git", "rev-parse", "--short=12", "HEAD");
  const changed = firstLine("git", "status", "--porcelain", "--", "firmware", "src") === "" ? "" : " with changes";
  return [
    `${cpus().length} × ${processor?.model}, ${(totalmem() / 2 ** 30).toFixed(0)} GiB; ${system}, Linux ${release()}`,
    `Node ${process.version}, ${firstLine("gst-launch-1.0", "--gst-version")}, ` +
      (/ffmpeg version \S+/.exec(firstLine("ffmpeg", "-version"))?.[0] ?? ""),
    `Revision ${revision}${changed}`,
  ];
}

function judged({ kept }: Row): string {
  if (kept === undefined) return "";
  return kept ? "kept" : "**missed**";
}

interface Chapter {
  bench: Bench;
  finding: Finding | undefined;
  /** How quiet the machine was, or why there is no finding. */
  remark: string;
}

function chapterText({ bench, finding, remark }: Chapter): string[] {
  const rows = (finding?.rows ?? []).map(
    (row) => `| ${row.what} | ${row.bound ?? ""} | ${row.measured} | ${judged(row)} |`,
  );
  const table = rows.length === 0 ? [] : ["| What | Bound | Measured | |", "|---|---|---|---|", ...rows, ""];
  return [`## ${bench.title}`, "", ...table, ...(finding?.notes ?? []).flatMap((note) => [note, ""]), remark, ""];
}

function resultsText(chapters: Chapter[], { seconds, repetitions }: Settings): string {
  const bounds = chapters.flatMap(({ finding }) => finding?.rows ?? []).filter(({ kept }) => kept !== undefined);
  const missed = bounds.filter(({ kept }) => kept === false);
  return [
    "# Bench results",
    "",
    `Measured by \`npm run bench\` on ${new Date().toISOString().slice(0, 10)}: ${bounds.length - missed.length} of ` +
      `${bounds.length} bounds kept${missed.length === 0 ? "." : `, ${missed.length} missed.`}`,
    "",
    ...machine().map((line) => `* ${line}`),
    "",
    `What is compared runs in turn (A, B, A, B …), ${repetitions} times ${seconds} s each unless said otherwise, on one ` +
      "machine over its loopback interface. Figures are medians of the runs, with the smallest and the largest in brackets.",
    "",
    ...chapters.flatMap(chapterText),
  ].join("\n");
}

async function runBench(name: string, settings: Settings): Promise<Chapter> {
  const bench = benches[name] as Bench;
  console.log(`\n== ${bench.title}`);
  const noise = new Noise();
  let finding: Finding | undefined;
  let failure = "";
  try {
    finding = await bench.run(settings);
  } catch (error) {
    failure = `It failed: ${(error as Error).message}`;
  }
  const remark = [await noise.end(), failure].filter((text) => text !== "").join("\n\n");
  for (const row of finding?.rows ?? []) {
    const bound = row.bound === undefined ? "" : ` (${row.bound}: ${row.kept ? "kept" : "MISSED"})`;
    console.log(`  ${row.what}: ${row.measured}${bound}`);
  }
  console.log(`  ${remark}`);
  return { bench, finding, remark };
}

async function run({ names, settings, output }: Options): Promise<boolean> {
  const chapters: Chapter[] = [];
  for (const name of names) chapters.push(await runBench(name, settings));
  if (output !== undefined) {
    writeFileSync(output, resultsText(chapters, settings));
    console.log(`\nWritten to ${output}`);
  }
  return chapters.every(({ finding }) => finding !== undefined);
}

for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));

function optionsOrExit(): Options {
  try {
    const options = readOptions();
    if (options !== "help") return options;
    process.stdout.write(usage);
    process.exit(0);
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${usage}`);
    process.exit(2);
  }
}

if (!existsSync(join(mediaDir, "test/feedplay"))) {
  console.error("The native programs are not built: run scripts/setup --test first.");
  process.exit(2);
}
const options = optionsOrExit();
await runAlone();
if (!(await run(options))) process.exitCode = 1;
