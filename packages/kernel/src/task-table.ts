/**
 * The tasks by id: the live ones, and how the ended ones ended.
 *
 * I3. At most `taskLimit` + `endedLimit` indices are in use at once; `insert` refuses more and changes nothing.
 * I4. What is kept of an ended task is its exit: no task object, no generator. The collector sees one word of it, its value; the rest
 *     is 16 bytes in a flat array. So a kernel that makes and ends many short tasks leaves nothing for the collector to move.
 * I5. At most `endedLimit` exits are kept; one more forgets the oldest, and its id is never valid again (I2 of `slot-id.ts`).
 */
import {
  GENERATION_LIMIT as GENERATION_LIMIT_,
  generationOf,
  INDEX_LIMIT as INDEX_LIMIT_,
  INDEX_MASK as INDEX_MASK_,
} from "./slot-id.ts";
import { CANCELLED, ENDED, type Exit, FAILED, FINISHED, Task, type TaskId } from "./task.ts";

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
/** Small, because some processes have a kernel for each of thousands of agents. */
const INITIAL_ROOM = 4;
/** Words per index, side by side so that they share a line of the cache. */
const STRIDE = 4;
const GENERATION = 0;
/** Bits 0 to 22: of an ended task, one more than the index of the one that ended next, or 0. Bits 24 to 26: what lies here. */
const LINK = 1;
const NEXT_MASK = 0x7f_ffff;
const KIND_SHIFT = 24;
/** Of an ended task: its parent's id in two parts. */
const PARENT_INDEX = 2;
const PARENT_GENERATION = 3;
const NONE = -1;

/** Tasks and exits. */
export class TaskTable {
  /** Indices ever used. */
  #used = 0;
  #held = 0;
  /** A task while it lives; then the value, error or reason of its exit. */
  readonly #items: unknown[] = [];
  #words: Int32Array = new Int32Array(INITIAL_ROOM * STRIDE);
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
      if (index * STRIDE === this.#words.length) this.#grow();
      this.#used++;
      this.#words[index * STRIDE + GENERATION] = 1;
      this.#items.push(task);
    } else this.#items[index] = task;
    this.#words[index * STRIDE + LINK] = LIVE << KIND_SHIFT;
    this.#held++;
    return this.#words[index * STRIDE + GENERATION]! * INDEX_LIMIT + index;
  }

  /** The live task with this id. Any value is safe to ask for. O(1). */
  live(id: number): Task | undefined {
    if (typeof id !== "number") return undefined;
    const index = id & INDEX_MASK;
    return this.#kindOf(index, id) === LIVE ? (this.#items[index] as Task) : undefined;
  }

  /** The live task whose id has this index. There must be one. O(1). */
  at(index: number): Task {
    return this.#items[index] as Task;
  }

  /** How the task with this id ended; undefined while it lives and when it is not known. O(1). */
  exitOf(id: number): Exit | undefined {
    if (typeof id !== "number") return undefined;
    const index = id & INDEX_MASK;
    const kind = this.#kindOf(index, id);
    return kind > LIVE ? exitOf(kind, this.#items[index]) : undefined;
  }

  /** The live task with this id, or a description of the ended one: its state, parent and exit. O(1). */
  get(id: number): Task | undefined {
    if (typeof id !== "number") return undefined;
    const index = id & INDEX_MASK;
    const kind = this.#kindOf(index, id);
    if (kind === LIVE) return this.#items[index] as Task;
    if (kind === FREE) return undefined;
    const words = this.#words;
    const parent =
      words[index * STRIDE + PARENT_GENERATION]! * INDEX_LIMIT + words[index * STRIDE + PARENT_INDEX]!;
    return describe(id, parent, exitOf(kind, this.#items[index]));
  }

  /** A live task ended: keep its exit only (I4). */
  end(task: Task, exit: Exit): void {
    if (exit.kind === "ok") this.#keep(task, OK, exit.value);
    else if (exit.kind === "failed") this.#keep(task, FAILURE, exit.error);
    else this.#keep(task, exit.kind === "killed" ? KILL : CANCELLATION, exit.reason);
  }

  /** Forget a live task that never ran. */
  remove(id: number): void {
    this.#forget(id & INDEX_MASK);
  }

  /** The live tasks in index order. */
  *values(): Generator<Task, void, undefined> {
    for (let i = 0; i < this.#used; i++)
      if (this.#words[i * STRIDE + LINK]! >> KIND_SHIFT === LIVE) yield this.#items[i] as Task;
  }

  #kindOf(index: number, id: number): number {
    const at = index * STRIDE;
    const words = this.#words;
    return index < this.#used && words[at + GENERATION]! * INDEX_LIMIT + index === id
      ? words[at + LINK]! >> KIND_SHIFT
      : FREE;
  }

  #keep(task: Task, kind: number, value: unknown): void {
    const { id, parent } = task;
    const index = id & INDEX_MASK;
    const words = this.#words;
    const at = index * STRIDE;
    this.#items[index] = value;
    words[at + LINK] = kind << KIND_SHIFT;
    words[at + PARENT_INDEX] = parent & INDEX_MASK;
    words[at + PARENT_GENERATION] = generationOf(parent);
    if (this.#lastEnded === NONE) this.#firstEnded = index;
    else words[this.#lastEnded * STRIDE + LINK]! += index + 1;
    this.#lastEnded = index;
    if (++this.#endedCount > this.#endedLimit) this.#forgetOldest();
  }

  #forgetOldest(): void {
    const oldest = this.#firstEnded;
    this.#firstEnded = (this.#words[oldest * STRIDE + LINK]! & NEXT_MASK) - 1;
    if (this.#firstEnded === NONE) this.#lastEnded = NONE;
    this.#endedCount--;
    this.#forget(oldest);
  }

  #forget(index: number): void {
    const at = index * STRIDE;
    const words = this.#words;
    words[at + LINK] = FREE << KIND_SHIFT;
    this.#items[index] = undefined;
    this.#held--;
    if (words[at + GENERATION]! >= this.#generations) return;
    words[at + GENERATION]!++;
    this.#free.push(index);
  }

  #grow(): void {
    const words = new Int32Array(Math.min(this.#words.length * 2, INDEX_LIMIT * STRIDE));
    words.set(this.#words);
    this.#words = words;
  }
}

function exitOf(kind: number, value: unknown): Exit {
  if (kind === OK) return { kind: "ok", value };
  if (kind === FAILURE) return { kind: "failed", error: value };
  return { kind: kind === KILL ? "killed" : "cancelled", reason: value };
}

function describe(id: number, parent: number, exit: Exit): Task {
  const task = new Task(ENDED, 0, parent, "", 0);
  task.id = id as TaskId;
  task.value = exit;
  task.state = exit.kind === "ok" ? FINISHED : exit.kind === "failed" ? FAILED : CANCELLED;
  return task;
}
