/** `audit …`, `token …`: who has done what, and programs that may. */
import type { AuditCheck } from "../../access/audit/check.ts";
import type { AuditPage } from "../../access/audit/log.ts";
import type { TokenInfo } from "../../access/results.ts";
import { type Command, type Context, Failure, UsageError, wholeNumber } from "../command.ts";

const DAY_MS = 86_400_000;

export const accessCommands: readonly Command[] = [
  {
    name: "audit",
    summary: "show who has changed what, the newest first",
    options: {
      limit: { value: "N", help: "how many, 1 to 200 (50)" },
      before: { value: "N", help: "only those before this number" },
      who: { value: "TEXT", help: "part of the user's name or address" },
      what: { value: "TEXT", help: "part of what was done, or to what" },
    },
    run: async ({ client, output, option }) => {
      const query = new URLSearchParams();
      for (const name of ["limit", "before"]) {
        const value = option(name);
        if (value !== undefined) query.set(name, String(wholeNumber(`--${name}`, value)));
      }
      for (const name of ["who", "what"]) {
        const value = option(name);
        if (value !== undefined) query.set(name, value);
      }
      await output.tell(await client.get<AuditPage>(`/audit?${query}`), ({ records, next }) => [
        ...output.table(
          ["no", "time", "who", "from", "what", "result", "target"],
          records.map(({ seq, time, who, what, result, target, detail }) => [
            ...[String(seq), time, who.name, who.address || who.via, what, result],
            detail === undefined ? target : `${target} (${detail})`,
          ]),
          "Nothing is recorded",
        ),
        ...(next === null ? [] : [`More: steadycast audit --before ${next}`]),
      ]);
    },
  },
  {
    name: "audit check",
    summary: "tell whether the audit log is as it was written",
    run: async ({ client, output }) => {
      const check = await client.get<AuditCheck>("/audit/check");
      await output.tell(check, ({ text }) => text);
      if (!check.ok) throw new Failure("The audit log was edited or damaged");
    },
  },
  {
    name: "audit export",
    summary: "write the whole audit log to standard output, a record a line",
    run: async ({ client, output }) => {
      for await (const part of client.stream("/audit/export")) await output.raw(part);
    },
  },
  {
    name: "token list",
    summary: "list the API tokens",
    run: async ({ client, output }) => {
      await output.tell(await client.get<{ tokens: TokenInfo[] }>("/tokens"), ({ tokens }) =>
        output.table(
          ["id", "name", "owner", "role", "scopes", "expires", "last used"],
          tokens.map(({ id, name, owner, role, scopes, expires, lastUsed }) => [
            ...[id, name, owner, role, scopes?.join(",") ?? "all", expires ?? "never", lastUsed ?? "never"],
          ]),
          "There are no tokens",
        ),
      );
    },
  },
  {
    name: "token create",
    args: "<name>",
    summary: "make an API token and write it to standard output; takes --url and a log-in",
    options: {
      user: { value: "NAME", help: "whose token it is (admin)" },
      role: { value: "ROLE", help: "viewer, operator or admin (viewer)" },
      scopes: { value: "A,B", help: "only these parts of the API" },
      days: { value: "N", help: "how long it lives; without it for ever" },
      "password-file": { value: "FILE", help: "its first line is the password; without it the terminal asks" },
      code: { value: "CODE", help: "of the second factor" },
    },
    run: createToken,
  },
  {
    name: "token remove",
    args: "<id>",
    summary: "make a token useless",
    run: async ({ client, output, args: [id = ""] }) => {
      await client.call("DELETE", `/tokens/${encodeURIComponent(id)}`);
      await output.tell({ id }, () => `Token ${id} is removed`);
    },
  },
];

/** A token belongs to a user, so it takes their log-in, which ends at once after it. */
async function createToken(context: Context): Promise<void> {
  const { client, output, option, args } = context;
  if (!("url" in client.target)) {
    throw new UsageError(
      "token create takes --url, also on the box itself: a token belongs to a user, who must log in",
    );
  }
  const [scopes, days, file, code] = [option("scopes"), option("days"), option("password-file"), option("code")];
  const user = option("user") ?? "admin";
  const password =
    file === undefined ? await context.ask(`Password of ${user}: `) : (await context.read(file)).split(/\r?\n/, 1)[0];
  const { origin } = client.target.url;
  const login = await client.call("POST", "/session", {
    body: { user, password, ...(code === undefined ? {} : { code }) },
    headers: { Origin: origin },
  });
  const cookie = (login.headers["set-cookie"] ?? []).map((line) => line.split(";", 1)[0]).join("; ");
  const headers = { Cookie: cookie, Origin: origin, "Steadycast-Request": "1" };
  try {
    const body = {
      name: args[0],
      role: option("role") ?? "viewer",
      ...(scopes === undefined ? {} : { scopes: scopes.split(",") }),
      ...(days === undefined
        ? {}
        : { expires: new Date(Date.now() + wholeNumber("--days", days) * DAY_MS).toISOString() }),
    };
    const made = await client.post<TokenInfo & { token: string }>("/tokens", body, headers);
    await output.tell(made, ({ token }) => token);
  } finally {
    await client.call("DELETE", "/session", { headers }).catch(() => undefined);
  }
}
