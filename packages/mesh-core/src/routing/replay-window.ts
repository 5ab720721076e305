/**
 * What was seen of each source: a sliding window of numbers per boot of a node, as in RFC 4303 section 3.4.3.
 *
 * RW1. A number is new at most once. Numbers more than {@link WINDOW} behind the highest are old, whether or not they were seen.
 * RW2. An earlier boot of a source is old once a later one was seen.
 * RW3. At most {@link SOURCES_MAX} sources; the one that was heard longest ago is forgotten. What keeps its messages from coming back is
 *      their expiry.
 */
import type { NodeId } from "@glia-os/abi/ids";

/** Numbers kept per source. */
export const WINDOW = 1024;
/** Sources kept. */
export const SOURCES_MAX = 4096;

interface Seen {
  readonly boot: number;
  highest: number;
  readonly bits: Uint32Array;
}

/** The windows of one node. */
export class ReplayWindows {
  readonly #sources = new Map<NodeId, Seen>();

  /** Sources kept. */
  get size(): number {
    return this.#sources.size;
  }

  /** What `admit` would say, without noting the number. */
  check(source: NodeId, boot: number, seq: number): "new" | "repeated" | "old" {
    const seen = this.#sources.get(source);
    if (seen === undefined || boot > seen.boot) return "new";
    if (boot < seen.boot || seq <= seen.highest - WINDOW) return "old";
    return seq <= seen.highest && bitOf(seen.bits, seq) ? "repeated" : "new";
  }

  /** Take a number of a source in; only `new` is to be acted on (RW1, RW2). `seq` is from 1. */
  admit(source: NodeId, boot: number, seq: number): "new" | "repeated" | "old" {
    const verdict = this.check(source, boot, seq);
    if (verdict !== "new") return verdict;
    let seen = this.#sources.get(source);
    this.#sources.delete(source);
    if (seen === undefined || boot > seen.boot)
      seen = { boot, highest: 0, bits: new Uint32Array(WINDOW / 32) };
    this.#sources.set(source, seen);
    if (seq > seen.highest) this.#advance(seen, seq);
    seen.bits[(seq % WINDOW) >>> 5] = (seen.bits[(seq % WINDOW) >>> 5] as number) | (1 << (seq & 31));
    if (this.#sources.size > SOURCES_MAX) this.#forgetOldest();
    return verdict;
  }

  #advance(seen: Seen, seq: number): void {
    if (seq - seen.highest >= WINDOW) seen.bits.fill(0);
    else
      for (let n = seen.highest + 1; n < seq; n++)
        seen.bits[(n % WINDOW) >>> 5] = (seen.bits[(n % WINDOW) >>> 5] as number) & ~(1 << (n & 31));
    seen.highest = seq;
  }

  #forgetOldest(): void {
    for (const oldest of this.#sources.keys()) {
      this.#sources.delete(oldest);
      return;
    }
  }
}

function bitOf(bits: Uint32Array, seq: number): boolean {
  return (((bits[(seq % WINDOW) >>> 5] as number) >>> (seq & 31)) & 1) === 1;
}
