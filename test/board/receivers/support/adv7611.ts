/** An ADV7611 or ADV7612 on the bench, and EDIDs for it. */
import assert from "node:assert/strict";
import { adv7611 } from "../../../../src/board/receivers/adv7611.ts";
import type { Receiver } from "../../../../src/board/receivers/receiver.ts";
import { Adv7611Model, type Adv7612Model } from "../../../../src/board/virtual/chips/adv7611.ts";
import { Random } from "../../../support/random.ts";
import { Bench, programme } from "./analog.ts";

export const ADDRESS = 0x4c;

/** An EDID as far as the chip cares: blocks with right sums. */
export function edidOf(blocks: number, seed = 1): Uint8Array {
  const random = new Random(seed);
  const edid = Uint8Array.from({ length: blocks * 128 }, () => random.below(256));
  for (let at = 0; at < edid.length; at += 128) {
    edid[at + 127] = -edid.subarray(at, at + 127).reduce((sum, byte) => sum + byte, 0) & 0xff;
  }
  return edid;
}

/** A chip that shows an EDID, so that sources send. */
export async function ready(factory = adv7611, model: typeof Adv7611Model | typeof Adv7612Model = Adv7611Model) {
  const bench = new Bench(model, ADDRESS);
  const receiver = bench.driver(factory);
  await receiver.start();
  bench.plug(programme);
  await receiver.edid?.write(edidOf(2));
  return { bench, receiver };
}

export function edidAccess(receiver: Receiver) {
  assert.ok(receiver.edid);
  return receiver.edid;
}
