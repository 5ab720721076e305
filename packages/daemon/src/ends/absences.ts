/**
 * Which members are away, and since when, as this node saw it.
 *
 * AB1. A member is away from when the mesh counts it as dead until it is back. Whoever asks hears of one absence once, when it has lasted {@link AWAY_MS}
 *      beyond that: longer than any lease, so that what can go on elsewhere has been taken up.
 */
import type { NodeId } from "@glia-os/abi/ids";
import type { Clock, TimerHandle, Timers } from "@glia-os/abi/ports";
import type { Mesh } from "@glia-os/mesh-core";

/** What it works with. */
export interface AbsencesParts {
  readonly mesh: Pick<Mesh, "onEvent" | "self">;
  readonly clock: Clock;
  readonly timers: Timers;
  /** How long an absence lasts before it is told, in milliseconds. */
  readonly awayMs: number;
}

/** The absences that one node knows of. */
export class Absences {
  readonly #parts: AbsencesParts;
  readonly #since = new Map<NodeId, number>();
  readonly #timers = new Map<NodeId, TimerHandle>();
  readonly #listeners: ((node: NodeId) => void)[] = [];
  readonly #silence: () => void;

  constructor(parts: AbsencesParts) {
    this.#parts = parts;
    this.#silence = parts.mesh.onEvent((event) => {
      if (event.kind === "memberDead") this.#left(event.member.node);
      else if (event.kind === "memberUp") this.#back(event.member.node);
    });
  }

  /** Since when a member is away, in milliseconds since 1970; undefined for one that is there, or was away before this node was. */
  since(node: NodeId): number | undefined {
    return this.#since.get(node);
  }

  /** Hear of members that stay away (AB1). */
  onAway(listener: (node: NodeId) => void): void {
    this.#listeners.push(listener);
  }

  /** Hear no more. */
  stop(): void {
    this.#silence();
    for (const timer of this.#timers.values()) timer.cancel();
    this.#timers.clear();
  }

  #left(node: NodeId): void {
    const { mesh, clock, timers, awayMs } = this.#parts;
    if (node === mesh.self || this.#since.has(node)) return;
    this.#since.set(node, clock.wallMs());
    const timer = timers.schedule(awayMs, () => {
      this.#timers.delete(node);
      for (const listener of this.#listeners) listener(node);
    });
    this.#timers.set(node, timer);
  }

  #back(node: NodeId): void {
    this.#since.delete(node);
    this.#timers.get(node)?.cancel();
    this.#timers.delete(node);
  }
}
