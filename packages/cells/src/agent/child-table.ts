/** Children of one agent and what is done when one fails, after OTP's supervisors: so many restarts within a period. */
import { CHILDREN_MAX } from "./constants.ts";
import { TooManyError } from "./errors.ts";
import type { PackedChild } from "./packed-process.ts";
import type { AgentRef } from "./reference.ts";
import type { SupervisionPolicy } from "./supervision.ts";

interface Child {
  readonly ref: AgentRef;
  readonly policy: SupervisionPolicy;
  /** When it was restarted within the period. */
  restarts: number[];
}

/** Children by id. */
export class ChildTable {
  readonly #children = new Map<string, Child>();

  /** Refuse one more than there may be. @throws {TooManyError} */
  checkRoom(): void {
    if (this.#children.size >= CHILDREN_MAX) throw new TooManyError("children of the agent", CHILDREN_MAX);
  }

  /** A child was made. */
  add(ref: AgentRef, policy: SupervisionPolicy): void {
    this.#children.set(ref.id, { ref, policy, restarts: [] });
  }

  /** A child is gone. */
  remove(id: string): boolean {
    return this.#children.delete(id);
  }

  /** Whether an agent is a child. */
  has(id: string): boolean {
    return this.#children.has(id);
  }

  /** Who lives. */
  refs(): AgentRef[] {
    return [...this.#children.values()].map(({ ref }) => ref);
  }

  /** All, as of a time. */
  packed(nowMs: number): PackedChild[] {
    return [...this.#children.values()].map(({ ref, policy, restarts }) => ({
      ref,
      policy,
      restartsMs: restarts.map((atMs) => nowMs - atMs),
    }));
  }

  /** Those of another table. */
  restore(children: readonly PackedChild[], nowMs: number): void {
    for (const { ref, policy, restartsMs } of children)
      this.#children.set(ref.id, { ref, policy, restarts: restartsMs.map((agoMs) => nowMs - agoMs) });
  }

  /** What to do about a child that failed. */
  verdict(id: string, nowMs: number): SupervisionPolicy["onFailure"] {
    const child = this.#children.get(id);
    if (child === undefined) return "stop";
    const { onFailure, intensity = 1, periodMs = 5000 } = child.policy;
    if (onFailure !== "restart") return onFailure;
    child.restarts = child.restarts.filter((atMs) => atMs > nowMs - periodMs);
    if (child.restarts.length >= intensity) return "escalate";
    child.restarts.push(nowMs);
    return "restart";
  }
}
