/**
 * Exponentially distributed numbers by comparisons of uniform ones only (von Neumann, "Various techniques used in connection with
 * random digits", 1951): exact on every engine, where a logarithm is not.
 */
import type { Random } from "@glia-os/abi/ports";

const UINT32 = 0x1_0000_0000;

/** A draw with mean 1. Expected number of uniform draws: about 4.3. */
export function exponential(random: Random): number {
  for (let whole = 0; ; whole++) {
    const first = random.uint32();
    let last = first;
    let run = 1;
    for (;;) {
      const next = random.uint32();
      if (next >= last) break;
      last = next;
      run++;
    }
    if (run % 2 === 1) return whole + first / UINT32;
  }
}
