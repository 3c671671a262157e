import type { Difference } from "../../../src/config/diff.ts";
import { configSchema } from "../../configSchema.ts";
import { placeOf, valueWords } from "../../schema.ts";

/** Values that are, or would be, other ones, with the labels of their settings. */
export function Differences({ differences, documents }: { differences: Difference[]; documents: unknown[] }) {
  if (differences.length === 0) return <p class="note">Nothing is different.</p>;
  return (
    <div class="scroll">
      <table class="differences">
        <thead>
          <tr>
            <th scope="col">Setting</th>
            <th scope="col">Before</th>
            <th scope="col">After</th>
          </tr>
        </thead>
        <tbody>
          {differences.map(({ pointer, before, after }) => {
            const { words, schema } = placeOf(configSchema, pointer, ...documents);
            return (
              <tr key={pointer}>
                <th scope="row">{words.join(" › ")}</th>
                <td class="before">{before === undefined ? "not there" : valueWords(schema, before)}</td>
                <td class="after">{after === undefined ? "not there" : valueWords(schema, after)}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
