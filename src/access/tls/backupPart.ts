/** The certificate in backups: open, its key only encrypted. */
import type { BackupDifference, BackupPart, PartContent } from "../../config/backup/part.ts";
import type { FieldError } from "../../config/explain.ts";
import { isObject } from "../../config/json.ts";
import { readChain } from "./certificates.ts";
import { check, type TlsDocument, type TlsService } from "./service.ts";

export class TlsBackupPart implements BackupPart {
  readonly name = "tls";
  readonly #tls: Pick<TlsService, "document" | "restore">;

  constructor(tls: Pick<TlsService, "document" | "restore">) {
    this.#tls = tls;
  }

  export(): PartContent {
    const { document } = this.#tls;
    if (document === undefined) return { open: {} };
    const { origin, certificate, key, pending } = document;
    return { open: { origin, certificate }, secret: { key, ...(pending === undefined ? {} : { pending }) } };
  }

  check({ open, secret }: PartContent): FieldError[] {
    const wrong = (pointer: string, message: string): FieldError[] => [{ pointer, message }];
    if (!isObject(open)) return wrong("", "must be an object");
    if (Object.keys(open).length === 0) return [];
    if (typeof open.certificate !== "string") return wrong("/certificate", "must be text");
    const chain = readChain(open.certificate);
    if (!chain.ok) return wrong("/certificate", chain.error.message);
    if (secret === undefined) return [];
    if (!isObject(secret)) return wrong("", "must have its secrets in an object");
    const whole = check({ ...open, ...secret });
    return whole.ok ? [] : wrong("", whole.what);
  }

  async apply(content: PartContent): Promise<void> {
    const document = documentOf(content);
    if (document !== undefined) await this.#tls.restore(document);
  }

  differences(content: PartContent): BackupDifference[] {
    const [before, after] = [this.#tls.document?.certificate, documentOf(content)?.certificate];
    return after === undefined || before === after
      ? []
      : [{ pointer: "/certificate", ...(before === undefined ? {} : { before }), after }];
  }

  notes({ open, secret }: PartContent): string[] {
    const { certificate } = isObject(open) ? open : {};
    if (secret !== undefined || certificate === undefined || certificate === this.#tls.document?.certificate) return [];
    return ["the key of the HTTPS certificate is not in the backup: the box keeps its present certificate"];
  }
}

/** Undefined: there is no key in it, so nothing can be done with it. */
function documentOf({ open, secret }: PartContent): TlsDocument | undefined {
  if (secret === undefined || !isObject(open) || !isObject(secret)) return undefined;
  const whole = check({ ...open, ...secret });
  return whole.ok ? whole.document : undefined;
}
