/** The schema of the box that this page was built with. */
import { initial, isFields, type JsonSchema } from "./schema.ts";

/** Put in by scripts/build.ts. */
declare const CONFIG_SCHEMA: JsonSchema;

export const configSchema: JsonSchema = CONFIG_SCHEMA;

/** The schema of one part of the configuration, such as `network`. */
export function partSchema(part: string): JsonSchema {
  return configSchema.properties?.[part] ?? {};
}

/** Where a box with factory settings is found while nobody gives it an address. */
export function fallbackAddress(): string {
  const link = initial(partSchema("network").properties?.links?.items ?? {});
  const ipv4 = isFields(link) ? link.ipv4 : undefined;
  return isFields(ipv4) ? String(ipv4.address) : "";
}
