/**
 * `Math.random` from a seed of the host's: sfc32 (C. Doty-Humphrey, PractRand), 53 bits per number.
 *
 * R1. The seed of an agent is not that of its module: the first number it draws after it was spawned takes a new one from the host, so
 *     agents of one type differ (see `spawn.ts`). An agent that draws none takes none.
 */
import { host } from "./host.ts";

let a = 0;
let b = 0;
let c = 0;
let counter = 1;
let seeded = false;

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
  if (!seeded) seed();
  return ((next() >>> 5) * 67_108_864 + (next() >>> 6)) / 9_007_199_254_740_992;
}

/** The next number takes a new seed from the host. */
export function reseed(): void {
  seeded = false;
}

function seed(): void {
  seeded = true;
  const bytes = host.k(12);
  const word = (at: number): number =>
    (bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24);
  [a, b, c, counter] = [word(0), word(4), word(8), 1];
  for (let round = 0; round < 12; round++) next();
}
