/**
 * How long an answer is waited for: the estimator of RFC 6298 (smoothed round trip plus four times its variation), per peer and, for
 * peers not met before, over all peers. Most of a lookup's tail is waiting for the dead; a fixed second is twenty round trips.
 *
 * PA1. Never below {@link PATIENCE_MIN_MS}, never above {@link PATIENCE_MAX_MS}.
 * PA2. At most {@link PEERS_MAX} peers are remembered; the one measured longest ago is forgotten first.
 */
import type { NodeId } from "@glia-os/abi/ids";

/** Shortest wait in milliseconds. */
export const PATIENCE_MIN_MS = 100;
/** Longest wait in milliseconds. */
export const PATIENCE_MAX_MS = 5000;
/** Wait before anything was measured, in milliseconds (RFC 6298 section 2: one second). */
export const PATIENCE_START_MS = 1000;
/** Peers whose round trips are remembered. */
export const PEERS_MAX = 4096;

interface Estimate {
  readonly smoothMs: number;
  readonly varyMs: number;
}

/** Round-trip times of one node's peers. */
export class Patience {
  readonly #peers = new Map<NodeId, Estimate>();
  #all: Estimate | undefined;

  /** An answer took `tookMs`. */
  measured(node: NodeId, tookMs: number): void {
    this.#all = next(this.#all, tookMs);
    const estimate = next(this.#peers.get(node), tookMs);
    this.#peers.delete(node);
    this.#peers.set(node, estimate);
    if (this.#peers.size <= PEERS_MAX) return;
    for (const oldest of this.#peers.keys()) {
      this.#peers.delete(oldest);
      return;
    }
  }

  /** How long to wait for an answer of `node`, in milliseconds (PA1). */
  waitMs(node: NodeId): number {
    // A peer that was always quick may be as slow as any other once: never less patient than with strangers.
    const [own, all] = [this.#peers.get(node), this.#all];
    if (own === undefined && all === undefined) return PATIENCE_START_MS;
    const wait = Math.max(own === undefined ? 0 : timeout(own), all === undefined ? 0 : timeout(all));
    return Math.min(PATIENCE_MAX_MS, Math.max(PATIENCE_MIN_MS, wait));
  }

  /** The smoothed round trip to a peer in milliseconds, if it was measured. */
  roundTripMs(node: NodeId): number | undefined {
    return this.#peers.get(node)?.smoothMs;
  }
}

function timeout({ smoothMs, varyMs }: Estimate): number {
  return smoothMs + 4 * varyMs;
}

function next(known: Estimate | undefined, tookMs: number): Estimate {
  if (known === undefined) return { smoothMs: tookMs, varyMs: tookMs / 2 };
  const varyMs = 0.75 * known.varyMs + 0.25 * Math.abs(known.smoothMs - tookMs);
  return { smoothMs: 0.875 * known.smoothMs + 0.125 * tookMs, varyMs };
}
