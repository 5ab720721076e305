/**
 * Feeding the replica of one agent: the owner's side (docs/spec/replica.md, RP1 to RP4).
 *
 * FD1. `onHeld` names a position only when a replica that the row names has every entry up to it; or, without a replica under `continue`, when the row
 *      names nobody.
 * FD2. A replica is named after it has a complete copy, and fed without a gap from its first checkpoint on.
 * FD3. A replica that fails is given up for {@link SHUNNED_MS}; the next candidate is seeded. While there is none the feed says `missing`.
 * FD4. At most {@link LOG_BYTES_MAX} wait to be sent; `full` says so, and the agent takes no more messages until there is room.
 */
import { type AgentId, type NodeId, toHex } from "@glia-os/abi/ids";
import type { Clock, Random, Timers } from "@glia-os/abi/ports";
import { MeshStoppedError } from "../errors.ts";
import type { CallOptions } from "../mesh-types.ts";
import type { ChunkSource } from "../migration/cells-port.ts";
import { INCREMENTS_MAX } from "./hold.ts";
import {
  appendBody,
  dropBody,
  ENTRIES_MAX,
  FEED_ID_BYTES,
  type FeedId,
  PART_MAX,
  partBody,
  pointBody,
  REPLICA_METHODS,
  readCount,
  seedBody,
} from "./messages.ts";
import type { OwnerRow } from "./owner-row.ts";

/** How long a replica may take to answer, in milliseconds (RP3). */
export const ANSWER_MS = 2000;
/** How long one that failed is not asked again, in milliseconds. */
export const SHUNNED_MS = 5000;
/** Between two looks for a replica while there is none, in milliseconds. */
export const SEARCH_MS = 500;
/** Entries worth so many bytes, or so many entries, make a checkpoint. */
export const CHECKPOINT_BYTES = 1_048_576;
/** See {@link CHECKPOINT_BYTES}. */
export const CHECKPOINT_ENTRIES = 4096;
/** Age of the last checkpoint that makes another, if anything happened since. Milliseconds. */
export const CHECKPOINT_MS = 2000;
/** Most bytes that wait to be sent. */
export const LOG_BYTES_MAX: number = 8 * 1024 * 1024;
const RESEND_MS = 500;
const CHECKPOINT_RETRY_MS = 25;

/** A state of the agent and the last entry that is in it. */
export interface Checkpoint {
  readonly position: number;
  readonly head: Uint8Array;
  readonly chunks: ChunkSource;
}

/** How a feed stands. */
export type FeedState =
  | { readonly kind: "missing" }
  | { readonly kind: "seeding" | "fed"; readonly replica: NodeId };

/** What a feed needs. */
export interface FeedOptions {
  readonly agent: AgentId;
  readonly meta: Uint8Array;
  /** What it does without a replica. */
  readonly without: "hold" | "continue";
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly row: OwnerRow;
  /** Members that may be the replica, the best first; read anew for every choice. */
  candidates(): readonly NodeId[];
  call(node: NodeId, method: string, body: Uint8Array, options: CallOptions): Promise<Uint8Array>;
  /** Take a checkpoint: whole, or of what changed since the last one. Rejects when that is not possible now. */
  checkpoint(whole: boolean): Promise<Checkpoint>;
  /** FD1. */
  onHeld(position: number): void;
  /** The named replica was given up: what was given since the last `onHeld` is held later, or by nobody. */
  onLost(): void;
  /** Another node owns the agent. Told once; the feed is over. */
  onFenced(owner: NodeId | undefined): void;
}

/** The replica of now. */
interface Replica {
  readonly node: NodeId;
  readonly feed: FeedId;
  named: boolean;
  over: boolean;
  held: number;
  /** Settles when it is given up from outside. */
  readonly failed: Promise<never>;
  fail(): void;
}

interface Entry {
  readonly number: number;
  readonly bytes: Uint8Array;
}

/** One agent's feed. */
export class Feed {
  readonly #o: FeedOptions;
  readonly #shunned = new Map<NodeId, number>();
  #last = 0;
  #log: Entry[] = [];
  #logBytes = 0;
  #replica: Replica | undefined;
  /** Named once, and given up: their copies count until another is named. */
  readonly #former: Replica[] = [];
  /** The row names nobody, and nobody is waited for. */
  #free = false;
  #sinceBytes = 0;
  #sinceCount = 0;
  #wakes: (() => void)[] = [];
  #stopped = false;

  constructor(options: FeedOptions) {
    this.#o = options;
  }

  /** How it stands. */
  get state(): FeedState {
    const replica = this.#replica;
    if (replica === undefined) return { kind: "missing" };
    return { kind: replica.named ? "fed" : "seeding", replica: replica.node };
  }

  /** The feed that goes on, and where. */
  get current(): { readonly node: NodeId; readonly feed: FeedId } | undefined {
    return this.#replica;
  }

  /** The last entry given. */
  get position(): number {
    return this.#last;
  }

  /** Whether what is given is held sooner or later: there is a named replica, or none is waited for. */
  get ready(): boolean {
    return this.#free || this.#replica?.named === true;
  }

  /** FD4. */
  get full(): boolean {
    return this.#logBytes > LOG_BYTES_MAX;
  }

  /** Begin. Runs until `stop`, or until the agent is another node's. */
  start(): void {
    void this.#run();
  }

  /** The agent is not this node's business any more; a replica that is fed drops its copy when `tell`. Idempotent. */
  stop(tell: boolean): void {
    if (this.#stopped) return;
    this.#stopped = true;
    const replica = this.#replica;
    if (replica !== undefined && tell) this.#drop(replica);
    this.#end(replica);
    this.#wake();
  }

  /** A node does not answer: if it is the replica, it is given up. */
  silent(node: NodeId): void {
    if (this.#replica?.node === node) this.#replica.fail();
  }

  /** This node has another session: the row is written again under it (RP5). */
  async reassert(): Promise<void> {
    const outcome = await this.#o.row.write(this.#o.agent, undefined);
    if (outcome.kind === "fenced") this.#fenced(outcome.row?.owner);
  }

  /** Give an entry; its number. Entries go to the replica in this order. */
  append(bytes: Uint8Array): number {
    const number = ++this.#last;
    if (this.#replica !== undefined) {
      this.#log.push({ number, bytes });
      this.#logBytes += bytes.length;
      this.#sinceBytes += bytes.length;
      this.#sinceCount++;
      this.#wake();
    } else if (this.#free) this.#o.onHeld(number);
    return number;
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      // Before anybody is looked for: an agent that goes on without a replica must not wait for one.
      if (this.#o.without === "continue" && !this.#free) await this.#goFree();
      const node = this.#stopped ? undefined : this.#choose();
      if (node === undefined) await this.#pause(SEARCH_MS);
      else await this.#feed(node);
    }
  }

  async #goFree(): Promise<void> {
    const outcome = await this.#o.row.write(this.#o.agent, null);
    if (outcome.kind === "fenced") this.#fenced(outcome.row?.owner);
    if (outcome.kind !== "written") return;
    this.#free = true;
    this.#dropFormer();
    this.#o.onHeld(this.#last);
  }

  #choose(): NodeId | undefined {
    const nowMs = this.#o.clock.monotonicMs();
    for (const [node, untilMs] of this.#shunned) if (untilMs <= nowMs) this.#shunned.delete(node);
    return this.#o.candidates().find((node) => !this.#shunned.has(node));
  }

  /** Seed a node and feed it until it fails or the feed ends. */
  async #feed(node: NodeId): Promise<void> {
    const feed = toHex(this.#o.random.bytes(new Uint8Array(FEED_ID_BYTES)));
    const { promise: failed, reject } = Promise.withResolvers<never>();
    failed.catch(() => undefined);
    const fail = (): void => reject(new MeshStoppedError());
    const replica: Replica = { node, feed, named: false, over: false, held: 0, failed, fail };
    this.#replica = replica;
    try {
      const first = await this.#seed(replica);
      await Promise.race([this.#appends(replica), this.#keep(replica, first), replica.failed]);
    } catch {
      // It did not answer, or refused: somebody else is asked. One that the row names may still take over until another is named.
      this.#shunned.set(node, this.#o.clock.monotonicMs() + SHUNNED_MS);
      if (replica.named) this.#former.push(replica);
      else this.#drop(replica);
    } finally {
      this.#end(replica);
    }
  }

  async #seed(replica: Replica): Promise<Checkpoint> {
    const checkpoint = await this.#checkpoint(replica, true);
    const { position } = checkpoint;
    const { agent, meta } = this.#o;
    await this.#call(replica, REPLICA_METHODS.seed, seedBody({ feed: replica.feed, agent, position, meta }));
    replica.held = position;
    return checkpoint;
  }

  /** The first checkpoint, the name in the row, and then one checkpoint after the other. */
  async #keep(replica: Replica, first: Checkpoint): Promise<void> {
    await this.#sendCheckpoint(replica, first, true);
    // From here on the row may name it, whatever the answer is: without it nothing is held until the row names nobody again.
    this.#free = false;
    const outcome = await this.#o.row.write(this.#o.agent, replica.node);
    if (outcome.kind === "fenced") this.#fenced(outcome.row?.owner);
    if (outcome.kind !== "written" || replica.over) throw new MeshStoppedError();
    replica.named = true;
    this.#dropFormer();
    this.#o.onHeld(replica.held);
    for (let taken = 0; !replica.over; ) {
      if (this.#sinceBytes < CHECKPOINT_BYTES && this.#sinceCount < CHECKPOINT_ENTRIES)
        await this.#pause(CHECKPOINT_MS);
      if (replica.over || this.#sinceCount === 0) continue;
      const whole = taken === INCREMENTS_MAX;
      const checkpoint = await this.#checkpoint(replica, whole);
      await this.#sendCheckpoint(replica, checkpoint, whole);
      taken = whole ? 0 : taken + 1;
    }
  }

  /** A checkpoint, as soon as one can be taken. @throws {MeshStoppedError} when the feed is over by then */
  async #checkpoint(replica: Replica, whole: boolean): Promise<Checkpoint> {
    while (!replica.over) {
      try {
        const [bytes, count] = [this.#sinceBytes, this.#sinceCount];
        const checkpoint = await this.#o.checkpoint(whole);
        this.#sinceBytes -= Math.min(bytes, this.#sinceBytes);
        this.#sinceCount -= Math.min(count, this.#sinceCount);
        if (whole) this.#forgetUpTo(checkpoint.position);
        return checkpoint;
      } catch {
        await this.#pause(CHECKPOINT_RETRY_MS);
      }
    }
    throw new MeshStoppedError();
  }

  async #sendCheckpoint(replica: Replica, checkpoint: Checkpoint, whole: boolean): Promise<void> {
    const { feed } = replica;
    const { position, head, chunks } = checkpoint;
    let offset = 0;
    const send = async (bytes: Uint8Array, isHead: boolean): Promise<void> => {
      const body = partBody({ feed, offset, head: isHead, bytes });
      await this.#call(replica, REPLICA_METHODS.part, body, "bulk");
      offset += bytes.length;
    };
    for (let at = 0; at < head.length; at += PART_MAX) await send(head.subarray(at, at + PART_MAX), true);
    for (let chunk = await chunks(); chunk !== undefined; chunk = await chunks()) await send(chunk, false);
    const body = pointBody({ feed, position, whole, total: offset });
    await this.#call(replica, REPLICA_METHODS.point, body);
    replica.held = Math.max(replica.held, position);
    this.#forgetUpTo(replica.held);
    if (replica.named) this.#o.onHeld(replica.held);
  }

  /** One batch after the other; what comes meanwhile goes with the next. */
  async #appends(replica: Replica): Promise<void> {
    while (!replica.over) {
      const batch = this.#nextBatch();
      const [first] = batch;
      if (first === undefined) {
        await new Promise<void>((resolve) => this.#wakes.push(resolve));
        continue;
      }
      const entries = batch.map(({ bytes }) => bytes);
      const body = appendBody({ feed: replica.feed, first: first.number, entries });
      const held = readCount(await this.#call(replica, REPLICA_METHODS.append, body));
      if (replica.over) return;
      replica.held = Math.max(replica.held, Math.min(held, this.#last));
      this.#forgetUpTo(replica.held);
      if (replica.named) this.#o.onHeld(replica.held);
    }
  }

  #nextBatch(): Entry[] {
    const batch: Entry[] = [];
    let bytes = 0;
    for (const entry of this.#log) {
      bytes += entry.bytes.length;
      if (batch.length > 0 && (bytes > PART_MAX || batch.length >= ENTRIES_MAX)) break;
      batch.push(entry);
    }
    return batch;
  }

  #forgetUpTo(position: number): void {
    let done = 0;
    for (const { number, bytes } of this.#log) {
      if (number > position) break;
      this.#logBytes -= bytes.length;
      done++;
    }
    this.#log.splice(0, done);
  }

  #fenced(owner: NodeId | undefined): void {
    if (this.#stopped) return;
    this.stop(false);
    this.#o.onFenced(owner);
  }

  #end(replica: Replica | undefined): void {
    if (replica === undefined) return;
    replica.over = true;
    if (this.#replica !== replica) return;
    this.#replica = undefined;
    this.#log = [];
    this.#logBytes = 0;
    this.#wake();
    if (replica.named) this.#o.onLost();
    // What came while a candidate was seeded waited for it; without it nobody is waited for.
    else if (this.#free && !this.#stopped) this.#o.onHeld(this.#last);
  }

  #dropFormer(): void {
    for (const replica of this.#former.splice(0)) this.#drop(replica);
  }

  #drop({ node, feed }: Replica): void {
    const options = { timeoutMs: ANSWER_MS };
    this.#o.call(node, REPLICA_METHODS.drop, dropBody(feed), options).catch(() => undefined);
  }

  async #call(
    replica: Replica,
    method: string,
    body: Uint8Array,
    trafficClass: "request" | "bulk" = "request",
  ): Promise<Uint8Array> {
    const options = { timeoutMs: ANSWER_MS, resendMs: RESEND_MS, trafficClass };
    return this.#o.call(replica.node, method, body, options);
  }

  #wake(): void {
    for (const wake of this.#wakes.splice(0)) wake();
  }

  /** Until the time is over, or a checkpoint is due, or the feed ends. */
  #pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#o.timers.schedule(delayMs, () => {
        this.#wakes = this.#wakes.filter((wake) => wake !== due);
        resolve();
      });
      const due = (): void => {
        if (!this.#stopped && this.#sinceBytes < CHECKPOINT_BYTES && this.#sinceCount < CHECKPOINT_ENTRIES) {
          this.#wakes.push(due);
          return;
        }
        timer.cancel();
        resolve();
      };
      this.#wakes.push(due);
    });
  }
}
