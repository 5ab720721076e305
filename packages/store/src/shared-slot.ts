/**
 * Memory that a store's parent and its worker share, for one message at a time while both are awake: it takes no call of the system, where a
 * message between threads takes two and often a wake-up.
 *
 * SL1. The parent puts a message only when nothing it asked is unanswered, so no request overtakes another.
 * SL2. Whoever is about to sleep says so and looks once more; whoever puts something then looks whether the other sleeps, and wakes it by a
 *      message. All of that is sequentially consistent (`Atomics`), so at least one of them sees the other.
 * SL3. Answers are a counter that only grows. A message that counts on is sent after it was stored, and read after it was looked at.
 */

/** Bytes of the message. */
export const SLOT_BYTES = 65_536;
const CONTROL_WORDS = 8;
const CONTROL_BYTES = CONTROL_WORDS * 4;
const PUT = 0;
const LENGTH = 1;
const ANSWERED = 2;
const WORKER_AWAKE = 3;
const PARENT_AWAKE = 4;

/** Room for a slot. */
export function slotMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(CONTROL_BYTES + SLOT_BYTES);
}

/** The parent's side. */
export class SlotParent {
  readonly #control: Int32Array;
  /** Where a message is written before it is put. */
  readonly room: Uint8Array;
  #answered = 0;

  constructor(memory: SharedArrayBuffer) {
    this.#control = new Int32Array(memory, 0, CONTROL_WORDS);
    this.room = new Uint8Array(memory, CONTROL_BYTES);
  }

  /** Whether the worker looks at the slot. */
  get isLookedAt(): boolean {
    return Atomics.load(this.#control, WORKER_AWAKE) === 1;
  }

  /** Put what was written into the room. Returns whether the worker has to be woken (SL2). */
  put(length: number): boolean {
    Atomics.store(this.#control, LENGTH, length);
    Atomics.add(this.#control, PUT, 1);
    return !this.isLookedAt;
  }

  /** Requests that were answered since the last time. */
  takeAnswered(): number {
    const answered = Atomics.load(this.#control, ANSWERED);
    const fresh = (answered - this.#answered) | 0;
    this.#answered = answered;
    return fresh;
  }

  /** Say whether answers are looked for without a message. */
  set isAwake(awake: boolean) {
    Atomics.store(this.#control, PARENT_AWAKE, awake ? 1 : 0);
  }
}

/** The worker's side. */
export class SlotWorker {
  readonly #control: Int32Array;
  readonly #room: Uint8Array;
  #taken = 0;

  constructor(memory: SharedArrayBuffer) {
    this.#control = new Int32Array(memory, 0, CONTROL_WORDS);
    this.#room = new Uint8Array(memory, CONTROL_BYTES);
  }

  /** A copy of the message that was put since the last time; undefined for none. */
  take(): Uint8Array<ArrayBuffer> | undefined {
    const put = Atomics.load(this.#control, PUT);
    if (put === this.#taken) return undefined;
    this.#taken = put;
    const length = Atomics.load(this.#control, LENGTH);
    const message = new Uint8Array(length);
    message.set(this.#room.subarray(0, length));
    return message;
  }

  /** So many requests were answered. Returns whether the parent has to be woken (SL2). */
  answer(count: number): boolean {
    Atomics.add(this.#control, ANSWERED, count);
    return Atomics.load(this.#control, PARENT_AWAKE) === 0;
  }

  /** Say whether the slot is looked at without a message. */
  set isAwake(awake: boolean) {
    Atomics.store(this.#control, WORKER_AWAKE, awake ? 1 : 0);
  }
}
