/** `/tls`: the certificate for HTTPS. The private key never leaves the box here. */
import type { Context } from "koa";
import { IssueError } from "../../access/tls/issue.ts";
import type { TlsInfo, TlsService } from "../../access/tls/service.ts";
import { readValid } from "../body.ts";
import { noteForAudit } from "../principal.ts";
import { invalid, Problem } from "../problem.ts";
import { answer, type Route } from "../route.ts";
import { tlsInfo, tlsRequest, tlsUpload } from "../tlsSchemas.ts";

const ADMIN = { role: "admin", scope: "access" } as const;
const JSON_TYPE = ["application/json"] as const;
/** Two texts of 64 KiB, and their JSON. */
const BODY_LIMIT = 256 * 1024;

export function tlsRoutes(tls: Pick<TlsService, "info" | "upload" | "selfSign" | "request">): Route[] {
  const info = (): TlsInfo => {
    const found = tls.info();
    if (found === undefined) throw new Problem("unavailable", "The box has no certificate; its log tells why");
    return found;
  };
  const changing = async (ctx: Context, change: () => Promise<void>): Promise<void> => {
    const before = tls.info()?.fingerprint;
    await change();
    const after = tls.info()?.fingerprint;
    noteForAudit(ctx, { diff: [{ pointer: "/fingerprint", before, after }] });
    answer(ctx, info());
  };

  return [
    {
      id: "getTls",
      method: "get",
      path: "/tls",
      access: ADMIN,
      summary: "The certificate that the box shows to browsers",
      answers: { 200: { description: "What is in it", schema: tlsInfo } },
      problems: ["unavailable"],
      handle: (ctx) => answer(ctx, info()),
    },
    {
      id: "uploadTls",
      method: "put",
      path: "/tls",
      access: ADMIN,
      summary: "Use an own certificate",
      description:
        "With the certificates of its issuers. Without a key it must be for the key of the last signing request, or for the " +
        "one in use. New connections get it at once; those that are open stay.",
      body: { types: JSON_TYPE, schema: tlsUpload },
      bodyLimit: BODY_LIMIT,
      answers: { 200: { description: "What is in it", schema: tlsInfo } },
      problems: ["invalid", "storage", "unavailable"],
      handle: async (ctx) => {
        const upload = await readValid(ctx, JSON_TYPE, tlsUpload);
        await changing(ctx, async () => {
          const result = await tls.upload(upload);
          if (result.ok) return;
          const { field, message } = result.error;
          throw invalid([{ pointer: `/${field}`, message }]);
        });
      },
    },
    {
      id: "selfSignTls",
      method: "post",
      path: "/tls/self-signed",
      access: ADMIN,
      summary: "Make a new key and a self-signed certificate for the names and addresses that the box has now",
      answers: { 200: { description: "What is in it", schema: tlsInfo } },
      problems: ["storage", "unavailable"],
      handle: (ctx) => changing(ctx, () => issuing(tls.selfSign())),
    },
    {
      id: "requestTls",
      method: "post",
      path: "/tls/csr",
      access: ADMIN,
      summary: "Make a new key, and a signing request for a certificate authority",
      description:
        "The present certificate stays in use. The key waits for the certificate, and replaces one that waits.",
      body: { types: JSON_TYPE, schema: tlsRequest },
      answers: { 200: { description: "PKCS #10 in PEM format", type: "application/x-pem-file" } },
      problems: ["invalid", "storage", "unavailable"],
      handle: async (ctx) => {
        const { commonName, names } = await readValid(ctx, JSON_TYPE, tlsRequest);
        const pem = await issuing(tls.request(commonName, names));
        noteForAudit(ctx, { detail: `for ${[commonName, ...names].join(", ")}` });
        ctx.set("Cache-Control", "no-store");
        ctx.type = "application/x-pem-file";
        ctx.body = pem;
      },
    },
  ];
}

async function issuing<T>(made: Promise<T>): Promise<T> {
  try {
    return await made;
  } catch (error) {
    if (error instanceof IssueError) throw new Problem("unavailable", `It could not be made: ${error.message}`);
    throw error;
  }
}
