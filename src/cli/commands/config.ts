/** `config …`: the settings of the box. */
import { valueAt, withValue } from "../../config/json.ts";
import { type Command, type Context, Failure, parseJson, UsageError, wholeNumber } from "../command.ts";
import { inLine } from "../output.ts";
import { labelOf, pathOf, rowsOf, typed } from "../settings.ts";

interface Difference {
  pointer: string;
  before?: unknown;
  after?: unknown;
}

interface Trial {
  revision: number;
  author: string | null;
  remainingSeconds: number;
  differences: Difference[];
}

interface Applied {
  revision: number;
  changed: boolean;
  trial?: Trial;
}

interface Plan {
  valid: boolean;
  errors: { pointer: string; message: string }[];
  changed: boolean;
  differences: Difference[];
  channels: { id: string; change: string; effect: string; interrupts: boolean }[];
  canCutOff: boolean;
  confirmSeconds: number;
}

const WISHES = {
  confirm: { value: "SECONDS", help: "take the change back unless it is confirmed within this time" },
  comment: { value: "TEXT", help: "is kept in the history" },
};
const PATCH = { patch: { help: "the file is a merge patch (RFC 7396), not the whole configuration" } };

export const configCommands: readonly Command[] = [
  {
    name: "config get",
    args: "[pointer]",
    summary: "show the settings, or those below a pointer such as /channels/ch1/video",
    run: async ({ client, output, args: [pointer = ""] }) => {
      const document = await client.get<unknown>("/config");
      const path = pathOf(document, pointer);
      const value = valueAt(document, path);
      if (value === undefined) throw new Failure(`There is no setting ${pointer}`);
      if (output.isJson) return await output.json(value);
      // A single value alone, for the shell.
      if (typeof value !== "object") return await output.line(inLine(value));
      const rows = rowsOf(document, path).map((row) => [row.pointer, row.value, row.label]);
      for (const line of output.table(["setting", "value", "label"], rows, "Empty")) await output.line(line);
    },
  },
  {
    name: "config set",
    args: "<pointer> <value>",
    summary:
      "change one setting; a value of - is read from standard input, so that a secret is in no list of processes",
    options: WISHES,
    run: async (context) => {
      const [pointer = "", text = ""] = context.args;
      const given = text === "-" ? (await context.read("-")).replace(/\r?\n$/, "") : text;
      await edit(context, (document) => {
        const path = pathOf(document, pointer);
        if (path.length === 0)
          throw new UsageError("config set changes one setting; config apply takes a whole document");
        return withValue(document, path, typed(document, path, given));
      });
    },
  },
  {
    name: "config unset",
    args: "<pointer>",
    summary: "bring the default of a setting back, or take an entry out of a list",
    options: WISHES,
    run: (context) =>
      edit(context, (document) => {
        const path = pathOf(document, context.args[0] ?? "");
        if (path.length === 0) throw new UsageError("config unset changes one setting");
        return withValue(document, path, undefined);
      }),
  },
  {
    name: "config plan",
    args: "<file|->",
    summary: "tell what a change would do and what is wrong with it, and change nothing",
    options: PATCH,
    run: async (context) => {
      const { client, output } = context;
      const plan = await client.post<Plan>("/config/plan", await proposal(context));
      await output.tell(plan, () => planLines(context, plan));
      if (!plan.valid) throw new Failure("The change would be refused");
    },
  },
  {
    name: "config apply",
    args: "<file|->",
    summary: "make a change; one that can cut you off is taken back unless it is confirmed in time",
    options: { ...PATCH, ...WISHES },
    run: async (context) => {
      const body = { ...(await proposal(context)), ...wishes(context) };
      await tellApplied(context, await context.client.post<Applied>("/config/apply", body));
    },
  },
  {
    name: "config confirm",
    args: "[revision]",
    summary: "keep the change that is on trial",
    run: async (context) => endTrial(context, "confirm", "is kept"),
  },
  {
    name: "config revert",
    args: "[revision]",
    summary: "take the change on trial back at once",
    run: async (context) => endTrial(context, "revert", "is in force again"),
  },
  {
    name: "config history",
    summary: "list the versions that are kept",
    run: async ({ client, output }) => {
      interface Version {
        revision: number;
        saved: string;
        author: string | null;
        comment: string | null;
        current: boolean;
      }
      const answer = await client.get<{ versions: Version[] }>("/config/history");
      await output.tell(answer, ({ versions }) =>
        output.table(
          ["revision", "saved", "author", "comment"],
          versions.map(({ revision, saved, author, comment, current }) => [
            `${revision}${current ? " *" : ""}`,
            ...[saved, author ?? "", comment ?? ""],
          ]),
          "No version is kept yet",
        ),
      );
    },
  },
  {
    name: "config diff",
    args: "<revision> [revision]",
    summary: "tell what differs between a version and another one, or the one in force",
    run: async ({ client, output, args: [from = "", to] }) => {
      const query = to === undefined ? "" : `?to=${wholeNumber("revision", to)}`;
      const path = `/config/history/${wholeNumber("revision", from)}/diff${query}`;
      const answer = await client.get<{ differences: Difference[] }>(path);
      await output.tell(answer, ({ differences }) =>
        differences.length === 0 ? "They are the same" : differenceLines(differences),
      );
    },
  },
  {
    name: "config restore",
    args: "<revision>",
    summary: "bring a version back",
    options: WISHES,
    run: async (context) => {
      const path = `/config/history/${wholeNumber("revision", context.args[0] ?? "")}/restore`;
      await tellApplied(context, await context.client.post<Applied>(path, wishes(context)));
    },
  },
  {
    name: "config export",
    summary: "write a backup to standard output; secrets are in it only with a passphrase, encrypted",
    options: {
      parts: { value: "A,B", help: "only these parts" },
      "passphrase-file": { value: "FILE", help: "its first line encrypts the secrets (also STEADYCAST_PASSPHRASE)" },
    },
    run: async (context) => {
      const { text } = await context.client.call("POST", "/config/export", { body: await backupWishes(context) });
      await context.output.raw(text.endsWith("\n") ? text : `${text}\n`);
    },
  },
  {
    name: "config import",
    args: "<file|->",
    summary: "bring a backup back: all of it, or nothing has changed",
    options: {
      parts: { value: "A,B", help: "only these parts" },
      plan: { help: "only tell what it would change" },
      "passphrase-file": { value: "FILE", help: "its first line decrypts the secrets (also STEADYCAST_PASSPHRASE)" },
    },
    run: async (context) => {
      const { client, output, args } = context;
      const backup = parseJson("The backup", await context.read(args[0] ?? ""));
      const body = { backup, ...(await backupWishes(context)), ...(context.has("plan") ? { plan: true } : {}) };
      interface Imported {
        applied: boolean;
        parts: string[];
        differences: Difference[];
        notes: string[];
      }
      await output.tell(
        await client.post<Imported>("/config/import", body),
        ({ applied, parts, differences, notes }) => [
          `${applied ? "Imported" : "Would import"} ${parts.join(", ") || "nothing"}`,
          ...differenceLines(differences),
          ...notes.map((note) => `Note: ${note}`),
        ],
      );
    },
  },
];

/** Changes the document, unless somebody else does so meanwhile. */
async function edit(context: Context, change: (document: unknown) => unknown): Promise<void> {
  const { client } = context;
  const { text, tag } = await client.call("GET", "/config");
  const document = change(JSON.parse(text));
  const headers: Record<string, string> = tag === undefined ? {} : { "If-Match": `"${tag}"` };
  await tellApplied(context, await client.post<Applied>("/config/apply", { document, ...wishes(context) }, headers));
}

async function proposal(context: Context): Promise<{ document: unknown } | { patch: unknown }> {
  const given = parseJson("The change", await context.read(context.args[0] ?? ""));
  return context.has("patch") ? { patch: given } : { document: given };
}

function wishes({ option }: Context): { confirmSeconds?: number; comment?: string } {
  const [confirm, comment] = [option("confirm"), option("comment")];
  return {
    ...(confirm === undefined ? {} : { confirmSeconds: wholeNumber("--confirm", confirm) }),
    ...(comment === undefined ? {} : { comment }),
  };
}

async function backupWishes(context: Context): Promise<{ parts?: string[]; passphrase?: string }> {
  const [parts, file] = [context.option("parts"), context.option("passphrase-file")];
  if (file === "-" && context.args.includes("-")) throw new UsageError("only one of the two can be standard input");
  const passphrase =
    file === undefined ? context.env.STEADYCAST_PASSPHRASE : (await context.read(file)).split(/\r?\n/, 1)[0];
  return {
    ...(parts === undefined ? {} : { parts: parts.split(",").map((part) => part.trim()) }),
    ...(passphrase === undefined || passphrase === "" ? {} : { passphrase }),
  };
}

async function tellApplied({ output }: Context, applied: Applied): Promise<void> {
  await output.tell(applied, ({ revision, changed, trial }) => {
    if (!changed) return "Nothing has changed: it was like that already";
    if (trial === undefined) return `Done, revision ${revision}`;
    return [
      `Revision ${revision} is on trial and is taken back in ${trial.remainingSeconds} s, unless you say:`,
      `  steadycast config confirm ${revision}`,
    ];
  });
}

async function endTrial({ client, output, args }: Context, how: "confirm" | "revert", what: string): Promise<void> {
  const [given] = args;
  let revision = given === undefined ? undefined : wholeNumber("revision", given);
  revision ??= (await client.get<{ trial: Trial | null }>("/config/trial")).trial?.revision;
  if (revision === undefined) throw new Failure("No change is on trial");
  const applied = await client.post<Applied>(`/config/${how}`, { revision });
  await output.tell(applied, () => `Revision ${applied.revision} ${what}`);
}

function planLines({ output }: Context, plan: Plan): string[] {
  if (!plan.valid) return plan.errors.map(({ pointer, message }) => `${named(pointer)}: ${message}`);
  if (!plan.changed) return ["Nothing would change"];
  const rows = plan.channels.map(({ id, change, effect, interrupts }) => [
    id,
    change,
    effect,
    interrupts ? "yes" : "no",
  ]);
  return [
    ...differenceLines(plan.differences),
    ...(rows.length === 0 ? [] : ["", ...output.table(["channel", "change", "effect", "interrupts"], rows, "")]),
    ...(plan.confirmSeconds > 0
      ? ["", `It can cut you off: it would be taken back after ${plan.confirmSeconds} s unless confirmed`]
      : []),
  ];
}

function differenceLines(differences: readonly Difference[]): string[] {
  return differences.map(({ pointer, before, after }) => `${pointer}: ${inLine(before)} → ${inLine(after)}`);
}

function named(pointer: string): string {
  const label = labelOf(undefined, pointer);
  return label === undefined ? pointer : `${pointer} (${label})`;
}
