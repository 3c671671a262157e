/** Bundles for the emulated box, good and bad ones, and what its API says of its firmware. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import {
  closeSync,
  copyFileSync,
  createReadStream,
  mkdirSync,
  openSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { basename, dirname, join } from "node:path";
import type { FirmwareEvent, FirmwareStatus, SlotName, SlotStatus, UsbBundle } from "../../../src/update/status.ts";
import { type Answer, type EmulatedBox, sleep } from "./emulatedBox.ts";

/** As the box reaches it through QEMU's network. */
const THIS_MACHINE = "10.0.2.2";

/** Makes a bundle of a slot's image. */
export function bundle(slot: string, version: string, out: string, env: NodeJS.ProcessEnv = {}): string {
  execFileSync("scripts/image/bundle", [slot, version, out, `Release ${version}`], {
    env: { ...process.env, ...env },
    stdio: ["ignore", "ignore", "inherit"],
  });
  return out;
}

/** Makes a copy of a slot's image with another version, and other files in place of some of its own. */
export function changedSlot(
  slot: string,
  out: string,
  version: string,
  files: Record<string, { content: string; mode: string }>,
): string {
  execFileSync("cp", ["--reflink=auto", "--sparse=always", slot, out]);
  const release = `ID=steadycast\nVERSION_ID=${version}\nBUILD_ID=changed-${version}\nPRETTY_NAME="Steadycast ${version}"\n`;
  const all = { ...files, "/usr/lib/os-release": { content: release, mode: "0100644" } };
  const commands = Object.entries(all).flatMap(([path, { content, mode }], i) => {
    const source = `${out}.${i}`;
    writeFileSync(source, content);
    return [`rm ${path}`, `cd ${dirname(path)}`, `write ${source} ${basename(path)}`, `sif ${path} mode ${mode}`];
  });
  writeFileSync(`${out}.commands`, `${commands.join("\n")}\n`);
  execFileSync("debugfs", ["-w", "-f", `${out}.commands`, out], { stdio: "ignore" });
  return out;
}

/** Makes a slot's image whose kernel panics: there is nothing but itself to start. */
export function panickingSlot(slot: string, out: string): string {
  const root = `${out}.root`;
  mkdirSync(join(root, "boot"), { recursive: true });
  execFileSync("debugfs", ["-R", `dump /boot/Image ${join(root, "boot/Image")}`, slot], { stdio: "ignore" });
  execFileSync("mke2fs", ["-q", "-t", "ext4", "-d", root, out, "24M"]);
  rmSync(root, { recursive: true });
  return out;
}

/** Copies a file with two of its bytes turned over. */
export function flipped(file: string, out: string, at = statSync(file).size / 2): string {
  copyFileSync(file, out);
  const opened = openSync(out, "r+");
  writeSync(opened, Buffer.from([0xff, 0xfe]), 0, 2, Math.floor(at));
  closeSync(opened);
  return out;
}

/** Copies a file without its end. */
export function truncated(file: string, out: string, by: number): string {
  copyFileSync(file, out);
  truncateSync(out, statSync(file).size - by);
  return out;
}

export async function firmware(box: EmulatedBox): Promise<FirmwareStatus> {
  const { status, body } = await box.api("GET", "/firmware");
  assert.equal(status, 200, JSON.stringify(body));
  return body as FirmwareStatus;
}

/** Newest first. */
export async function firmwareHistory(box: EmulatedBox): Promise<FirmwareEvent[]> {
  const { status, body } = await box.api("GET", "/firmware/history");
  assert.equal(status, 200, JSON.stringify(body));
  return (body as { events: FirmwareEvent[] }).events;
}

export async function slotOf(box: EmulatedBox, name: SlotName): Promise<SlotStatus> {
  const slot = (await firmware(box)).slots?.find((one) => one.name === name);
  assert.ok(slot, `there is no slot ${name}`);
  return slot;
}

/** Asks until the firmware is in a state. */
export async function firmwareBecomes(
  box: EmulatedBox,
  is: (status: FirmwareStatus) => boolean,
  seconds = 300,
): Promise<FirmwareStatus> {
  const end = performance.now() + seconds * 1000;
  for (;;) {
    const status = await firmware(box);
    if (is(status)) return status;
    if (performance.now() > end) throw new Error(`The firmware is still ${JSON.stringify(status)}`);
    await sleep(500);
  }
}

/** How a bundle comes to the box. */
export type Bring = (box: EmulatedBox, file: string) => Promise<void>;

export const byUpload: Bring = async (box, file) => {
  const sent = await box.upload("/firmware/bundle", file);
  assert.equal(sent.status, 201, JSON.stringify(sent.body));
};

/** The box fetches it from this machine. */
export const byUrl: Bring = async (box, file) => {
  const server = createServer((_, answer) => {
    answer.writeHead(200, { "Content-Length": statSync(file).size });
    createReadStream(file).pipe(answer);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    const { port } = server.address() as AddressInfo;
    const url = `http://${THIS_MACHINE}:${port}/${basename(file)}`;
    await accepted(box.api("POST", "/firmware/fetch", { url }));
    const { bundle } = await firmwareBecomes(box, ({ work }) => work === null);
    assert.equal(bundle?.origin, "url");
  } finally {
    server.close();
  }
};

/** Somebody plugs a stick in, and pulls it when the box has taken the bundle from it. */
export const byStick: Bring = async (box, file) => {
  const stick = `${file}.stick`;
  const kilobytes = Math.ceil(statSync(file).size / 1024) + 8192;
  execFileSync("mkfs.vfat", ["-C", "-n", "UPDATES", stick, String(kilobytes)], { stdio: "ignore" });
  execFileSync("mcopy", ["-i", stick, file, "::"]);
  await box.plugStick(stick);
  const end = performance.now() + 60_000;
  for (;;) {
    const { body } = await box.api("GET", "/firmware/usb");
    const [found] = (body as { bundles: UsbBundle[] }).bundles;
    if (found !== undefined) {
      assert.deepEqual([found.stick, found.file, found.size], ["UPDATES", basename(file), statSync(file).size]);
      await accepted(box.api("POST", "/firmware/usb", { id: found.id }));
      break;
    }
    if (performance.now() > end) throw new Error("The box does not find the stick");
    await sleep(500);
  }
  const { bundle } = await firmwareBecomes(box, ({ work }) => work === null);
  assert.equal(bundle?.origin, "usb");
  await box.pullStick();
  rmSync(stick);
};

/** Brings a bundle and has it installed to the slot that does not run. */
export async function install(
  box: EmulatedBox,
  file: string,
  { bring = byUpload, onStep = () => {} }: { bring?: Bring; onStep?: (what: string) => void } = {},
): Promise<void> {
  await bring(box, file);
  onStep("received and verified");
  await accepted(box.api("POST", "/firmware/install", { activation: { when: "manual" } }));
  const { trouble } = await firmwareBecomes(box, ({ work }) => work === null);
  assert.equal(trouble, "");
  onStep("installed");
}

/** The box starts the other slot, now. */
export async function activate(box: EmulatedBox): Promise<void> {
  await accepted(box.api("POST", "/firmware/activate", { when: "now" }));
}

/** An order that is carried out from now on. */
export async function accepted(order: Promise<Answer>): Promise<void> {
  const { status, body } = await order;
  assert.equal(status, 202, JSON.stringify(body));
}
