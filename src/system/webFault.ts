/** What goes wrong below HTTP, in words for people. */

const CAUSES: Record<string, string> = {
  ECONNREFUSED: "the server refuses connections",
  ENOTFOUND: "there is no such host",
  EAI_AGAIN: "the host's name cannot be looked up now",
  ECONNRESET: "the server has cut the connection",
  EHOSTUNREACH: "the host cannot be reached",
  ENETUNREACH: "the network cannot be reached",
  ETIMEDOUT: "the server does not answer",
  UND_ERR_CONNECT_TIMEOUT: "the server does not answer",
  UND_ERR_SOCKET: "the server has cut the connection",
  CERT_HAS_EXPIRED: "the server's certificate has expired",
  DEPTH_ZERO_SELF_SIGNED_CERT: "the server's certificate is signed by itself",
  SELF_SIGNED_CERT_IN_CHAIN: "the server's certificate is signed by an authority that is not known",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "the server's certificate is signed by an authority that is not known",
  ERR_TLS_CERT_ALTNAME_INVALID: "the server's certificate is for another name",
};

/** @param cause of an error of fetch, whose own message is not repeated: some quote the URL */
export function webFault(cause: unknown): string {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  return CAUSES[code] ?? `the connection failed${code === "" ? "" : ` (${code})`}`;
}
