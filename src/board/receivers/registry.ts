/** The drivers by the names that board files use. */
import type { ReceiverFile } from "../boardFile.ts";
import { adv7180, adv7280 } from "./adv7180.ts";
import { adv7611, adv7612 } from "./adv7611.ts";
import { gs2971 } from "./gs2971.ts";
import { it6616 } from "./it6616.ts";
import { it6801 } from "./it6801.ts";
import { lt6911c, lt6911uxc, lt6911uxe } from "./lt6911.ts";
import type { Receiver, ReceiverContext } from "./receiver.ts";
import { rk628d } from "./rk628d.ts";
import { tc358743 } from "./tc358743.ts";
import { tvp5150, tvp5151 } from "./tvp5150.ts";

/** Drivers of ours; the kernel's are behind V4L2. */
export type ChipDriver = Exclude<ReceiverFile["driver"], "v4l2">;

export const drivers: Record<ChipDriver, (context: ReceiverContext) => Receiver> = {
  tc358743,
  adv7611,
  adv7612,
  lt6911uxc,
  lt6911uxe,
  lt6911c,
  rk628d,
  it6801,
  it6616,
  tvp5150,
  tvp5151,
  adv7180,
  adv7280,
  gs2971,
};
