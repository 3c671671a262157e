/** The shapes of the certificate for HTTPS, for the OpenAPI document and the tests. */
import { isIP } from "node:net";
import { z } from "zod";
import { MAX_PEM } from "../access/tls/certificates.ts";
import { HOST_NAME, MAX_NAMES } from "../access/tls/issue.ts";
import type { TlsInfo } from "../access/tls/service.ts";
import { set } from "../config/schema.ts";
import type { Same } from "./schemas.ts";

export const tlsInfo = z.object({
  origin: z.enum(["self-signed", "uploaded"]),
  selfSigned: z.boolean(),
  subject: z.string(),
  issuer: z.string(),
  names: z.array(z.string()),
  missing: z.array(z.string()),
  from: z.iso.datetime(),
  to: z.iso.datetime(),
  valid: z.boolean(),
  fingerprint: z.string(),
  key: z.string(),
  chain: z.int().min(1),
  pending: z.boolean(),
});

export const tlsUpload = z.strictObject({
  certificate: z
    .string()
    .max(MAX_PEM)
    .meta(set("Certificate", "none", { help: "PEM: the box's own, then the one that issued it, and so on" })),
  key: z
    .string()
    .max(MAX_PEM)
    .optional()
    .meta(
      set("Private key", "none", { secret: true, help: "PEM, not encrypted; none: that of the last signing request" }),
    ),
});

const hostName = z.string().max(253);

export const tlsRequest = z.strictObject({
  commonName: hostName
    .max(64)
    .regex(HOST_NAME, "must be a host name")
    .meta(set("Common name", "none", { help: "The name that browsers go to, such as encoder.example.com" })),
  names: z
    .array(hostName.refine((name) => isIP(name) !== 0 || HOST_NAME.test(name), "must be a host name or an address"))
    .max(MAX_NAMES - 1)
    .default([])
    .meta(set("Further names and addresses", "none")),
});

export const TLS_ANSWERS: readonly [z.ZodType, string][] = [[tlsInfo, "TlsInfo"]];

export const TLS_REQUESTS: readonly [z.ZodType, string][] = [
  [tlsUpload, "TlsUpload"],
  [tlsRequest, "TlsRequest"],
];

true satisfies Same<z.infer<typeof tlsInfo>, TlsInfo>;
