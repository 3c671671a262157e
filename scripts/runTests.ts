/**
 * Runs the tests in parts, each with its title and time, all of them even when one fails, and sums up at the end.
 * Usage: `scripts/test [part…]`, where no part means every part but those that run on request.
 */
import { spawn } from "node:child_process";
import { createWriteStream, existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));

/** Folders of test/ that need processes, a browser or a machine; everything else there is a unit test. */
const benches = ["media", "browser", "machine", "image", "bench"];
/** For all fuzz targets together. */
const fuzzSeconds = Number(process.env.FUZZ_SECONDS ?? 60);

interface Command {
  argv: string[];
  env?: Record<string, string>;
}

interface Part {
  title: string;
  /** The commands to run one after the other, made when the part starts; none: there is nothing to test yet. */
  commands: () => Command[];
  /** Longest time it may take, seconds. */
  limit: number;
  /** Runs only when it is named. */
  onRequest?: true;
}

const run = (...argv: string[]): Command => ({ argv });

/** Files below a folder whose names end so, sorted. Unlike a glob, this also works on Node 20. */
function filesBelow(folder: string, ending: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(ending))
    .map((file) => join(folder, file))
    .sort();
}

function nodeTests(files: string[], ...options: string[]): Command[] {
  if (files.length === 0) return [];
  return [run("node", "--import", "tsx", "--test", "--test-reporter=spec", ...options, ...files)];
}

const unitTests = () =>
  filesBelow("test", ".test.ts").filter((file) => !benches.some((bench) => file.startsWith(`test/${bench}/`)));

/** Builds firmware/media instrumented, beside the product's build. Instrumented code draws warnings that are not true. */
function nativeBuild(folder: string, env: Record<string, string>, ...options: string[]): Command[] {
  const general = ["-Dwerror=false", "-Dbuildtype=debugoptimized"];
  const setup = { argv: ["meson", "setup", folder, "firmware/media", ...general, ...options], env };
  const compile = run("ninja", "-C", folder);
  return existsSync(join(folder, "build.ninja")) ? [compile] : [setup, compile];
}

/** Where the sanitizers write what they find, also in processes whose stderr nobody reads. */
const findings = resolve("build/test/findings");

/** @param leaks whether memory that is not freed at the end counts; the stacks that tell its owner make it slow. */
function sanitizers(leaks: boolean): Record<string, string> {
  const general = `log_path=${findings}/report:abort_on_error=1`;
  const forLeaks = leaks ? "fast_unwind_on_malloc=0" : "detect_leaks=0";
  return {
    ASAN_OPTIONS: `${general}:detect_stack_use_after_return=1:${forLeaks}`,
    UBSAN_OPTIONS: `${general}:halt_on_error=1:print_stacktrace=1`,
    LSAN_OPTIONS: `suppressions=${resolve("scripts/leaks.txt")}:print_suppressions=0`,
  };
}

/** Tests of behaviour, not of speed: they pass with programs that are several times slower. */
const patientTests = ["test/media/output.test.ts", "test/browser/box.test.ts"];

function sanitized(): Command[] {
  rmSync(findings, { recursive: true, force: true });
  mkdirSync(findings, { recursive: true });
  const folder = "build/media-asan";
  const env = { ...sanitizers(false), STEADYCAST_MEDIA_DIR: folder };
  return [
    ...nativeBuild(folder, {}, "-Db_sanitize=address,undefined"),
    { argv: ["meson", "test", "-C", folder, "--print-errorlogs"], env: sanitizers(true) },
    ...nodeTests(patientTests, "--test-concurrency=1").map((command) => ({ ...command, env })),
    run("sh", "-c", `! cat ${findings}/report* 2>/dev/null`),
  ];
}

/** Every fuzz target, briefly, from the committed corpus; what it finds new goes to build/fuzz. */
function fuzzing(): Command[] {
  const targets = filesBelow("firmware/media", ".c").filter((file) => basename(file).startsWith("fuzz_"));
  const seconds = Math.max(1, Math.floor(fuzzSeconds / targets.length));
  return targets.map((source) => {
    const target = basename(source, ".c");
    const part = dirname(source);
    const corpus = join(part, "corpus", target);
    const found = join("build/fuzz", target);
    mkdirSync(found, { recursive: true });
    const binary = join("build/media-fuzz", part.slice("firmware/media/".length), target);
    return run(
      binary,
      `-max_total_time=${seconds}`,
      "-timeout=10",
      "-rss_limit_mb=1024",
      "-verbosity=0",
      "-print_final_stats=1",
      `-artifact_prefix=${found}/`,
      found,
      ...(existsSync(corpus) ? [corpus] : []),
    );
  });
}

const parts: Record<string, Part> = {
  lint: { title: "Format and lint", limit: 60, commands: () => [run("npx", "biome", "check", ".")] },
  types: { title: "Types", limit: 120, commands: () => [run("npx", "tsc", "-p", ".")] },
  native: {
    title: "Native unit tests",
    limit: 120,
    commands: () => [run("meson", "test", "-C", "build/media", "--print-errorlogs")],
  },
  sanitizers: {
    title: "Native programs with address and undefined-behaviour sanitizers",
    limit: 420,
    commands: sanitized,
  },
  fuzz: {
    title: "Fuzz targets",
    limit: 300,
    commands: () => [...nativeBuild("build/media-fuzz", { CC: "clang" }, "-Dfuzz=true"), ...fuzzing()],
  },
  unit: { title: "Unit tests", limit: 600, commands: () => nodeTests(unitTests(), "--test-concurrency=2") },
  media: {
    title: "Media tests",
    limit: 900,
    commands: () => nodeTests(filesBelow("test/media", ".test.ts"), "--test-concurrency=1"),
  },
  browser: {
    title: "Browser tests",
    limit: 480,
    commands: () => nodeTests(filesBelow("test/browser", ".test.ts"), "--test-concurrency=1"),
  },
  machine: {
    title: "Machine tests",
    limit: 420,
    commands: () => nodeTests(filesBelow("test/machine", ".test.ts"), "--test-concurrency=1"),
  },
  image: {
    title: "Tests of the image in an emulated box",
    // Without any cache: the kernel alone takes five minutes.
    limit: 3600,
    onRequest: true,
    commands: () => [
      run("scripts/setup", "--image"),
      // Before the tests, which would all begin by building it.
      run("scripts/bench-image"),
      ...nodeTests(filesBelow("test/image", ".test.ts"), "--test-concurrency=1"),
    ],
  },
};

const BUILDS = new Set(["ninja", "scripts/setup", "scripts/bench-image"]);

/** Lines that say what failed, in the reports of Node, meson, Biome, tsc, the compilers and the sanitizers. */
const telling =
  /^\s*✖ (?!failing tests)|^test at |^\s*\w*Error(?: \[\w+\])?: |^\s*[+-] |\bFAIL(ED)?\b|error TS\d+|: error:|: fatal error:|━━━|==ERROR|runtime error:|^SUMMARY: /;

/** Runs one command in a process group of its own, so that nothing it started is left when the time is up. */
function execute(command: Command, deadline: number, onText: (text: string) => void): Promise<string> {
  const [file = "", ...args] = command.argv;
  return new Promise((resolve) => {
    const child = spawn(file, args, {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, ...command.env },
      detached: true,
    });
    const kill = () => {
      if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, "SIGKILL");
    };
    const interrupted = () => {
      kill();
      process.exit(130);
    };
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      kill();
    }, deadline - Date.now());
    process.once("SIGINT", interrupted).once("SIGTERM", interrupted);
    const end = (failure: string) => {
      clearTimeout(timer);
      process.off("SIGINT", interrupted).off("SIGTERM", interrupted);
      resolve(failure);
    };
    child.stdout.setEncoding("utf8").on("data", onText);
    child.stderr.setEncoding("utf8").on("data", onText);
    child.on("error", (error) => end(error.message));
    child.on("close", (code, signal) => {
      if (late) end(`${file}: stopped, the part's time was up`);
      else if (code !== 0) end(`${file}: ${signal === null ? `exit code ${code}` : signal}`);
      else end("");
    });
  });
}

interface Result {
  title: string;
  outcome: "passed" | "failed" | "nothing to test";
  seconds: number;
  log: string;
  lines: string[];
}

async function runPart(name: string, part: Part): Promise<Result> {
  const began = Date.now();
  const log = `build/test/${name}.log`;
  const result: Result = { title: part.title, outcome: "passed", seconds: 0, log, lines: [] };
  console.log(`\n== ${part.title}`);
  const file = createWriteStream(log);
  let text = "";
  const failures: string[] = [];
  const commands = part.commands();
  if (commands.length === 0) result.outcome = "nothing to test";
  for (const command of commands) {
    if (commands.length > 1) console.log(`-- ${command.argv.join(" ").slice(0, 110)}`);
    const failure = await execute(command, began + part.limit * 1000, (chunk) => {
      process.stdout.write(chunk);
      file.write(chunk);
      text += chunk;
    });
    if (failure === "") continue;
    failures.push(failure);
    // A failed build leaves nothing to test; else one command says nothing of the next.
    if (BUILDS.has(command.argv[0] ?? "") || command.argv[1] === "setup") break;
  }
  file.end();
  if (failures.length > 0) {
    result.outcome = "failed";
    result.lines = [...new Set(text.split("\n").filter((line) => telling.test(line)))].slice(0, 40).concat(failures);
  }
  result.seconds = (Date.now() - began) / 1000;
  console.log(`== ${part.title}: ${result.outcome}, ${result.seconds.toFixed(1)} s`);
  return result;
}

const names =
  process.argv.length > 2 ? process.argv.slice(2) : Object.keys(parts).filter((name) => !parts[name]?.onRequest);
const unknown = names.filter((name) => !(name in parts));
if (unknown.length > 0) {
  console.error(`No such part: ${unknown.join(", ")}. Parts: ${Object.keys(parts).join(" ")}`);
  process.exit(2);
}
mkdirSync("build/test", { recursive: true });
const results: Result[] = [];
for (const name of names) {
  const part = parts[name];
  if (part !== undefined) results.push(await runPart(name, part));
}

console.log("\n== Summary");
for (const { outcome, seconds, title } of results) {
  console.log(`${outcome.padEnd(16)}${seconds.toFixed(1).padStart(7)} s  ${title}`);
}
const failed = results.filter(({ outcome }) => outcome === "failed");
for (const { title, log, lines } of failed) console.log(`\n-- ${title} failed (${log})\n${lines.join("\n")}`);
process.exit(failed.length > 0 ? 1 : 0);
