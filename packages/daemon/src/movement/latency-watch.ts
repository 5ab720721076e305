/**
 * The latency policy at work: agents go nearer to the node that sends them most (docs/spec/policy.md, "Latency").
 *
 * LW1. Messages are counted and distances measured only while the policy is on.
 * LW2. One agent moves at a look at most; when nobody nearer takes it, it is left alone for some looks (LP2).
 */
import type { NodeId } from "@glia-os/abi/ids";
import type { Clock } from "@glia-os/abi/ports";
import {
  CallerCounts,
  type CellGate,
  LatencyPolicy,
  type LatencySettings,
  type LatencyWish,
  nearer,
} from "@glia-os/cells";
import type { AgentMover, MoveOutcome } from "./agent-mover.ts";
import type { DistanceService } from "./distance-service.ts";
import type { PlacementService } from "./placement-service.ts";

/** What it works with. */
export interface LatencyWatchParts {
  readonly self: NodeId;
  readonly settings: LatencySettings | undefined;
  readonly gate: Pick<CellGate, "callers">;
  readonly mover: Pick<AgentMover, "here" | "to">;
  readonly placement: Pick<PlacementService, "candidates">;
  readonly distances: Pick<DistanceService, "to" | "between">;
  readonly clock: Clock;
}

/** A move that it began. */
export interface LatencyMove {
  readonly why: string;
  readonly row: Awaited<ReturnType<AgentMover["here"]>>[number];
  readonly outcome: MoveOutcome;
}

/** Looks at who sends to the agents of one node. */
export class LatencyWatch {
  readonly #parts: LatencyWatchParts;
  #policy: LatencyPolicy | undefined;

  constructor(parts: LatencyWatchParts) {
    this.#parts = parts;
  }

  /** Count from now on, or no longer (LW1). */
  set on(on: boolean) {
    const { gate, self, settings } = this.#parts;
    if (on === (this.#policy !== undefined)) return;
    gate.callers = on ? new CallerCounts() : undefined;
    this.#policy = on ? new LatencyPolicy(self, settings) : undefined;
  }

  /** What came of a look: at most one move (LW2). `begin` says whether one may begin. */
  async look(begin: () => boolean): Promise<LatencyMove | undefined> {
    const { gate, mover, clock } = this.#parts;
    const [policy, counts] = [this.#policy, gate.callers];
    if (policy === undefined || counts === undefined) return undefined;
    const callers = counts.take();
    const rows = await mover.here();
    const rtts = await this.#distances(new Set([...callers.values()].flatMap((of) => [...of.keys()])));
    const here = rows.map(({ agent }) => agent);
    const wishes = policy.look({
      nowMs: clock.monotonicMs(),
      here,
      callers,
      rttMs: (node) => rtts.get(node),
    });
    for (const wish of wishes) {
      const row = rows.find(({ agent }) => agent === wish.agent);
      const nodes = await this.#destinations(wish);
      if (row === undefined || nodes.length === 0) policy.refused(wish.agent);
      else if (begin()) {
        const outcome = await mover.to(row, nodes);
        if (outcome.kind === "stuck") policy.refused(wish.agent);
        return { why: `${Math.round(wish.rttMs)} ms from most of its messages`, row, outcome };
      }
    }
    return undefined;
  }

  async #distances(nodes: ReadonlySet<NodeId>): Promise<ReadonlyMap<NodeId, number | undefined>> {
    const { distances, self } = this.#parts;
    const others = [...nodes].filter((node) => node !== self);
    return new Map(await Promise.all(others.map(async (node) => [node, await distances.to(node)] as const)));
  }

  async #destinations(wish: LatencyWish): Promise<readonly NodeId[]> {
    const { placement, distances } = this.#parts;
    const candidates = await placement.candidates();
    const nodes = candidates.map(async ({ node, takes }) => ({
      node,
      takes,
      rttMs: node === wish.towards ? 0 : await distances.between(node, wish.towards),
    }));
    return nearer(await Promise.all(nodes), wish);
  }
}
