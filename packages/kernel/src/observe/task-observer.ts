/**
 * Listening to the tasks of a kernel.
 *
 * OB1. Listeners hear of things in the order in which they happen, each listener of each thing once, in the order of their addition.
 * OB2. What nobody listens for costs one comparison with null.
 * OB3. What a listener to the begin or the end of tasks throws is logged, and harms no task and no other listener. Listeners to transitions are
 *      not guarded: they are on the path of every switch.
 */
import type { Logger } from "@glia-os/abi/ports";
import { BadOptionError } from "../errors.ts";
import type { Exit, TaskId, TaskState } from "../task.ts";

/** Listeners one kernel has at most. */
export const OBSERVERS_MOST = 64;

/** Hears of tasks. Called in the middle of what happens: must not throw, and must not call the kernel but to look inside. */
export interface TaskObserver {
  /** A task went from one state to another. Costs time on every switch. */
  transition(task: TaskId, from: TaskState, to: TaskState): void;
  /** A task was made and is ready. `parent` is 0 for a task of the shell; `traceparent` is what its maker gave along. */
  spawned?(task: TaskId, parent: TaskId, name: string, traceparent: string | undefined): void;
  /**
   * A task ended. It has made its last transition; its name and path can still be asked for, its exit is not kept yet, and nobody who waits
   * for its end has run.
   */
  ended?(task: TaskId, exit: Exit): void;
}

/** Hears of some of these things. */
export type Listener = Partial<TaskObserver>;
/** Hears of every state change. */
export type TransitionObserver = Pick<TaskObserver, "transition">;
/** Hears of the begin and the end of tasks. */
export type LifeObserver = Required<Pick<TaskObserver, "spawned" | "ended">>;

/** What the scheduler tells. */
export interface Observed {
  observer: TransitionObserver | null;
  lives: LifeObserver | null;
}

/** Everybody who listens to one kernel. */
export class ObserverList {
  readonly #all: Listener[] = [];
  readonly #observed: Observed;
  readonly #logger: Logger | null;

  constructor(observed: Observed, logger: Logger | null) {
    this.#observed = observed;
    this.#logger = logger;
  }

  /** Let a listener hear from now on. Returns the function that ends it. @throws {BadOptionError} for one more than 64, or for no listener. */
  add(observer: Listener): () => void {
    if (!isListener(observer)) throw new BadOptionError("observer", observer, "an object of functions");
    if (this.#all.length >= OBSERVERS_MOST)
      throw new BadOptionError("observers", this.#all.length + 1, `at most ${OBSERVERS_MOST}`);
    // The same listener may listen twice; each function ends its own listening.
    const entry = oneOf(observer);
    this.#all.push(entry);
    this.#tell();
    return () => {
      const at = this.#all.indexOf(entry);
      if (at < 0) return;
      this.#all.splice(at, 1);
      this.#tell();
    };
  }

  #tell(): void {
    // A new list each time: a listener that leaves while it is told must not make another one miss something.
    const moving = this.#all.filter((entry): entry is TransitionObserver => entry.transition !== undefined);
    const living = this.#all.filter((entry) => entry.spawned !== undefined || entry.ended !== undefined);
    this.#observed.observer = moving.length > 1 ? new Transitions(moving) : (moving[0] ?? null);
    this.#observed.lives = living.length > 0 ? new Lives(living, this.#logger) : null;
  }
}

function oneOf(observer: Listener): Listener {
  const { transition, spawned, ended } = observer;
  return {
    ...(transition && { transition: (task, from, to) => observer.transition?.(task, from, to) }),
    ...(spawned && { spawned: (task, parent, name, trace) => observer.spawned?.(task, parent, name, trace) }),
    ...(ended && { ended: (task, exit) => observer.ended?.(task, exit) }),
  };
}

function isListener(value: unknown): value is Listener {
  if (typeof value !== "object" || value === null) return false;
  const { transition, spawned, ended } = value as Readonly<Record<string, unknown>>;
  return [transition, spawned, ended].every((method) => method === undefined || typeof method === "function");
}

class Transitions implements TransitionObserver {
  readonly #all: readonly TransitionObserver[];

  constructor(all: readonly TransitionObserver[]) {
    this.#all = all;
  }

  transition(task: TaskId, from: TaskState, to: TaskState): void {
    for (const observer of this.#all) observer.transition(task, from, to);
  }
}

class Lives implements LifeObserver {
  readonly #all: readonly Listener[];
  readonly #logger: Logger | null;

  constructor(all: readonly Listener[], logger: Logger | null) {
    this.#all = all;
    this.#logger = logger;
  }

  spawned(task: TaskId, parent: TaskId, name: string, traceparent: string | undefined): void {
    for (const observer of this.#all) {
      try {
        observer.spawned?.(task, parent, name, traceparent);
      } catch (error) {
        this.#complain(task, error);
      }
    }
  }

  ended(task: TaskId, exit: Exit): void {
    for (const observer of this.#all) {
      try {
        observer.ended?.(task, exit);
      } catch (error) {
        this.#complain(task, error);
      }
    }
  }

  #complain(task: TaskId, error: unknown): void {
    this.#logger?.log("error", "a listener to tasks failed", { task, error: String(error) });
  }
}
