/**
 * How much a peer may ask of this node's time: a bucket of tokens per peer and one for all.
 *
 * AL1. A message takes one token of its peer and one of all; without both it is not handled.
 * AL2. Tokens come back steadily: {@link PEER_RATE} and {@link TOTAL_RATE} a second, up to one second's worth. A peer's bucket is
 *      forgotten when it is full; at most {@link PEERS_MAX} are kept.
 */
import type { NodeId } from "@glia-os/abi/ids";

/** Messages of one peer per second. A probe round of a large cluster stays far below it. */
export const PEER_RATE = 1000;
/** Messages of all peers per second. */
export const TOTAL_RATE = 20_000;
/** Peers with a bucket. */
export const PEERS_MAX = 16_384;

interface Bucket {
  tokens: number;
  atMs: number;
}

/** The buckets of one node. */
export class Allowance {
  readonly #peers = new Map<NodeId, Bucket>();
  readonly #total: Bucket = { tokens: TOTAL_RATE, atMs: 0 };

  /** Take a token for one message of `peer` at `nowMs`; false when it is to be dropped (AL1). */
  take(peer: NodeId, nowMs: number): boolean {
    refill(this.#total, TOTAL_RATE, nowMs);
    let own = this.#peers.get(peer);
    if (own === undefined) {
      if (this.#peers.size >= PEERS_MAX) this.#forgetFull(nowMs);
      if (this.#peers.size >= PEERS_MAX) return false;
      own = { tokens: PEER_RATE, atMs: nowMs };
      this.#peers.set(peer, own);
    } else refill(own, PEER_RATE, nowMs);
    if (own.tokens < 1 || this.#total.tokens < 1) return false;
    own.tokens--;
    this.#total.tokens--;
    return true;
  }

  /** When `peer` last asked for a token; undefined when it has no bucket. */
  lastMs(peer: NodeId): number | undefined {
    return this.#peers.get(peer)?.atMs;
  }

  #forgetFull(nowMs: number): void {
    for (const [peer, bucket] of this.#peers) {
      refill(bucket, PEER_RATE, nowMs);
      if (bucket.tokens >= PEER_RATE) this.#peers.delete(peer);
    }
  }
}

function refill(bucket: Bucket, rate: number, nowMs: number): void {
  const gained = ((nowMs - bucket.atMs) * rate) / 1000;
  bucket.tokens = Math.min(rate, bucket.tokens + Math.max(0, gained));
  bucket.atMs = nowMs;
}
