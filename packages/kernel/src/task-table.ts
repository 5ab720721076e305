/**
 * The tasks by id: the live ones, and how the ended ones ended.
 *
 * I3. At most `taskLimit` + `endedLimit` indices are in use at once; `insert` refuses more and changes nothing.
 * I4. What is kept of an ended task is its exit: no task object, no generator. The collector sees one word of it, its value; the rest
 *     is 32 bytes in a flat array. So a kernel that makes and ends many short tasks leaves nothing for the collector to move.
 * I5. At most `endedLimit` exits are kept; one more forgets the oldest, and its id is never valid again (I2 of `slot-id.ts`).
 */
import {
  GENERATION_LIMIT as GENERATION_LIMIT_,
  generationOf,
  INDEX_LIMIT as INDEX_LIMIT_,
  INDEX_MASK as INDEX_MASK_,
} from "./slot-id.ts";
import { CANCELLED, type Exit, FAILED, FINISHED, Task, type TaskId } from "./task.ts";

// Constants of this module: the engine folds them, which it does not do with what a module imports or exports.
const INDEX_MASK = INDEX_MASK_;
const INDEX_LIMIT = INDEX_LIMIT_;
const GENERATION_LIMIT = GENERATION_LIMIT_;

const FREE = 0;
const LIVE = 1;
const OK = 2;
const FAILURE = 3;
const CANCELLATION = 4;
const KILL = 5;
const INITIAL_ROOM = 64;
/** Numbers per index, side by side so that they share a line of the cache. */
const STRIDE = 4;
const ID = 0;
const KIND = 1;
/** Of an ended task: its parent, and the index of the one that ended next. */
const PARENT = 2;
const NEXT = 3;
const NONE = -1;

/** Tasks and exits. */
export class TaskTable {
  /** Indices ever used. */
  #used = 0;
  #held = 0;
  /** A task while it lives; then the value, error or reason of its exit. */
  readonly #items: unknown[] = [];
  #numbers: Float64Array = new Float64Array(INITIAL_ROOM * STRIDE);
  #firstEnded = NONE;
  #lastEnded = NONE;
  #endedCount = 0;
  readonly #free: number[] = [];
  readonly #limit: number;
  readonly #endedLimit: number;
  readonly #generations: number;

  /** `generations` from 1 to 2^31 - 1: tests set a small one. */
  constructor(taskLimit: number, endedLimit: number, generations: number = GENERATION_LIMIT) {
    this.#generations = generations;
    this.#limit = taskLimit + endedLimit;
    this.#endedLimit = endedLimit;
  }

  /** The id of a new task, or 0 when the table is full (I3). O(1). */
  insert(task: Task): number {
    if (this.#held >= this.#limit) return 0;
    let index = this.#free.pop();
    if (index === undefined) {
      index = this.#used;
      if (index >= INDEX_LIMIT) return 0;
      if (index * STRIDE === this.#numbers.length) this.#grow();
      this.#used++;
      this.#numbers[index * STRIDE + ID] = INDEX_LIMIT + index;
      this.#items.push(task);
    } else this.#items[index] = task;
    this.#numbers[index * STRIDE + KIND] = LIVE;
    this.#held++;
    return this.#numbers[index * STRIDE + ID]!;
  }

  /** The live task with this id. Any value is safe to ask for. O(1). */
  live(id: number): Task | undefined {
    const index = id & INDEX_MASK;
    return this.#kindOf(index, id) === LIVE ? (this.#items[index] as Task) : undefined;
  }

  /** How the task with this id ended; undefined while it lives and when it is not known. O(1). */
  exitOf(id: number): Exit | undefined {
    const index = id & INDEX_MASK;
    const kind = this.#kindOf(index, id);
    return kind > LIVE ? exitOf(kind, this.#items[index]) : undefined;
  }

  /** The live task with this id, or a description of the ended one: its state, parent and exit. O(1). */
  get(id: number): Task | undefined {
    const index = id & INDEX_MASK;
    const kind = this.#kindOf(index, id);
    if (kind === LIVE) return this.#items[index] as Task;
    if (kind === FREE) return undefined;
    return describe(id, this.#numbers[index * STRIDE + PARENT]!, exitOf(kind, this.#items[index]));
  }

  /** A live task ended: keep its exit only (I4). */
  end(task: Task, exit: Exit): void {
    if (exit.kind === "ok") this.#end(task, OK, exit.value);
    else if (exit.kind === "failed") this.#end(task, FAILURE, exit.error);
    else this.#end(task, exit.kind === "killed" ? KILL : CANCELLATION, exit.reason);
  }

  /** Forget a live task that never ran. */
  remove(id: number): void {
    this.#forget(id & INDEX_MASK);
  }

  /** The live tasks in index order. */
  *values(): Generator<Task, void, undefined> {
    for (let i = 0; i < this.#used; i++)
      if (this.#numbers[i * STRIDE + KIND] === LIVE) yield this.#items[i] as Task;
  }

  #kindOf(index: number, id: number): number {
    const at = index * STRIDE;
    return index < this.#used && this.#numbers[at] === id ? this.#numbers[at + KIND]! : FREE;
  }

  #end(task: Task, kind: number, value: unknown): void {
    const index = task.id & INDEX_MASK;
    const numbers = this.#numbers;
    const at = index * STRIDE;
    this.#items[index] = value;
    numbers[at + KIND] = kind;
    numbers[at + PARENT] = task.parent;
    numbers[at + NEXT] = NONE;
    if (this.#lastEnded === NONE) this.#firstEnded = index;
    else numbers[this.#lastEnded * STRIDE + NEXT] = index;
    this.#lastEnded = index;
    if (++this.#endedCount <= this.#endedLimit) return;
    const oldest = this.#firstEnded;
    this.#firstEnded = numbers[oldest * STRIDE + NEXT]!;
    if (this.#firstEnded === NONE) this.#lastEnded = NONE;
    this.#endedCount--;
    this.#forget(oldest);
  }

  #forget(index: number): void {
    const at = index * STRIDE;
    const id = this.#numbers[at + ID]!;
    this.#numbers[at + KIND] = FREE;
    this.#items[index] = undefined;
    this.#held--;
    if (generationOf(id) >= this.#generations) this.#numbers[at + ID] = 0;
    else {
      this.#numbers[at + ID] = id + INDEX_LIMIT;
      this.#free.push(index);
    }
  }

  #grow(): void {
    const numbers = new Float64Array(Math.min(this.#numbers.length * 2, INDEX_LIMIT * STRIDE));
    numbers.set(this.#numbers);
    this.#numbers = numbers;
  }
}

function exitOf(kind: number, value: unknown): Exit {
  if (kind === OK) return { kind: "ok", value };
  if (kind === FAILURE) return { kind: "failed", error: value };
  return { kind: kind === KILL ? "killed" : "cancelled", reason: value };
}

const NO_ROUTINE = (function* (): Generator<never, undefined, unknown> {
  return undefined;
})();

function describe(id: number, parent: number, exit: Exit): Task {
  const task = new Task(NO_ROUTINE, 0, parent, "", 0);
  task.id = id as TaskId;
  task.value = exit;
  task.state = exit.kind === "ok" ? FINISHED : exit.kind === "failed" ? FAILED : CANCELLED;
  return task;
}
