/** Bundles the supervisor to dist/steadycast.js and the web page to dist/web. */
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { z } from "zod";
import { config } from "../src/config/schema.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

/** Packages with a native part, which no bundle can hold. They are loaded where a board has what they are for. */
const nativePackages = ["i2c-bus", "onoff", "spi-device"];

/** One file with all of its modules but the native ones, which stay packages in a node_modules beside or above it. */
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
    external: nativePackages,
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
    // As data, since the page makes forms of it and leaves the checking to the box: a tenth of the size of zod.
    define: { CONFIG_SCHEMA: JSON.stringify(z.toJSONSchema(config, { io: "input" })) },
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
