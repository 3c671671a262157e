/** The schema of the box that this page was built with. */
import type { JsonSchema } from "./schema.ts";

/** Put in by scripts/build.ts. */
declare const CONFIG_SCHEMA: JsonSchema;

export const configSchema: JsonSchema = CONFIG_SCHEMA;

/** The schema of one part of the configuration, such as `network`. */
export function partSchema(part: string): JsonSchema {
  return configSchema.properties?.[part] ?? {};
}
