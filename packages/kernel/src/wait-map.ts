/**
 * Tasks that wait for a key of any kind: compared as `Map` compares, so objects by identity.
 *
 * K1. Every waiter of a key is kept, in order of arrival. A key nobody waits for takes no memory.
 */
import { type SelectNode, TaskList } from "./task.ts";

/** Queues by key. */
export class WaitMap {
  readonly #queues = new Map<unknown, TaskList>();
  readonly #keys = new Map<TaskList, unknown>();

  /** The queue of a key, made on first use. */
  at(key: unknown): TaskList {
    let queue = this.#queues.get(key);
    if (queue === undefined) {
      queue = new TaskList();
      this.#queues.set(key, queue);
      this.#keys.set(queue, key);
    }
    return queue;
  }

  /** The queue of a key somebody waits for. */
  find(key: unknown): TaskList | undefined {
    return this.#queues.get(key);
  }

  /** Forget a key nobody waits for any more (K1). */
  prune(key: unknown): void {
    const queue = this.#queues.get(key);
    if (queue?.idle !== true) return;
    this.#queues.delete(key);
    this.#keys.delete(queue);
  }

  /** Forget the keys that these selects waited for, where nobody else does. */
  pruneAll(nodes: readonly SelectNode[]): void {
    if (this.#keys.size === 0) return;
    for (const { queue } of nodes) if (this.#keys.has(queue)) this.prune(this.#keys.get(queue));
  }

  /** Keys somebody waits for. */
  get size(): number {
    return this.#queues.size;
  }
}
