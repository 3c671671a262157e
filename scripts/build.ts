/** Bundles the supervisor to dist/steadycast.js and the web page to dist/web. */
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));

/** One file with all of its modules, so that the box carries no node_modules. */
export async function buildSupervisor(outfile: string): Promise<void> {
  await build({
    absWorkingDir: root,
    entryPoints: ["src/main.ts"],
    outfile,
    bundle: true,
    platform: "node",
    target: "node20",
    format: "esm",
    sourcemap: "linked",
    // CommonJS packages within ask for Node's own modules by require.
    banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
    logLevel: "warning",
  });
}

export async function buildWeb(outdir: string): Promise<void> {
  await build({
    absWorkingDir: root,
    entryPoints: ["web/index.html", "web/main.tsx", "web/style.css", "web/icon.svg"],
    outdir,
    bundle: true,
    minify: true,
    platform: "browser",
    target: ["chrome111", "firefox113", "safari16.4"],
    format: "esm",
    loader: { ".html": "copy", ".svg": "copy" },
    logLevel: "warning",
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    await Promise.all([buildSupervisor("dist/steadycast.js"), buildWeb("dist/web")]);
  } catch {
    process.exitCode = 1; // esbuild has said why
  }
}
