import assert from "node:assert/strict";
import test from "node:test";
import { parseBootState } from "../../../src/update/rauc/bootState.ts";

/** Made by mkenvimage of BOOT_ORDER=B A, BOOT_A_LEFT=3, BOOT_B_LEFT=2 and MACHINE_ID. */
const MADE =
  "2eb714d8424f4f545f4f524445523d42204100424f4f545f415f4c4546543d3300424f4f545f425f4c4546543d32004d414348494e455f49443d3030313132" +
  "3233333434353536363737383839396161626263636464656566660000";

function sector(): Buffer {
  const bytes = Buffer.alloc(512);
  Buffer.from(MADE, "hex").copy(bytes);
  return bytes;
}

test("the boot state is read as U-Boot's tools write it", () => {
  assert.deepEqual(parseBootState(sector()), { order: ["B", "A"], left: { A: 3, B: 2 } });
});

test("a state that is damaged, empty or too short is none", () => {
  for (const at of [0, 10, 40, 511]) {
    const bytes = sector();
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    assert.equal(parseBootState(bytes), undefined);
  }
  assert.equal(parseBootState(Buffer.alloc(512)), undefined);
  assert.equal(parseBootState(sector().subarray(0, 100)), undefined);
});
