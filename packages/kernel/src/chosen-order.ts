/**
 * Ready lists for exploration: of the tasks that could run next, a function picks one.
 *
 * CO1. Priorities, aging and the precedence of kills hold as they do in `ready-queue.ts`: the choice is among one level's tasks.
 * CO2. The class is picked when the kernel is made. Without a `choose` port no switch pays for this.
 */
import { BadOptionError } from "./errors.ts";
import { ReadyQueue } from "./ready-queue.ts";
import type { Task } from "./task.ts";

/** Picks one of `ready` tasks (2 or more): a whole number from 0 to `ready` - 1, counted in the order they became ready. */
export type Choose = (ready: number) => number;

/** Ready lists whose next task is chosen. Taking one is O(tasks of its level). */
export class ChosenOrder extends ReadyQueue {
  readonly #choose: Choose;

  constructor(agingSwitches: number, choose: Choose) {
    super(agingSwitches);
    this.#choose = choose;
  }

  override shift(): Task | null {
    const ready = this.topCount();
    if (ready < 2) return super.shift();
    const chosen = this.#choose(ready);
    if (!Number.isInteger(chosen) || chosen < 0 || chosen >= ready)
      throw new BadOptionError("the choice of a task", chosen, `a whole number from 0 to ${ready - 1}`);
    this.rotateTop(chosen);
    return super.shift();
  }
}
