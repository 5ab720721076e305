/**
 * The moves that began at a node: those under way, and the newest that ended.
 *
 * ML1. At most {@link ENDED_MAX} moves that ended are kept, the newest.
 */
import type { AgentId, NodeId } from "@glia-os/abi/ids";
import type { Clock } from "@glia-os/abi/ports";
import type { MeshEvent } from "@glia-os/mesh-core";

/** Moves that ended, as many as are kept. */
export const ENDED_MAX = 32;

/** One move from this node to another. */
export interface MoveView {
  readonly agent: AgentId;
  readonly to: NodeId;
  /** The last phase that ended; undefined before the first. */
  readonly phase: string | undefined;
  readonly state: "under-way" | "done" | "failed";
  /** Milliseconds since 1970, on the clock of this node. */
  readonly beganMs: number;
  /** How long the whole move took, or has taken so far. */
  readonly elapsedMs: number;
  /** Bytes of state that crossed, and how long the agent stood still; known of moves that are done. */
  readonly bytes: number | undefined;
  readonly downtimeMs: number | undefined;
  readonly strategy: string | undefined;
}

interface Move {
  readonly agent: AgentId;
  readonly to: NodeId;
  readonly wallMs: number;
  readonly startedMs: number;
  phase: string | undefined;
}

/** Listens to the events of a mesh. */
export class MoveLog {
  readonly #clock: Clock;
  readonly #underWay = new Map<AgentId, Move>();
  readonly #ended: MoveView[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Take note of an event; others than those of moves are passed over. */
  take(event: MeshEvent): void {
    if (event.kind === "migrationBegan") this.#begin(event.agent, event.to);
    else if (event.kind === "migrationPhase") this.#enter(event.agent, event.phase.phase);
    else if (event.kind === "migrationEnded") this.#end(event);
  }

  /** Those under way in the order they began, then those that ended, newest first. */
  view(): readonly MoveView[] {
    const underWay = [...this.#underWay.values()].map((move) => ({
      ...this.#facts(move),
      state: "under-way" as const,
      bytes: undefined,
      downtimeMs: undefined,
      strategy: undefined,
    }));
    return [...underWay, ...this.#ended.toReversed()];
  }

  #begin(agent: AgentId, to: NodeId): void {
    const { wallMs, monotonicMs } = { wallMs: this.#clock.wallMs(), monotonicMs: this.#clock.monotonicMs() };
    this.#underWay.set(agent, { agent, to, wallMs, startedMs: monotonicMs, phase: undefined });
  }

  #enter(agent: AgentId, phase: string): void {
    const move = this.#underWay.get(agent);
    if (move !== undefined) move.phase = phase;
  }

  #end({ agent, report }: Extract<MeshEvent, { kind: "migrationEnded" }>): void {
    const move = this.#underWay.get(agent);
    if (move === undefined) return;
    this.#underWay.delete(agent);
    this.#ended.push({
      ...this.#facts(move),
      state: report === undefined ? "failed" : "done",
      bytes: report?.bytes,
      downtimeMs: report?.downtimeMs,
      strategy: report?.strategy,
    });
    if (this.#ended.length > ENDED_MAX) this.#ended.shift();
  }

  #facts({
    agent,
    to,
    wallMs,
    startedMs,
    phase,
  }: Move): Pick<MoveView, "agent" | "to" | "phase" | "beganMs" | "elapsedMs"> {
    return { agent, to, phase, beganMs: wallMs, elapsedMs: this.#clock.monotonicMs() - startedMs };
  }
}
