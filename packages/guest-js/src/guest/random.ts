/**
 * `Math.random` from a seed of the host's: sfc32 (C. Doty-Humphrey, PractRand), 53 bits per number.
 *
 * R1. The seed is taken when the agent starts to run, not when its module is built: agents of one type differ (see `spawn.ts`).
 */
import { host } from "./host.ts";

let a = 0;
let b = 0;
let c = 0;
let counter = 1;

function next(): number {
  const sum = (((a + b) | 0) + counter) | 0;
  counter = (counter + 1) | 0;
  a = b ^ (b >>> 9);
  b = (c + (c << 3)) | 0;
  c = (((c << 21) | (c >>> 11)) + sum) | 0;
  return sum >>> 0;
}

/** A number from 0 to below 1, with 53 random bits. */
export function random(): number {
  return ((next() >>> 5) * 67_108_864 + (next() >>> 6)) / 9_007_199_254_740_992;
}

/** Take a new seed from the host. */
export function reseed(): void {
  const seed = host.k(12);
  const word = (at: number): number =>
    (seed[at] as number) |
    ((seed[at + 1] as number) << 8) |
    ((seed[at + 2] as number) << 16) |
    ((seed[at + 3] as number) << 24);
  [a, b, c, counter] = [word(0), word(4), word(8), 1];
  for (let round = 0; round < 12; round++) next();
}
