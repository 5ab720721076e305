/**
 * Randomness that follows from a seed: the same in every replay, and without the seed not to be guessed.
 *
 * The bytes of a source are SHA-256(key | block number) for block 0, 1, ...; a fork's key is SHA-256(key | 0xff | label). (A hash in
 * counter mode, as Hash_DRBG of NIST SP 800-90A generates, without its reseeding.)
 */
import type { Digests, Random } from "@glia-os/abi/ports";
import { joined } from "./joined.ts";

/** What the randomness needs of cryptography. */
export type Sha256 = Pick<Digests, "sha256">;

/** A seeded source. */
export class DerivedRandom implements Random {
  /** The key, or what it is made from when it is needed: many a fork is never asked for anything. */
  #key: Uint8Array | (() => Uint8Array);
  readonly #digests: Sha256;
  #block: Uint8Array = new Uint8Array();
  #used = 0;
  #blocks = 0;

  constructor(key: Uint8Array | (() => Uint8Array), digests: Sha256) {
    this.#key = key;
    this.#digests = digests;
  }

  uint32(): number {
    const bytes = this.bytes(new Uint8Array(4));
    return new DataView(bytes.buffer).getUint32(0, true);
  }

  bytes(target: Uint8Array): Uint8Array {
    for (let i = 0; i < target.length; i++) target[i] = this.#byte();
    return target;
  }

  fork(label: string): Random {
    const units = new Uint8Array(label.length * 2);
    for (let i = 0; i < label.length; i++) {
      units[2 * i] = label.charCodeAt(i) & 255;
      units[2 * i + 1] = label.charCodeAt(i) >> 8;
    }
    return new DerivedRandom(() => this.#digest(Uint8Array.of(255), units), this.#digests);
  }

  #byte(): number {
    if (this.#used === this.#block.length) {
      const number = new Uint8Array(9);
      new DataView(number.buffer).setFloat64(1, this.#blocks++);
      this.#block = this.#digest(number);
      this.#used = 0;
    }
    return this.#block[this.#used++] as number;
  }

  #digest(...parts: readonly Uint8Array[]): Uint8Array {
    if (typeof this.#key === "function") this.#key = this.#key();
    return this.#digests.sha256(joined([this.#key, ...parts]));
  }
}
