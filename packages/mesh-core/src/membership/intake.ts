/**
 * Statements waiting to be read and verified, in slices that never hold the event loop for long.
 *
 * IN1. Between two turns of the event loop at most {@link SLICE_VERIFICATIONS} signatures are verified and {@link SLICE_STATEMENTS}
 *      statements read. Small batches are heard at once while the slice lasts.
 * IN2. Batches are heard in the order they came. At most {@link WAITING_MAX} statements wait, and {@link WAITING_PER_PEER_MAX} of one
 *      peer; a batch over it is dropped whole and counted. Anti-entropy brings it again.
 * IN3. A statement that is refused ends its batch, and the peer that sent it is reported.
 */
import type { NodeId } from "@glia-os/abi/ids";
import type { TimerHandle, Timers } from "@glia-os/abi/ports";
import type { Heard } from "./statement.ts";

/** Signatures verified in one slice: 2 to 4 ms at 84 to 160 microseconds each, keys imported anew. */
export const SLICE_VERIFICATIONS = 24;
/** Statements read in one slice. */
export const SLICE_STATEMENTS = 256;
/** Statements that wait. */
export const WAITING_MAX = 65_536;
/** Statements of one peer that wait. */
export const WAITING_PER_PEER_MAX = 32_768;

/** Statements of one message. */
export interface Batch {
  readonly peer: NodeId;
  readonly statements: readonly Uint8Array[];
  /** A statement was read; tells what it says. */
  read?(heard: Heard): void;
  /** All were heard. */
  done?(): void;
}

/** What an intake works with. */
export interface IntakeOptions {
  readonly timers: Timers;
  /** Hear one statement. Throwing ends the batch (IN3). */
  hear(statement: Uint8Array): Heard;
  /** Signatures verified so far, by whoever `hear` asks. */
  verifications(): number;
  refused(peer: NodeId, error: unknown): void;
  /** So many statements were dropped (IN2). */
  shed(statements: number): void;
}

/** A batch and how much of it was heard. `counted`: the rest counts as waiting. */
interface Queued {
  readonly batch: Batch;
  at: number;
  counted: boolean;
}

/** The waiting statements of one node. */
export class Intake {
  readonly #o: IntakeOptions;
  readonly #queue: Queued[] = [];
  readonly #waitingOf = new Map<NodeId, number>();
  #waiting = 0;
  #verifiedBefore = 0;
  #read = 0;
  #nextSlice: TimerHandle | undefined;

  constructor(options: IntakeOptions) {
    this.#o = options;
  }

  /** Statements that wait. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Take a batch (IN1, IN2). False when it was dropped. */
  offer(batch: Batch): boolean {
    const count = batch.statements.length;
    // Without a queue nobody waits, and what is heard at once is never counted: most batches are small.
    const ofPeer = this.#waiting === 0 ? 0 : (this.#waitingOf.get(batch.peer) ?? 0);
    if (this.#waiting + count > WAITING_MAX || ofPeer + count > WAITING_PER_PEER_MAX) {
      this.#o.shed(count);
      return false;
    }
    const queued: Queued = { batch, at: 0, counted: false };
    this.#queue.push(queued);
    if (this.#queue.length === 1) this.#run();
    const waits = count - queued.at;
    if (waits === 0) return true;
    queued.counted = true;
    this.#waiting += waits;
    this.#waitingOf.set(batch.peer, ofPeer + waits);
    return true;
  }

  /** Forget everything. */
  stop(): void {
    this.#nextSlice?.cancel();
    this.#nextSlice = undefined;
    this.#queue.length = 0;
    this.#waitingOf.clear();
    this.#waiting = 0;
    this.#read = 0;
  }

  #run(): void {
    // Without a slice nothing was verified since the last one ended.
    if (this.#nextSlice === undefined) this.#verifiedBefore = this.#o.verifications();
    this.#hear();
    const verified = this.#o.verifications() - this.#verifiedBefore;
    // Old news costs next to nothing: it needs no timer, it only counts.
    if (this.#queue.length > 0 || verified > 0 || this.#read >= SLICE_STATEMENTS / 4) this.#armSlice();
  }

  #hear(): void {
    for (let first = this.#queue[0]; first !== undefined; first = this.#queue[0]) {
      if (!this.#hearSome(first)) return;
      this.#queue.shift();
      first.batch.done?.();
    }
  }

  /** False when the slice is used up before the batch. */
  #hearSome(waiting: Queued): boolean {
    const { batch } = waiting;
    while (waiting.at < batch.statements.length) {
      if (this.#spent()) return false;
      this.#read++;
      const statement = batch.statements[waiting.at++] as Uint8Array;
      this.#settle(waiting, 1);
      try {
        const heard = this.#o.hear(statement);
        batch.read?.(heard);
      } catch (error) {
        this.#settle(waiting, batch.statements.length - waiting.at);
        waiting.at = batch.statements.length;
        this.#o.refused(batch.peer, error);
      }
    }
    return true;
  }

  #spent(): boolean {
    // A record is two signatures: its own and its certificate's.
    const verified = this.#o.verifications() - this.#verifiedBefore;
    return verified > SLICE_VERIFICATIONS - 2 || this.#read >= SLICE_STATEMENTS;
  }

  #settle({ batch: { peer }, counted }: Queued, count: number): void {
    if (!counted) return;
    this.#waiting -= count;
    const left = (this.#waitingOf.get(peer) ?? 0) - count;
    if (left > 0) this.#waitingOf.set(peer, left);
    else this.#waitingOf.delete(peer);
  }

  /** A slice ends with the next turn of the event loop. */
  #armSlice(): void {
    this.#nextSlice ??= this.#o.timers.schedule(0, () => {
      this.#nextSlice = undefined;
      this.#read = 0;
      if (this.#queue.length > 0) this.#run();
    });
  }
}
