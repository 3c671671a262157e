/** Errors as problem details (RFC 9457), and the one funnel that every error goes through. */
import type { Context, Middleware, Next } from "koa";
import type { Bus } from "../bus.ts";
import { StoreError } from "../config/durableFile.ts";
import type { FieldError, Limit } from "../config/explain.ts";

/** Status and title of each kind of problem. */
export const PROBLEMS = {
  "bad-request": [400, "The request cannot be understood"],
  unauthenticated: [401, "Log in first"],
  "code-needed": [401, "A code of the second factor is needed, too"],
  forbidden: [403, "This is not allowed"],
  "foreign-origin": [403, "Only this box's own pages may change it"],
  "not-found": [404, "There is no such thing here"],
  "method-not-allowed": [405, "This cannot be done here"],
  conflict: [409, "This cannot be done now"],
  stale: [412, "The configuration has changed meanwhile"],
  "too-large": [413, "The body is too large"],
  "media-type": [415, "The body has the wrong media type"],
  misdirected: [421, "This box does not answer to that name"],
  invalid: [422, "Some of these settings are not valid"],
  "too-many": [429, "Too many requests"],
  internal: [500, "The box made an error"],
  unavailable: [503, "This is not available now"],
  storage: [507, "The configuration could not be stored"],
  "no-space": [507, "There is not enough room on the disk"],
} as const satisfies Record<string, readonly [number, string]>;

export type ProblemKind = keyof typeof PROBLEMS;

/** What is sent, as `application/problem+json`. */
export interface ProblemDetails {
  /** `urn:steadycast:problem:` and the kind. */
  type: string;
  title: string;
  status: number;
  detail: string;
  /** Path of the request. */
  instance: string;
  /** For refused settings: JSON pointer into the request's document, limit in words and in JSON Schema's terms. */
  errors?: { pointer: string; detail: string; limit?: Limit; value?: string | number | boolean | null }[];
}

export interface ProblemOptions {
  errors?: readonly FieldError[];
  headers?: Record<string, string>;
}

/** Thrown by handlers to refuse a request. */
export class Problem extends Error {
  readonly kind: ProblemKind;
  readonly errors: readonly FieldError[] | undefined;
  readonly headers: Record<string, string>;

  constructor(kind: ProblemKind, detail: string, options: ProblemOptions = {}) {
    super(detail);
    this.kind = kind;
    this.errors = options.errors;
    this.headers = options.headers ?? {};
  }

  details(instance: string): ProblemDetails {
    const [status, title] = PROBLEMS[this.kind];
    const errors = this.errors?.map(({ pointer, message, ...rest }) => ({ pointer, detail: message, ...rest }));
    const type = `urn:steadycast:problem:${this.kind}`;
    return { type, title, status, detail: this.message, instance, ...(errors === undefined ? {} : { errors }) };
  }
}

/** Refused settings. The detail names the first field, so that one line tells what is wrong. */
export function invalid(errors: readonly FieldError[]): Problem {
  const [first] = errors;
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : "";
  const detail =
    first === undefined ? "It is not valid" : `${first.pointer || "The document"}: ${first.message}${more}`;
  return new Problem("invalid", detail, { errors });
}

/** The first middleware: whatever is thrown below becomes a problem; what nobody expected goes to the log as well. */
export function problems(bus: Bus): Middleware {
  return async (ctx: Context, next: Next) => {
    try {
      await next();
    } catch (error) {
      const problem = toProblem(error, (message) => {
        const request = `${ctx.method} ${ctx.path}`;
        bus.emit("log", { level: "error", source: "api", message: `${request}: ${message}` });
      });
      if (ctx.headerSent) ctx.res.destroy();
      else send(ctx, problem);
    }
  };
}

function send(ctx: Context, problem: Problem): void {
  for (const name of ["Content-Type", "Content-Length", "ETag", "Last-Modified"]) ctx.remove(name);
  const details = problem.details(ctx.path);
  ctx.status = details.status;
  ctx.set({ "Cache-Control": "no-store", ...problem.headers });
  ctx.body = JSON.stringify(details);
  ctx.set("Content-Type", "application/problem+json");
}

function toProblem(error: unknown, log: (message: string) => void): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof StoreError) {
    log(error.message);
    return new Problem("storage", `The configuration ${error.message}. Nothing has changed.`);
  }
  log(error instanceof Error ? (error.stack ?? error.message) : String(error));
  return new Problem("internal", "The log tells more. Nothing of the request is certain to have been done.");
}
