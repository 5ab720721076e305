/**
 * The tasks by id: the live ones, and how the ended ones ended.
 *
 * I4. What is kept of an ended task is its exit: no task object, no generator. The collector sees one word of it, its value; the rest
 *     is 25 bytes in flat arrays. So a kernel that makes and ends many short tasks leaves nothing for the collector to move.
 * I5. At most `endedLimit` exits are kept; one more forgets the oldest, and its id is never valid again (I2 of `slot-table.ts`).
 */
import { GENERATION_LIMIT, generationOf, INDEX_LIMIT, INDEX_MASK } from "./slot-table.ts";
import { CANCELLED, type Exit, FAILED, FINISHED, Task, type TaskId } from "./task.ts";

const FREE = 0;
const LIVE = 1;
const OK = 2;
const FAILURE = 3;
const CANCELLATION = 4;
const KILL = 5;
const INITIAL_ROOM = 64;

/** Tasks and exits. */
export class TaskTable {
  /** Indices ever used. */
  #used = 0;
  #held = 0;
  /** A task while it lives; then the value, error or reason of its exit. */
  readonly #items: unknown[] = [];
  #ids: Float64Array = new Float64Array(INITIAL_ROOM);
  #kinds: Uint8Array = new Uint8Array(INITIAL_ROOM);
  /** Parents of ended tasks. */
  #parents: Float64Array = new Float64Array(INITIAL_ROOM);
  /** Ids of ended tasks in the order of their ends: a ring that is as large as it had to be. */
  #ended: Float64Array = new Float64Array(INITIAL_ROOM);
  #firstEnded = 0;
  #endedCount = 0;
  readonly #free: number[] = [];
  readonly #limit: number;
  readonly #endedLimit: number;

  constructor(taskLimit: number, endedLimit: number) {
    this.#limit = taskLimit + endedLimit;
    this.#endedLimit = endedLimit;
  }

  /** The id of a new task, or 0 when the table is full. O(1). */
  insert(task: Task): number {
    if (this.#held >= this.#limit) return 0;
    let index = this.#free.pop();
    if (index === undefined) {
      index = this.#used;
      if (index >= INDEX_LIMIT) return 0;
      if (index === this.#ids.length) this.#grow();
      this.#used++;
      this.#ids[index] = INDEX_LIMIT + index;
      this.#items.push(task);
    } else this.#items[index] = task;
    this.#kinds[index] = LIVE;
    this.#held++;
    return this.#ids[index]!;
  }

  /** The live task with this id. Any value is safe to ask for. O(1). */
  live(id: number): Task | undefined {
    const index = id & INDEX_MASK;
    if (index >= this.#used || this.#ids[index] !== id || this.#kinds[index] !== LIVE) return undefined;
    return this.#items[index] as Task;
  }

  /** How the task with this id ended; undefined while it lives and when it is not known. O(1). */
  exitOf(id: number): Exit | undefined {
    const index = id & INDEX_MASK;
    if (index >= this.#used || this.#ids[index] !== id) return undefined;
    const kind = this.#kinds[index]!;
    return kind > LIVE ? exitOf(kind, this.#items[index]) : undefined;
  }

  /** The live task with this id, or a description of the ended one: its state, parent and exit. O(1). */
  get(id: number): Task | undefined {
    const index = id & INDEX_MASK;
    if (index >= this.#used || this.#ids[index] !== id) return undefined;
    const kind = this.#kinds[index]!;
    if (kind === LIVE) return this.#items[index] as Task;
    return kind === FREE ? undefined : describe(id, this.#parents[index]!, exitOf(kind, this.#items[index]));
  }

  /** A live task ended well: keep its value only (I4). */
  finish(task: Task, value: unknown): void {
    this.#end(task, OK, value);
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
    for (let i = 0; i < this.#used; i++) if (this.#kinds[i] === LIVE) yield this.#items[i] as Task;
  }

  #end(task: Task, kind: number, value: unknown): void {
    const index = task.id & INDEX_MASK;
    this.#kinds[index] = kind;
    this.#items[index] = value;
    this.#parents[index] = task.parent;
    if (this.#endedCount === this.#ended.length) this.#growEnded();
    this.#ended[(this.#firstEnded + this.#endedCount) & (this.#ended.length - 1)] = task.id;
    if (++this.#endedCount <= this.#endedLimit) return;
    const oldest = this.#ended[this.#firstEnded]!;
    this.#firstEnded = (this.#firstEnded + 1) & (this.#ended.length - 1);
    this.#endedCount--;
    this.#forget(oldest & INDEX_MASK);
  }

  #forget(index: number): void {
    const id = this.#ids[index]!;
    this.#kinds[index] = FREE;
    this.#items[index] = undefined;
    this.#held--;
    if (generationOf(id) >= GENERATION_LIMIT) this.#ids[index] = 0;
    else {
      this.#ids[index] = id + INDEX_LIMIT;
      this.#free.push(index);
    }
  }

  #grow(): void {
    const room = Math.min(this.#ids.length * 2, INDEX_LIMIT);
    const [ids, kinds, parents] = [new Float64Array(room), new Uint8Array(room), new Float64Array(room)];
    ids.set(this.#ids);
    kinds.set(this.#kinds);
    parents.set(this.#parents);
    this.#ids = ids;
    this.#kinds = kinds;
    this.#parents = parents;
  }

  #growEnded(): void {
    const old = this.#ended;
    const ring = new Float64Array(old.length * 2);
    for (let i = 0; i < this.#endedCount; i++) ring[i] = old[(this.#firstEnded + i) & (old.length - 1)]!;
    this.#ended = ring;
    this.#firstEnded = 0;
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
