/**
 * The journal stage of the seam: outcomes that a program could not compute by itself, and intents of outside effects.
 *
 * J1. Only syscalls whose effect class is not `local` are recorded. `once` calls record their intent before they start.
 * J2. The memory implementation keeps the newest records and forgets the rest. It makes nothing durable.
 */
import { OPCODES, RECORDED } from "./opcodes.ts";
import type { TaskId } from "./task.ts";

/** Whether outcomes of a syscall are journaled, by number: those whose effect class is not `local` (J1). */
export const JOURNALED: readonly boolean[] = Array.from({ length: OPCODES }, (_, number) =>
  RECORDED.includes(number),
);

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
/** Cells per record: task, syscall and kind, value. */
const STRIDE = 3;
const KIND_SHIFT = 8;
const OP_MASK = 0xff;

/** The newest outcomes, in memory (J2). */
export class MemoryJournal implements OutcomeJournal {
  /** Times the cells were filled. */
  private laps = 0;
  private at = 0;
  declare private readonly cells: unknown[];

  /** Keeps `size` records, each of which holds on to one value. */
  constructor(size: number) {
    this.cells = new Array(size * STRIDE).fill(0);
  }

  intent(task: TaskId, op: number): void {
    this.write(INTENT, task, op, undefined);
  }

  outcome(task: TaskId, op: number, value: unknown, failed: boolean): void {
    this.write(failed ? FAILURE : OUTCOME, task, op, value);
  }

  /** The records still held, oldest first. */
  entries(): readonly JournalEntry[] {
    const size = this.cells.length / STRIDE;
    const total = this.laps * size + this.at / STRIDE;
    const held = Math.min(total, size);
    return Array.from({ length: held }, (_, i) => {
      const at = ((total - held + i) % size) * STRIDE;
      const [task, head, value] = this.cells.slice(at, at + STRIDE) as [TaskId, number, unknown];
      const kind = KINDS[head >> KIND_SHIFT]!;
      return { seq: total - held + i + 1, kind, task, op: head & OP_MASK, value };
    });
  }

  private write(kind: number, task: number, op: number, value: unknown): void {
    const at = this.at;
    const cells = this.cells;
    cells[at] = task;
    cells[at + 1] = op | (kind << KIND_SHIFT);
    cells[at + 2] = value;
    const next = at + STRIDE;
    if (next === cells.length) {
      this.at = 0;
      this.laps++;
    } else this.at = next;
  }
}
