/**
 * A box that has booted long ago: its slot A is good, its API is set up, and its channel is on air. It is booted once for each
 * image and stands still in the image's folder from then on, so that tests take it from there in a second or two.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type BoxOptions, EmulatedBox, type Still } from "./emulatedBox.ts";
import { firmwareBecomes } from "./firmware.ts";

/** Its clock is that of the moment when it was stopped: what compares it with others' sets it first. */
export async function boxOnAir(image: string, options: Omit<BoxOptions, "from"> = {}): Promise<EmulatedBox> {
  const { token, ...from } = await still(image);
  const box = new EmulatedBox(image, { ...options, from });
  box.token = token;
  await box.start();
  await box.shell("true");
  return box;
}

type KnownStill = Still & { token: string };

/** Those that this process has looked for, so that two tests at once make one. */
const stills = new Map<string, Promise<KnownStill>>();

async function still(image: string): Promise<KnownStill> {
  const found = stills.get(image) ?? find(image);
  stills.set(image, found);
  return await found;
}

async function find(image: string): Promise<KnownStill> {
  const hash = createHash("sha256");
  for (const name of ["emulatedBox.ts", "onAir.ts"]) hash.update(readFileSync(new URL(name, import.meta.url)));
  const folder = join(image, `on-air-${hash.digest("hex").slice(0, 16)}`);
  const known = join(folder, "still.json");
  if (!existsSync(known)) {
    // Another process that makes one meanwhile makes one of its own: the first to end is taken.
    const work = `${folder}.${process.pid}`;
    mkdirSync(work);
    try {
      const token = await make(image, work);
      const made = { state: join(folder, "state"), disk: join(folder, "disk.qcow2"), token };
      writeFileSync(join(work, "still.json"), JSON.stringify(made));
      renameSync(work, folder);
    } catch (error) {
      if (!existsSync(known)) throw error;
    } finally {
      rmSync(work, { recursive: true, force: true });
    }
  }
  return JSON.parse(readFileSync(known, "utf8")) as KnownStill;
}

async function make(image: string, folder: string): Promise<string> {
  const box = new EmulatedBox(image);
  try {
    const onAir = new Promise<void>((resolve) => {
      box.onDatagram(({ destination }) => {
        if (destination === "239.10.0.1") resolve();
      });
    });
    await box.start();
    await box.shellReady();
    await box.apiReady();
    await box.setUp();
    await onAir;
    const gate = await box.shell("systemctl start steadycast-good || journalctl -u steadycast-good -o cat -n 3", 400);
    if (gate.text !== "") throw new Error(`The box is not good: ${gate.text}`);
    await firmwareBecomes(box, ({ slots }) => slots?.some(({ state }) => state === "good") === true);
    await box.shell("sync");
    await box.freeze(folder);
    return box.token;
  } finally {
    await box.remove();
  }
}
