/** Bundles the supervisor to dist/steadycast.js and dist/parts, the command line to dist/steadycast-cli.js and the web page to dist/web. */
import { copyFile, mkdir, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { type BuildOptions, build } from "esbuild";
import { z } from "zod";
import { config } from "../src/config/schema.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

/** Packages with a native part, which no bundle can hold. They are loaded where a board has what they are for. */
const nativePackages = ["@node-rs/argon2", "i2c-bus", "onoff", "spi-device"];

/** ssh2 does without it. */
const withoutPackages = ["cpu-features"];

/**
 * `steadycast.js` in a folder, with all of its modules but the native ones, which stay packages in a node_modules beside
 * or above it, and beside it in `parts` what is loaded when it is needed first. Small, because Node.js keeps the text of
 * all that is loaded in memory.
 */
async function buildSupervisor(outdir: string): Promise<void> {
  await rm(join(root, outdir, "parts"), { recursive: true, force: true });
  await build({
    absWorkingDir: root,
    entryPoints: { steadycast: "src/main.ts" },
    outdir,
    chunkNames: "parts/[name]-[hash]",
    splitting: true,
    bundle: true,
    minify: true,
    platform: "node",
    target: "node20",
    format: "esm",
    sourcemap: "linked",
    external: [...nativePackages, ...withoutPackages],
    // CommonJS packages within ask for Node's own modules by require, and for the folder that they are in.
    banner: {
      js: `import { createRequire } from "node:module";
const require = createRequire(import.meta.url), __dirname = import.meta.dirname;`,
    },
    logLevel: "warning",
  });
}

/** The command line: one file, which needs nothing but Node. */
export async function buildCli(outfile: string): Promise<void> {
  await build({
    absWorkingDir: root,
    entryPoints: ["src/cli/main.ts"],
    outfile,
    bundle: true,
    minify: true,
    platform: "node",
    target: "node20",
    format: "esm",
    logLevel: "warning",
  });
}

const forBrowsers = {
  absWorkingDir: root,
  bundle: true,
  minify: true,
  platform: "browser",
  target: ["chrome111", "firefox113", "safari16.4"],
  format: "esm",
  loader: { ".html": "copy", ".svg": "copy" },
  logLevel: "warning",
} satisfies BuildOptions;

export async function buildWeb(outdir: string): Promise<void> {
  await build({
    ...forBrowsers,
    entryPoints: ["web/index.html", "web/main.tsx", "web/style.css", "web/icon.svg"],
    outdir,
    // As data, since the page makes forms of it and leaves the checking to the box: a tenth of the size of zod.
    define: { CONFIG_SCHEMA: JSON.stringify(z.toJSONSchema(config, { io: "input" })) },
  });
  await buildApiPage(join(outdir, "docs/api"));
}

/** The page that shows the API: Swagger UI as it comes, with the licences of what is in it, and our own few lines. */
async function buildApiPage(outdir: string): Promise<void> {
  const folder = "web/docs/api";
  await build({
    ...forBrowsers,
    entryPoints: [`${folder}/index.html`, `${folder}/page.ts`, `${folder}/page.css`],
    outdir,
  });
  const to = resolve(root, outdir);
  await mkdir(to, { recursive: true });
  for (const file of ["swagger-ui-bundle.js", "swagger-ui-bundle.js.LICENSE.txt", "swagger-ui.css", "LICENSE"]) {
    await copyFile(join(root, "node_modules/swagger-ui-dist", file), join(to, file));
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    await Promise.all([buildSupervisor("dist"), buildCli("dist/steadycast-cli.js"), buildWeb("dist/web")]);
  } catch {
    process.exitCode = 1; // esbuild has said why
  }
}
