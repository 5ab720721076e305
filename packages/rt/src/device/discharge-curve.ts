/**
 * The voltage of a battery by how much is left in it.
 *
 * DC1. More charge never means less voltage.
 */
import { BadOptionError } from "../errors.ts";
import { finite } from "../limits.ts";

/** Points of a curve: percent of charge and volts, from empty to full. */
export type DischargeCurve = readonly (readonly [percent: number, volts: number])[];

/**
 * The shape that data sheets of lithium-ion cells with a graphite anode give at low load: flat in the middle, steep at both ends. It is a model for
 * simulations; no cell was measured.
 */
export const LITHIUM_ION: DischargeCurve = [
  [0, 3.0],
  [5, 3.45],
  [10, 3.6],
  [20, 3.68],
  [40, 3.76],
  [60, 3.88],
  [80, 4.02],
  [100, 4.2],
];

/** A curve that can be used. @throws {BadOptionError} unless it goes from 0 to 100 percent and never down */
export function checkedCurve(curve: DischargeCurve): DischargeCurve {
  const ends = curve[0]?.[0] === 0 && curve[curve.length - 1]?.[0] === 100;
  if (curve.length < 2 || !ends)
    throw new BadOptionError("curve", curve.length, "points from 0 to 100 percent");
  for (const [index, [percent, volts]] of curve.entries()) {
    const before = curve[index - 1];
    finite("volts", volts, 0.1, 1000);
    if (before !== undefined && !(percent > before[0] && volts >= before[1]))
      throw new BadOptionError("curve", `${percent} %, ${volts} V`, "a rising line from empty to full");
  }
  return curve;
}

/** Volts at a charge, on the line between two points. */
export function voltsAt(curve: DischargeCurve, percent: number): number {
  let low = curve[0] as readonly [number, number];
  for (const high of curve) {
    if (percent <= high[0]) {
      const share = high[0] === low[0] ? 0 : (percent - low[0]) / (high[0] - low[0]);
      return low[1] + share * (high[1] - low[1]);
    }
    low = high;
  }
  return low[1];
}
