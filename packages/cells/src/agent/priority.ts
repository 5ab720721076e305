/**
 * How urgent messages are, and which of those that wait is next (docs/spec/agent-message.md, "Priority").
 *
 * PQ1. Messages of one sender with one priority keep their order. Those of a higher one go before those of a lower one that wait.
 * PQ2. While a message waits, at most {@link OVERTAKES_MAX} messages of higher priority are taken in a row; then it is due. Where a normal and a
 *      low one are due, the normal one goes first. So nothing starves.
 * PQ3. Which is next follows from what came and what was taken, and from nothing else: no clock and no chance.
 */
import { BadArgumentError } from "./errors.ts";

/** How urgent a message is. Without one it is normal. */
export type MessagePriority = "high" | "normal" | "low";

/** A priority that is not the usual one; that is left out. */
export type UnusualPriority = Exclude<MessagePriority, "normal">;

/** Messages of higher priority that are taken in a row while another waits (PQ2). */
export const OVERTAKES_MAX = 16;

/** Whether a value is a priority. */
export function isPriority(value: unknown): value is MessagePriority {
  return value === "normal" || isUnusual(value);
}

/** Whether a value is a priority that is not the usual one. */
export function isUnusual(value: unknown): value is UnusualPriority {
  return value === "high" || value === "low";
}

/** The priority that is sent along; undefined for the usual one. @throws {BadArgumentError} */
export function unusual(priority: MessagePriority | undefined): UnusualPriority | undefined {
  if (priority === undefined || priority === "normal") return undefined;
  if (isUnusual(priority)) return priority;
  throw new BadArgumentError("priority", "it must be high, normal or low");
}

/** Whose turn it is among messages of three priorities. */
export class PriorityTurns {
  /** Higher ones taken in a row while a normal, or a low one waited. */
  #normal = 0;
  #low = 0;

  /** The priority to take from, of those of which messages wait; at least one does. O(1). */
  next(high: boolean, normal: boolean, low: boolean): MessagePriority {
    if (normal && this.#normal >= OVERTAKES_MAX) return "normal";
    if (low && this.#low >= OVERTAKES_MAX) return "low";
    if (high) return "high";
    return normal ? "normal" : "low";
  }

  /** One was taken; whether others of the lower priorities wait still, or waited before it. */
  took(priority: MessagePriority, normal: boolean, low: boolean): void {
    if (priority === "normal") this.#normal = 0;
    else if (priority === "high") this.#normal = normal ? this.#normal + 1 : 0;
    this.#low = priority !== "low" && low ? this.#low + 1 : 0;
  }
}
