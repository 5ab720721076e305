/** Randomness as a port: real in production, seeded in simulation. */

/** A source of random numbers. */
export interface Random {
  /** A uniformly distributed integer from 0 to 2^32 - 1. */
  uint32(): number;
  /** Fill `target` with random bytes and return it. Cryptographic strength in production. */
  bytes(target: Uint8Array): Uint8Array;
  /** An independent source named by `label`, so that a new consumer does not reshuffle the others (docs/spec/recovery.md). */
  fork(label: string): Random;
}
