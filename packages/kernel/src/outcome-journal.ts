/**
 * The journal stage of the seam: outcomes that a program could not compute by itself, and intents of outside effects.
 *
 * J1. Only syscalls whose effect class is not `local` are recorded. `once` calls record their intent before they start.
 * J2. The memory implementation keeps the newest records and forgets the rest. It makes nothing durable.
 */
import type { TaskId } from "./task.ts";

/** Where outcomes go. Called for every journaled syscall: must be quick and must not throw. */
export interface OutcomeJournal {
  /** An outside effect is about to start. `op` is the number of the syscall. */
  intent(task: TaskId, op: number): void;
  /** A syscall gave its task this value, or this error when `failed`. The value belongs to the program: do not change it. */
  outcome(task: TaskId, op: number, value: unknown, failed: boolean): void;
}

/** One journaled event. */
export interface JournalEntry {
  /** From 1, in the order of the kernel. */
  readonly seq: number;
  readonly kind: "intent" | "outcome" | "failure";
  readonly task: TaskId;
  readonly op: number;
  readonly value: unknown;
}

const INTENT = 0;
const OUTCOME = 1;
const FAILURE = 2;
const KINDS = ["intent", "outcome", "failure"] as const;

/** The newest outcomes, in memory (J2). */
export class MemoryJournal implements OutcomeJournal {
  #total = 0;
  #at = 0;
  readonly #size: number;
  readonly #kinds: number[];
  readonly #tasks: number[];
  readonly #ops: number[];
  readonly #values: unknown[];

  /** Keeps `size` records, each of which holds on to one value. */
  constructor(size: number) {
    this.#size = size;
    this.#kinds = new Array(size).fill(INTENT);
    this.#tasks = new Array(size).fill(0);
    this.#ops = new Array(size).fill(0);
    this.#values = new Array(size).fill(undefined);
  }

  intent(task: TaskId, op: number): void {
    this.#write(INTENT, task, op, undefined);
  }

  outcome(task: TaskId, op: number, value: unknown, failed: boolean): void {
    this.#write(failed ? FAILURE : OUTCOME, task, op, value);
  }

  /** The records still held, oldest first. */
  entries(): readonly JournalEntry[] {
    const held = Math.min(this.#total, this.#size);
    return Array.from({ length: held }, (_, i) => {
      const at = (this.#at - held + i + this.#size) % this.#size;
      return {
        seq: this.#total - held + i + 1,
        kind: KINDS[this.#kinds[at]!]!,
        task: this.#tasks[at]! as TaskId,
        op: this.#ops[at]!,
        value: this.#values[at],
      };
    });
  }

  #write(kind: number, task: number, op: number, value: unknown): void {
    const at = this.#at;
    this.#kinds[at] = kind;
    this.#tasks[at] = task;
    this.#ops[at] = op;
    this.#values[at] = value;
    this.#at = at + 1 === this.#size ? 0 : at + 1;
    this.#total++;
  }
}
