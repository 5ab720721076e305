/**
 * Pages that this node owes to destinations: the source's side of a post-copy after the freeze (docs/spec/postcopy.md).
 *
 * PS1. Calls of one move are answered in the order of their numbers, each once; one that is repeated gets the answer it got.
 * PS2. Only the destination of the move is answered.
 * PS3. A destination that says nothing for {@link SERVE_SILENT_MS} is not waited for: what it did not get, it does not need or cannot use.
 */
import type { NodeId } from "@glia-os/abi/ids";
import { toHex } from "@glia-os/abi/ids";
import type { Clock, TimerHandle, Timers } from "@glia-os/abi/ports";
import { ChunkCorruptError, MigrationRefusedError, PagesLeftError } from "../errors.ts";
import type { Caller } from "../mesh-types.ts";
import type { PostCopyCells } from "./cells-port.ts";
import { PAGE_CALLS_MAX, type PagesRequest, pagesAnswer } from "./messages.ts";

/** How long a destination may be silent, in milliseconds: longer than it waits for its source. */
export const SERVE_SILENT_MS = 15_000;

/** What serving needs from the node. */
export interface PagesServedOptions {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly cells: PostCopyCells;
}

interface Served {
  readonly key: string;
  readonly to: NodeId;
  /** Whether the move is committed: from then on somebody waits for the end. */
  committed: boolean;
  ended: boolean;
  /** The last call that was answered, and the newest answers. */
  last: number;
  readonly answers: Map<number, Promise<Uint8Array>>;
  readonly turns: Set<() => void>;
  bytes: number;
  heardMs: number;
  timer: TimerHandle | undefined;
  readonly over: PromiseWithResolvers<void>;
}

/** Every move whose pages are here. */
export class PagesServed {
  readonly #o: PagesServedOptions;
  readonly #served = new Map<string, Served>();
  readonly #idle = new Set<() => void>();

  constructor(options: PagesServedOptions) {
    this.#o = options;
  }

  /** Committed moves whose destination does not have everything yet. */
  get owed(): number {
    return [...this.#served.values()].filter(({ committed, ended }) => committed && !ended).length;
  }

  /** Serve the pages of a move to its destination from now on. */
  open(move: Uint8Array, to: NodeId): void {
    const key = toHex(move);
    const over = Promise.withResolvers<void>();
    over.promise.catch(() => undefined);
    const heardMs = this.#o.clock.monotonicMs();
    const fresh = { committed: false, ended: false, last: 0, bytes: 0, timer: undefined, heardMs, over };
    this.#served.set(key, { key, to, answers: new Map(), turns: new Set(), ...fresh });
  }

  /** Answer a destination. @throws {MigrationRefusedError} for a move that is not served, or not to it */
  async answer(caller: Caller, request: PagesRequest): Promise<Uint8Array> {
    const served = this.#served.get(toHex(request.move));
    if (served === undefined || served.to !== caller.node)
      throw new MigrationRefusedError("", "the source does not serve this move");
    served.heardMs = this.#o.clock.monotonicMs();
    const { number } = request;
    const known = served.answers.get(number);
    if (known !== undefined) return known;
    if (served.ended) throw new MigrationRefusedError("", "the source has nothing more to serve");
    if (number <= served.last || number > served.last + PAGE_CALLS_MAX)
      throw new ChunkCorruptError(`call ${number} for pages follows call ${served.last}`);
    while (number > served.last + 1 && !served.ended)
      await new Promise<void>((turn) => served.turns.add(turn));
    const meanwhile = served.answers.get(number);
    if (meanwhile !== undefined) return meanwhile;
    if (served.ended) throw new MigrationRefusedError("", "the source has nothing more to serve");
    const answer = this.#next(served, request);
    served.last = number;
    served.answers.set(number, answer);
    served.answers.delete(number - PAGE_CALLS_MAX);
    for (const turn of served.turns) turn();
    served.turns.clear();
    return answer;
  }

  /** Resolves with the bytes that were served when the destination of a committed move has everything. @throws {PagesLeftError} */
  async finished(move: Uint8Array): Promise<number> {
    const served = this.#served.get(toHex(move));
    if (served === undefined) return 0;
    served.committed = true;
    this.#watch(served);
    await served.over.promise;
    return served.bytes;
  }

  /** The pages of a move are not served any more. Idempotent. */
  async close(move: Uint8Array): Promise<void> {
    const served = this.#served.get(toHex(move));
    if (served !== undefined) this.#end(served, new PagesLeftError("the move is off"));
    this.#served.delete(toHex(move));
    await this.#o.cells.release(toHex(move));
  }

  /** Resolves when nothing is owed, or after `timeoutMs`: whether nothing is. */
  async settled(timeoutMs: number): Promise<boolean> {
    if (this.owed === 0) return true;
    await new Promise<void>((resolve) => {
      const tell = (): void => {
        timer.cancel();
        resolve();
      };
      const timer = this.#o.timers.schedule(timeoutMs, () => {
        this.#idle.delete(tell);
        resolve();
      });
      this.#idle.add(tell);
    });
    return this.owed === 0;
  }

  /** Stop every timer. */
  stop(): void {
    for (const served of this.#served.values()) this.#end(served, new PagesLeftError("the node stops"));
  }

  async #next(served: Served, { said, over }: PagesRequest): Promise<Uint8Array> {
    try {
      const { bytes, done } = await this.#o.cells.serve(served.key, said);
      served.bytes += bytes.length;
      if (done) this.#end(served, undefined);
      else if (over) this.#end(served, new PagesLeftError("the destination gave the agent up"));
      return pagesAnswer(bytes);
    } catch (error) {
      this.#end(served, error);
      throw error;
    }
  }

  /** PS3. */
  #watch(served: Served): void {
    const leftMs = SERVE_SILENT_MS - (this.#o.clock.monotonicMs() - served.heardMs);
    if (leftMs <= 0) this.#end(served, new PagesLeftError(`it said nothing for ${SERVE_SILENT_MS} ms`));
    else served.timer = this.#o.timers.schedule(Math.max(1, leftMs), () => this.#watch(served));
  }

  #end(served: Served, why: unknown): void {
    if (served.ended) return;
    served.ended = true;
    served.timer?.cancel();
    for (const turn of served.turns) turn();
    served.turns.clear();
    if (why === undefined) served.over.resolve();
    else served.over.reject(why);
    if (this.owed === 0) {
      for (const tell of this.#idle) tell();
      this.#idle.clear();
    }
  }
}
