/** The calls of one service of a domain that is replayed, looked up on its tape. */
import type { RecordedOutcomes } from "@glia-os/kernel/services";
import type { Hash, TaskPath } from "./record.ts";
import { beginRecord, MAJOR, takeRecord, writeBytes, writeHead, writeList } from "./record-arena.ts";
import { CallFront, type Tape, type TapeClock } from "./tape.ts";

/** What calls of a service have in common. */
export interface CallShape {
  readonly op: number;
  /** Whether their intent is recorded before they start. */
  readonly once: boolean;
  /** Whether all of them have one hash, because their arguments are secret. */
  readonly oneHash: boolean;
  /** The hash of the arguments; undefined when they cannot be recorded. */
  hashOf(request: unknown): Hash | undefined;
  pathOf(text: string): TaskPath;
}

/** Answers calls from a tape. */
export class RecordedCalls implements RecordedOutcomes {
  readonly #tape: Tape;
  readonly #clock: TapeClock;
  readonly #shape: CallShape;
  /** The task whose front is kept. */
  #path = "";
  #front: CallFront | undefined;

  constructor(tape: Tape, clock: TapeClock, shape: CallShape) {
    this.#tape = tape;
    this.#clock = clock;
    this.#shape = shape;
  }

  get value(): unknown {
    return this.#tape.value;
  }

  take(path: string, request: unknown): boolean {
    if (this.#tape.left === 0) return false;
    const front = this.#frontFor(path, request);
    return front !== undefined && this.#tape.take(front, this.#shape.once, this.#clock);
  }

  #frontFor(path: string, request: unknown): CallFront | undefined {
    const known = this.#path === path ? this.#front : undefined;
    if (known !== undefined && (this.#shape.oneHash || !this.#tape.mayName(known)))
      return this.#shape.oneHash ? known : undefined;
    const hash = this.#shape.hashOf(request);
    if (hash === undefined) return undefined;
    if (known !== undefined && hash !== null) {
      known.setHash(hash);
      return known;
    }
    this.#path = path;
    this.#front = frontOf(this.#shape.pathOf(path), this.#shape.op, hash);
    return this.#front;
  }
}

function frontOf(path: TaskPath, op: number, hash: Hash): CallFront {
  beginRecord();
  writeList(path);
  writeHead(MAJOR.unsigned, op);
  writeBytes(hash);
  return new CallFront(takeRecord(), hash?.length ?? 0);
}
