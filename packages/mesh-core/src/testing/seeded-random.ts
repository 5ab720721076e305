/** A `Random` that is a pure function of its seed: xoshiro128** (Blackman and Vigna, 2018) on 32-bit integers. Not for secrets. */
import type { Random } from "@glia-os/abi/ports";

/** Seeded randomness for tests and simulation. */
export class SeededRandom implements Random {
  readonly #state: Uint32Array;
  readonly #seed: number;

  constructor(seed: number) {
    this.#seed = seed >>> 0;
    let mix = this.#seed;
    // splitmix32 spreads a small seed over the state.
    this.#state = Uint32Array.from({ length: 4 }, () => {
      mix = (mix + 0x9e37_79b9) >>> 0;
      let z = mix;
      z = Math.imul(z ^ (z >>> 16), 0x85eb_ca6b);
      z = Math.imul(z ^ (z >>> 13), 0xc2b2_ae35);
      return (z ^ (z >>> 16)) >>> 0;
    });
  }

  uint32(): number {
    const s = this.#state;
    const [a = 0, b = 0, c = 0, d = 0] = s;
    const product = Math.imul(b, 5);
    const result = Math.imul((product << 7) | (product >>> 25), 9) >>> 0;
    const moved = b << 9;
    const c2 = c ^ a;
    const d2 = d ^ b;
    s[1] = b ^ c2;
    s[0] = a ^ d2;
    s[2] = c2 ^ moved;
    s[3] = (d2 << 11) | (d2 >>> 21);
    return result;
  }

  bytes(target: Uint8Array): Uint8Array {
    for (let i = 0; i < target.length; i++) target[i] = this.uint32() & 0xff;
    return target;
  }

  fork(label: string): Random {
    let hash = this.#seed ^ 0x811c_9dc5;
    for (let i = 0; i < label.length; i++) hash = Math.imul(hash ^ label.charCodeAt(i), 0x0100_0193);
    return new SeededRandom(hash >>> 0);
  }

  /** From 0 up to, not including, 1. */
  fraction(): number {
    return this.uint32() / 0x1_0000_0000;
  }
}
