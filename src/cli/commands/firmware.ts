/** `firmware …`: slots, bundles and updates. */
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { basename } from "node:path";
import type { BundleStatus, FirmwareEvent, FirmwareStatus } from "../../update/status.ts";
import { type Command, type Context, Failure, UsageError } from "../command.ts";
import { type Output, printable } from "../output.ts";

const WHEN = {
  now: { help: "start it as soon as it is installed; the box reboots" },
  "next-boot": { help: "start it at the next boot" },
  at: { value: "TIME", help: "start it then, such as 2026-11-23T03:00:00+01:00" },
};

export const firmwareCommands: readonly Command[] = [
  {
    name: "firmware",
    summary: "tell which firmware the slots hold, and what is being done",
    run: status,
  },
  {
    name: "firmware status",
    summary: "the same",
    run: status,
  },
  {
    name: "firmware upload",
    args: "<file>",
    summary: "send a bundle to the box, which checks it",
    run: async ({ client, output, args: [file = ""] }) => {
      const info = await stat(file).catch((error: unknown) => {
        throw new Failure(`${file}: ${error instanceof Error ? error.message : error}`);
      });
      const path = `/firmware/bundle?name=${encodeURIComponent(basename(file))}`;
      const bundle = await client.upload<BundleStatus>(path, createReadStream(file), info.size);
      await output.tell(bundle, () => [
        `Version ${bundle.version} is on the box${bundle.downgrade ? "; it is older than the one that runs" : ""}`,
        "  steadycast firmware install --now",
      ]);
    },
  },
  {
    name: "firmware fetch",
    args: "<url>",
    summary: "have the box fetch a bundle from a web server",
    options: { sha256: { value: "SUM", help: "that the file must have" } },
    run: async (context) => {
      const { client, args, option } = context;
      const sha256 = option("sha256");
      await client.post("/firmware/fetch", { url: args[0] ?? "", ...(sha256 === undefined ? {} : { sha256 }) });
      const { bundle, trouble } = await finished(context);
      if (bundle === null) throw new Failure(trouble || "There is no bundle");
      await context.output.tell(bundle, () => `Version ${bundle.version} is on the box`);
    },
  },
  {
    name: "firmware install",
    summary: "install the bundle at hand to the slot that does not run; the channels stay on the air",
    options: { ...WHEN, downgrade: { help: "also an older version" } },
    run: async (context) => {
      const { client, output, has } = context;
      const activation = when(context) ?? { when: "manual" };
      const downgrade = has("downgrade") ? { downgrade: true } : {};
      await client.post("/firmware/install", { activation, ...downgrade });
      const found = await finished(context);
      if (found.trouble !== "") throw new Failure(found.trouble);
      await output.tell(found, () => [
        ...slotTable(output, found),
        ...(activation.when === "manual" ? ["", "It is started by: steadycast firmware activate --now"] : []),
      ]);
    },
  },
  {
    name: "firmware activate",
    summary: "start what the other slot holds",
    options: { ...WHEN, cancel: { help: "take back what was ordered for later" } },
    run: async (context) => {
      const { client, output, has } = context;
      if (has("cancel")) {
        await client.call("DELETE", "/firmware/activation");
        return await output.tell({ activation: null }, () => "Nothing is ordered any more");
      }
      const activation = when(context);
      if (activation === undefined) throw new UsageError("Give --now, --next-boot or --at TIME");
      const found = await client.post<FirmwareStatus>("/firmware/activate", activation);
      await output.tell(found, () => (activation.when === "now" ? "The box reboots" : orderOf(found)));
    },
  },
  {
    name: "firmware rollback",
    summary: "reboot into the other slot, which was good before",
    run: async ({ client, output }) => {
      const found = await client.post<FirmwareStatus>("/firmware/rollback", {});
      await output.tell(found, () => "The box reboots");
    },
  },
  {
    name: "firmware history",
    summary: "show what has happened to the firmware, the newest first",
    run: async ({ client, output }) => {
      const { events } = await client.get<{ events: FirmwareEvent[] }>("/firmware/history");
      const rows = events.map(({ at, what, version, slot, who, detail }) => [
        at,
        what,
        version,
        slot ?? "",
        who,
        detail,
      ]);
      await output.tell(events, () =>
        output.table(["time", "what", "version", "slot", "who", "detail"], rows, "Nothing has happened"),
      );
    },
  },
];

async function status({ client, output }: Context): Promise<void> {
  const found = await client.get<FirmwareStatus>("/firmware");
  const { version, build, bundle, work, trouble, capabilities } = found;
  await output.tell(found, () => [
    ...output.fields([
      ["Version", build === "" ? version : `${version} (${build})`],
      ["Bundle", bundle === null ? "none" : `${bundle.version}, ${bundle.size} bytes`],
      ...(work === null ? [] : [["Work", `${work.step}${work.percent === null ? "" : ` ${work.percent} %`}`] as const]),
      ...(found.activation === null ? [] : [["Ordered", orderOf(found)] as const]),
      ...(trouble === "" ? [] : [["Trouble", trouble] as const]),
      ...(capabilities.why === "" ? [] : [["Updates", `not possible: ${capabilities.why}`] as const]),
    ]),
    ...(found.slots === null ? [] : ["", ...slotTable(output, found)]),
  ]);
}

function slotTable(output: Output, { slots }: FirmwareStatus): string[] {
  const rows = (slots ?? []).map(({ name, running, next, state, version, installed, why }) => [
    ...[name, state, version, running ? "running" : "", next ? "next" : "", installed ?? ""],
    printable(why),
  ]);
  return output.table(["slot", "state", "version", "", "boot", "installed", "why"], rows, "There are no slots");
}

function orderOf({ activation }: FirmwareStatus): string {
  if (activation === null) return "nothing";
  return activation.when === "at" ? `the other slot is started at ${activation.at}` : "the other slot is started next";
}

function when({ option, has }: Context): { when: string; at?: string } | undefined {
  const at = option("at");
  const given = [has("now"), has("next-boot"), at !== undefined].filter(Boolean).length;
  if (given > 1) throw new UsageError("Give only one of --now, --next-boot and --at");
  if (at !== undefined) return { when: "at", at };
  return has("now") ? { when: "now" } : has("next-boot") ? { when: "next-boot" } : undefined;
}

/** Waits until the work under way has ended. */
async function finished({ client }: Context): Promise<FirmwareStatus> {
  for (;;) {
    const found = await client.get<FirmwareStatus>("/firmware");
    if (found.work === null) return found;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}
