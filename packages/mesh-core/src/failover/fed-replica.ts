/**
 * One replica of an agent as its owner feeds it: the copy is begun, gets checkpoints, and every entry (docs/spec/replica.md, RP1).
 *
 * FR1. It is given up once and for good: by a call that fails or is not answered in {@link ANSWER_MS}, or from outside. No call of it waits longer.
 * FR2. Entries go in order, one call after the other; what comes meanwhile goes with the next.
 */
import type { AgentId, Epoch, NodeId } from "@glia-os/abi/ids";
import type { CallOptions } from "../mesh-types.ts";
import type { EntryLog } from "./entry-log.ts";
import {
  appendBody,
  dropBody,
  type FeedId,
  type PartRequest,
  type PointRequest,
  partBody,
  pointBody,
  REPLICA_METHODS,
  readCount,
  seedBody,
} from "./messages.ts";

/** How long a replica may take to answer, in milliseconds (RP3). */
export const ANSWER_MS = 2000;
const RESEND_MS = 500;

/** What feeding a replica needs. */
export interface FedReplicaOptions {
  readonly node: NodeId;
  readonly feed: FeedId;
  readonly log: EntryLog;
  call(node: NodeId, method: string, body: Uint8Array, options: CallOptions): Promise<Uint8Array>;
  /** It has more than before. */
  onProgress(): void;
  /** It is given up (FR1). */
  onFailed(): void;
}

/** What a copy begins with. */
export interface Beginning {
  readonly agent: AgentId;
  readonly since: Epoch;
  readonly meta: Uint8Array;
}

/** One replica. */
export class FedReplica {
  readonly node: NodeId;
  readonly feed: FeedId;
  readonly #o: FedReplicaOptions;
  readonly #given = Promise.withResolvers<undefined>();
  #held: number;
  #seeded = false;
  #complete = false;
  #over = false;
  #wake: (() => void) | undefined;

  constructor(options: FedReplicaOptions) {
    this.#o = options;
    this.node = options.node;
    this.feed = options.feed;
    this.#held = options.log.last;
  }

  /** The last entry it has; entries up to it that it never got are in its checkpoint. */
  get held(): number {
    return this.#held;
  }

  /** Whether it took the copy on. */
  get seeded(): boolean {
    return this.#seeded;
  }

  /** Whether it could go on with the agent: it has a whole checkpoint, and what came after that. */
  get complete(): boolean {
    return this.#complete;
  }

  /** Whether it was given up. */
  get over(): boolean {
    return this.#over;
  }

  /** Begin the copy; entries go there from then on. */
  async seed({ agent, since, meta }: Beginning): Promise<void> {
    const body = seedBody({ feed: this.feed, agent, since, position: this.#held, meta });
    if ((await this.#ask(REPLICA_METHODS.seed, body)) === undefined) return;
    this.#seeded = true;
    void this.#appends();
  }

  /** A part of a checkpoint. */
  async part(part: Omit<PartRequest, "feed">): Promise<void> {
    await this.#ask(REPLICA_METHODS.part, partBody({ feed: this.feed, ...part }), "bulk");
  }

  /** The end of a checkpoint. */
  async point(point: Omit<PointRequest, "feed">): Promise<void> {
    const body = pointBody({ feed: this.feed, ...point });
    if ((await this.#ask(REPLICA_METHODS.point, body)) === undefined) return;
    this.#complete = true;
    this.#has(point.position);
  }

  /** There are new entries. */
  wake(): void {
    this.#wake?.();
    this.#wake = undefined;
  }

  /** It is not to be waited for any more (FR1). */
  fail(): void {
    if (this.#over) return;
    this.end();
    this.#o.onFailed();
  }

  /** As `fail`, without a word to the feed: the feed is over. */
  end(): void {
    this.#over = true;
    this.#given.resolve(undefined);
    this.wake();
  }

  /** Tell it to drop the copy; nobody waits for that. */
  drop(): void {
    const options = { timeoutMs: ANSWER_MS };
    this.#o.call(this.node, REPLICA_METHODS.drop, dropBody(this.feed), options).catch(() => undefined);
  }

  /** FR2. */
  async #appends(): Promise<void> {
    while (!this.#over) {
      const entries = this.#o.log.after(this.#held);
      if (entries.length === 0) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        continue;
      }
      const body = appendBody({ feed: this.feed, first: this.#held + 1, entries });
      const answer = await this.#ask(REPLICA_METHODS.append, body);
      if (answer !== undefined) this.#has(Math.min(readCount(answer), this.#o.log.last));
    }
  }

  #has(position: number): void {
    this.#held = Math.max(this.#held, position);
    this.#o.onProgress();
  }

  /** The answer; undefined when there was none, and the replica is given up. */
  async #ask(
    method: string,
    body: Uint8Array,
    trafficClass: "request" | "bulk" = "request",
  ): Promise<Uint8Array | undefined> {
    if (this.#over) return undefined;
    const options = { timeoutMs: ANSWER_MS, resendMs: RESEND_MS, trafficClass };
    try {
      const answer = await Promise.race([
        this.#o.call(this.node, method, body, options),
        this.#given.promise,
      ]);
      return this.#over ? undefined : answer;
    } catch {
      this.fail();
      return undefined;
    }
  }
}
