/**
 * What one node knows of the others that could run jobs (docs/spec/balance.md).
 *
 * BP1. A peer that failed {@link UNHEALTHY_AFTER} times in a row gets no work until {@link UNHEALTHY_MS} later it answers again.
 * BP2. Peers are ranked by measured round trip; those not measured come last.
 * BP3. What a peer said of its load counts for {@link LOAD_FRESH_MS}.
 */
import type { NodeId } from "@glia-os/abi/ids";
import type { Clock } from "@glia-os/abi/ports";
import { Patience } from "../kademlia/patience.ts";
import type { Load } from "./load.ts";

/** Failures in a row that make a peer unhealthy. */
export const UNHEALTHY_AFTER = 3;
/** How long an unhealthy peer is left alone, in milliseconds. */
export const UNHEALTHY_MS = 10_000;
/** Age up to which a stated load is used, in milliseconds. */
export const LOAD_FRESH_MS = 5000;

interface PeerState {
  load: Load | undefined;
  loadMs: number;
  failures: number;
  unhealthyUntilMs: number;
}

/** The peers of one node. */
export class BalancePeers {
  readonly #clock: Clock;
  readonly #alive: () => readonly NodeId[];
  readonly #round = new Patience();
  readonly #states = new Map<NodeId, PeerState>();

  constructor(clock: Clock, alive: () => readonly NodeId[]) {
    this.#clock = clock;
    this.#alive = alive;
  }

  /** Healthy members, nearest first (BP1, BP2). */
  healthy(): NodeId[] {
    const nowMs = this.#clock.monotonicMs();
    const alive = this.#alive().filter((node) => (this.#states.get(node)?.unhealthyUntilMs ?? 0) <= nowMs);
    const far = Number.MAX_SAFE_INTEGER;
    const away = (node: NodeId): number => this.#round.roundTripMs(node) ?? far;
    return alive.sort((a, b) => away(a) - away(b) || (a < b ? -1 : 1));
  }

  /** The load a peer stated lately (BP3). */
  load(node: NodeId): Load | undefined {
    const state = this.#states.get(node);
    if (state?.load === undefined || this.#clock.monotonicMs() - state.loadMs > LOAD_FRESH_MS)
      return undefined;
    return state.load;
  }

  /** A peer answered after `tookMs`, perhaps with its load. */
  answered(node: NodeId, tookMs: number, load?: Load): void {
    this.#round.measured(node, tookMs);
    const state = this.#state(node);
    state.failures = 0;
    state.unhealthyUntilMs = 0;
    if (load === undefined) return;
    state.load = load;
    state.loadMs = this.#clock.monotonicMs();
  }

  /** A peer did not answer. */
  failed(node: NodeId): void {
    const state = this.#state(node);
    if (++state.failures >= UNHEALTHY_AFTER)
      state.unhealthyUntilMs = this.#clock.monotonicMs() + UNHEALTHY_MS;
  }

  /** A peer is gone. */
  gone(node: NodeId): void {
    this.#states.delete(node);
  }

  #state(node: NodeId): PeerState {
    const known = this.#states.get(node);
    if (known !== undefined) return known;
    const state = { load: undefined, loadMs: 0, failures: 0, unhealthyUntilMs: 0 };
    this.#states.set(node, state);
    return state;
  }
}
