/** The few statistics a result is made of. */
import type { Better } from "./suite.ts";

/** The middle value; the mean of the two middle ones for an even count. @throws {RangeError} for no values or one that is not finite. */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError("the median of no values");
  if (!values.every(Number.isFinite)) throw new RangeError("the median of a value that is not finite");
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** How many times better ours is than a peer's in the same round; above 1 means ours wins. */
export function advantage(ours: number, peer: number, better: Better): number {
  return better === "lower" ? peer / ours : ours / peer;
}

/**
 * The median of the rounds' advantages. Ours and the peer run side by side in each round, so a slow phase of the machine
 * hits both and leaves their ratio; the ratio of two medians would not have that.
 */
export function pairedRatio(ours: readonly number[], peer: readonly number[], better: Better): number {
  if (ours.length !== peer.length)
    throw new RangeError(`${ours.length} rounds of ours, ${peer.length} of the peer`);
  return median(ours.map((value, i) => advantage(value, peer[i]!, better)));
}

/** A value with four significant digits, which is more than any of these measurements can tell. */
export function rounded(value: number): number {
  return Number(value.toPrecision(4));
}
