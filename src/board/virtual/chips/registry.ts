/** The models by the names that board files use. */
import type { DisplayFile } from "../../boardFile.ts";
import type { Picture } from "../../panel/view.ts";
import type { Clock } from "../../ports.ts";
import type { ChipDriver } from "../../receivers/registry.ts";
import type { Connector, I2cModel, SpiModel } from "../model.ts";
import { Adv7180Model, Adv7280Model } from "./adv7180.ts";
import { Adv7611Model, Adv7612Model } from "./adv7611.ts";
import { Gs2971Model } from "./gs2971.ts";
import { Hd44780Model } from "./hd44780.ts";
import { It6616Model } from "./it6616.ts";
import { It6801Model } from "./it6801.ts";
import { Lt6911cModel, Lt6911uxcModel, Lt6911uxeModel } from "./lt6911.ts";
import { Rk628dModel } from "./rk628d.ts";
import { Sh1106Model, Ssd1306Model } from "./ssd1306.ts";
import { Tc358743Model } from "./tc358743.ts";
import { Tvp5150Model, Tvp5151Model } from "./tvp5150.ts";

type I2cDriver = Exclude<ChipDriver, "gs2971">;

const models: Record<I2cDriver, new (connector: Connector, address: number, clock: Clock) => I2cModel> = {
  tc358743: Tc358743Model,
  adv7611: Adv7611Model,
  adv7612: Adv7612Model,
  lt6911uxc: Lt6911uxcModel,
  lt6911uxe: Lt6911uxeModel,
  lt6911c: Lt6911cModel,
  rk628d: Rk628dModel,
  it6801: It6801Model,
  it6616: It6616Model,
  tvp5150: Tvp5150Model,
  tvp5151: Tvp5151Model,
  adv7180: Adv7180Model,
  adv7280: Adv7280Model,
};

export function chipModel(driver: I2cDriver, connector: Connector, address: number, clock: Clock): I2cModel {
  return new models[driver](connector, address, clock);
}

export function sdiModel(connector: Connector, clock: Clock): SpiModel {
  return new Gs2971Model(connector, clock);
}

export interface DisplayModel extends I2cModel {
  picture(): Picture;
}

export function displayModel(display: DisplayFile, clock: Clock): DisplayModel {
  switch (display.driver) {
    case "ssd1306":
      return new Ssd1306Model(display.address, clock);
    case "sh1106":
      return new Sh1106Model(display.address, clock);
    case "hd44780":
      return new Hd44780Model(display.address, clock, { columns: display.columns, rows: display.rows });
  }
}
