/** The calibration rows alone: what this machine is. */
import { CALIBRATION } from "../src/calibration.ts";
import type { Suite } from "../src/suite.ts";

export const suite: Suite = {
  title: "engine, memory and disk of this machine",
  rows: Object.values(CALIBRATION),
};
