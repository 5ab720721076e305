/**
 * Feeding the replicas of one agent: the owner's side (docs/spec/replica.md, RP1 to RP4).
 *
 * FD1. `onHeld` names a position only when the row names somebody, and every replica that it names or may name has every entry up to it; or, under
 *      `continue`, when the row names nobody.
 * FD2. A replica is named after it has a complete copy and everything that was acknowledged, and is fed without a gap from its first checkpoint on.
 * FD3. A replica that fails is given up for {@link SHUNNED_MS}, its name is taken out of the row, and the next candidate is seeded. The names of the
 *      last ones stay while nobody else has a copy, unless the agent goes on without.
 * FD4. At most {@link LOG_BYTES_MAX} wait to be sent; `full` says so, and the agent takes no more messages until there is room.
 * FD5. All replicas get the same checkpoints: a whole one when one of them has none yet, and after {@link INCREMENTS_MAX} increments.
 */
import { type AgentId, type NodeId, toHex } from "@glia-os/abi/ids";
import type { Clock, Random, Timers } from "@glia-os/abi/ports";
import type { CallOptions } from "../mesh-types.ts";
import type { ChunkSource } from "../migration/cells-port.ts";
import { EntryLog } from "./entry-log.ts";
import { FedReplica } from "./fed-replica.ts";
import { INCREMENTS_MAX } from "./hold.ts";
import { FEED_ID_BYTES, type FeedId, PART_MAX } from "./messages.ts";
import { NamedReplicas } from "./named-replicas.ts";
import type { OwnerRow, RowOutcome } from "./owner-row.ts";

/** How long one that failed is not asked again, in milliseconds. */
export const SHUNNED_MS = 5000;
/** Between two looks for a replica while one is wanted, in milliseconds. */
export const SEARCH_MS = 500;
/** Entries worth so many bytes, or so many entries, make a checkpoint. */
export const CHECKPOINT_BYTES = 1_048_576;
/** See {@link CHECKPOINT_BYTES}. */
export const CHECKPOINT_ENTRIES = 4096;
/** Age of the last checkpoint that makes another, if anything happened since. Milliseconds. */
export const CHECKPOINT_MS = 2000;
/** Most bytes that wait to be sent. */
export const LOG_BYTES_MAX: number = 8 * 1024 * 1024;
const CHECKPOINT_RETRY_MS = 25;

/** A state of the agent and the last entry that is in it. */
export interface Checkpoint {
  readonly position: number;
  readonly head: Uint8Array;
  readonly chunks: ChunkSource;
}

/** How one replica stands. */
export interface ReplicaState {
  readonly node: NodeId;
  /** `fed`: the row names it, and everything acknowledged is there. `seeding`: the copy is being made. */
  readonly state: "fed" | "seeding";
  /** Bytes of entries that it does not have yet. */
  readonly behindBytes: number;
}

/** What a feed needs. */
export interface FeedOptions {
  readonly agent: AgentId;
  readonly meta: Uint8Array;
  /** How many replicas are wanted: 1 to `REPLICAS_MAX`. */
  readonly wanted: number;
  /** What it does without a replica. */
  readonly without: "hold" | "continue";
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly row: OwnerRow;
  /** Members that may be a replica beside `chosen`, the best first; read anew for every choice. */
  candidates(chosen: readonly NodeId[]): readonly NodeId[];
  call(node: NodeId, method: string, body: Uint8Array, options: CallOptions): Promise<Uint8Array>;
  /** Take a checkpoint: whole, or of what changed since the last one. Rejects when that is not possible now. */
  checkpoint(whole: boolean): Promise<Checkpoint>;
  /** FD1. */
  onHeld(position: number): void;
  /** A replica that was fed is given up. */
  onGivenUp?(node: NodeId): void;
  /** No replica is fed any more: what was given since the last `onHeld` is held later, or by nobody. */
  onLost(): void;
  /** Another node owns the agent. Told once; the feed is over. */
  onFenced(owner: NodeId | undefined): void;
}

/** One agent's feed. */
export class Feed {
  readonly #o: FeedOptions;
  readonly #named: NamedReplicas;
  readonly #log = new EntryLog();
  readonly #shunned = new Map<NodeId, number>();
  readonly #replicas = new Map<NodeId, FedReplica>();
  /** Given up while the row may name them: they are told to drop their copies when it does not. */
  #former: FedReplica[] = [];
  #held = 0;
  #increments = 0;
  #checkpointMs = 0;
  #sinceBytes = 0;
  #sinceCount = 0;
  #wake: (() => void) | undefined;
  #isNaming = false;
  /** Somebody was given up: another one is looked for at once. */
  #misses = false;
  #stopped = false;

  constructor(options: FeedOptions) {
    this.#o = options;
    this.#named = new NamedReplicas(options.agent, options.row);
  }

  /** How many replicas are wanted. */
  get wanted(): number {
    return this.#o.wanted;
  }

  /** The replicas there are, those that are fed first. */
  get replicas(): readonly ReplicaState[] {
    const all = [...this.#replicas.values()].map(
      (replica): ReplicaState => ({
        node: replica.node,
        state: this.#isFed(replica) ? "fed" : "seeding",
        behindBytes: this.#log.bytesAfter(replica.held),
      }),
    );
    return all.sort((one, other) => Number(other.state === "fed") - Number(one.state === "fed"));
  }

  /** The feeds that go on, and where. */
  get current(): Iterable<{ readonly node: NodeId; readonly feed: FeedId }> {
    return this.#replicas.values();
  }

  /** The last entry given. */
  get position(): number {
    return this.#log.last;
  }

  /** Whether what is given is held sooner or later: there is a replica that is fed, or none is waited for. */
  get ready(): boolean {
    return this.#isFree || this.#anyFed();
  }

  /** FD4. */
  get full(): boolean {
    return this.#log.bytes > LOG_BYTES_MAX;
  }

  /** Begin. Runs until `stop`, or until the agent is another node's. */
  start(): void {
    void this.#run();
  }

  /** The agent is not this node's business any more; replicas drop their copies when `tell`. Idempotent. */
  stop(tell: boolean): void {
    if (this.#stopped) return;
    const wasFed = this.#anyFed();
    this.#stopped = true;
    for (const replica of this.#replicas.values()) {
      if (tell) replica.drop();
      replica.end();
    }
    this.#replicas.clear();
    this.#log.clear();
    this.#wakeUp();
    if (wasFed) this.#o.onLost();
  }

  /** A node does not answer: if it is a replica, it is given up. */
  silent(node: NodeId): void {
    this.#replicas.get(node)?.fail();
  }

  /** This node has another session: the row is written again under it (RP5). */
  async reassert(): Promise<void> {
    this.#understood(await this.#o.row.write(this.#o.agent, undefined));
  }

  /** Give an entry; its number. Entries go to each replica in this order. */
  append(bytes: Uint8Array): number {
    const isKept = this.#replicas.size > 0;
    const number = this.#log.append(bytes, isKept);
    if (isKept) {
      this.#sinceBytes += bytes.length;
      this.#sinceCount++;
      for (const replica of this.#replicas.values()) replica.wake();
      if (this.#isLarge()) this.#wakeUp();
    }
    if (this.#isFree) this.#advance();
    return number;
  }

  async #run(): Promise<void> {
    while (!this.#stopped && this.#named.since === undefined)
      if (this.#understood(await this.#named.read()) === "gone") await this.#sleep(SEARCH_MS);
    this.#advance();
    while (!this.#stopped) {
      this.#misses = false;
      const joining = this.#recruit();
      void this.#name();
      await Promise.all(joining.map((replica) => this.#seed(replica)));
      if (this.#isDue()) await this.#checkpoint();
      else if (!this.#misses)
        await this.#pause(this.#replicas.size < this.#o.wanted ? SEARCH_MS : CHECKPOINT_MS);
    }
  }

  /** Fill the places that are free; those that the row names already come first. */
  #recruit(): readonly FedReplica[] {
    const free = this.#o.wanted - this.#replicas.size;
    if (free <= 0) return [];
    const nowMs = this.#o.clock.monotonicMs();
    for (const [node, untilMs] of this.#shunned) if (untilMs <= nowMs) this.#shunned.delete(node);
    const able = this.#o
      .candidates([...this.#replicas.keys()])
      .filter((node) => !this.#shunned.has(node) && !this.#replicas.has(node));
    const isNamed = (node: NodeId): boolean => this.#named.may.has(node);
    const ordered = [...able.filter(isNamed), ...able.filter((node) => !isNamed(node))];
    return ordered.slice(0, free).map((node) => this.#begin(node));
  }

  #begin(node: NodeId): FedReplica {
    const replica: FedReplica = new FedReplica({
      node,
      feed: toHex(this.#o.random.bytes(new Uint8Array(FEED_ID_BYTES))),
      log: this.#log,
      call: (...args) => this.#o.call(...args),
      onProgress: () => {
        this.#trim();
        this.#advance();
        void this.#name();
      },
      onFailed: () => this.#failed(replica),
    });
    this.#replicas.set(node, replica);
    return replica;
  }

  async #seed(replica: FedReplica): Promise<void> {
    const { agent, meta } = this.#o;
    const { since } = this.#named;
    if (since !== undefined) await replica.seed({ agent, since, meta });
  }

  /** FD3. */
  #failed(replica: FedReplica): void {
    const wasFed = this.#isFed(replica);
    this.#replicas.delete(replica.node);
    this.#shunned.set(replica.node, this.#o.clock.monotonicMs() + SHUNNED_MS);
    if (this.#named.may.has(replica.node)) this.#former.push(replica);
    else replica.drop();
    if (this.#replicas.size === 0) this.#log.clear();
    if (wasFed) this.#o.onGivenUp?.(replica.node);
    if (wasFed && !this.#anyFed()) this.#o.onLost();
    this.#misses = true;
    this.#trim();
    this.#advance();
    void this.#name();
    this.#wakeUp();
  }

  /** Bring the row in line with who has a copy; one write at a time. */
  async #name(): Promise<void> {
    if (this.#isNaming) return;
    this.#isNaming = true;
    for (let nodes = this.#toName(); nodes !== undefined; nodes = this.#toName()) {
      const understood = this.#understood(await this.#named.write(nodes));
      if (understood === "gone") await this.#sleep(SEARCH_MS);
      if (understood !== "ours") continue;
      this.#dropFormer();
      this.#advance();
    }
    this.#isNaming = false;
  }

  /** FD2, FD3. Undefined: the row is to stay as it is. */
  #toName(): readonly NodeId[] | undefined {
    if (this.#stopped || this.#named.since === undefined) return undefined;
    // Those that are seeded again, after a takeover, have a copy that counts until they fail.
    const kept = [...this.#named.may].filter((node) => this.#replicas.has(node));
    const joined = [...this.#replicas.values()]
      .filter(({ node, complete, held }) => complete && held >= this.#held && !kept.includes(node))
      .map(({ node }) => node);
    const nodes = [...kept, ...joined];
    const isAny = nodes.some((node) => this.#replicas.get(node)?.complete === true);
    const isLeft = this.#o.without === "continue" && nodes.length === 0;
    return (isAny || isLeft) && !this.#named.are(nodes) ? nodes : undefined;
  }

  /** FD1. */
  #advance(): void {
    const position = this.#heldByAll();
    if (position === undefined || position <= this.#held) return;
    this.#held = position;
    this.#o.onHeld(position);
  }

  /** A copy that is complete and not named counts, too, so that it can catch up and be named. */
  #heldByAll(): number | undefined {
    if (this.#isFree) return this.#log.last;
    if (this.#stopped || (this.#named.sure.length === 0 && this.#o.without === "hold")) return undefined;
    for (const node of this.#named.may) if (this.#replicas.get(node)?.complete !== true) return undefined;
    const complete = [...this.#replicas.values()].filter((replica) => replica.complete);
    return complete.length === 0 ? undefined : Math.min(...complete.map(({ held }) => held));
  }

  /** The row names nobody, and nobody is waited for. */
  get #isFree(): boolean {
    if (this.#stopped || this.#o.without === "hold" || this.#named.since === undefined) return false;
    if (this.#named.may.size > 0) return false;
    for (const { complete } of this.#replicas.values()) if (complete) return false;
    return true;
  }

  #isFed({ node, complete }: FedReplica): boolean {
    return complete && this.#named.sure.includes(node);
  }

  #anyFed(): boolean {
    for (const replica of this.#replicas.values()) if (this.#isFed(replica)) return true;
    return false;
  }

  /** Nobody that is fed lacks what is forgotten. */
  #trim(): void {
    let least = this.#log.last;
    for (const { held } of this.#replicas.values()) least = Math.min(least, held);
    this.#log.forget(least);
  }

  #isLarge(): boolean {
    return this.#sinceBytes >= CHECKPOINT_BYTES || this.#sinceCount >= CHECKPOINT_ENTRIES;
  }

  #isDue(): boolean {
    const all = [...this.#replicas.values()];
    if (all.some(({ seeded, complete }) => seeded && !complete)) return true;
    if (all.length === 0 || this.#sinceCount === 0) return false;
    return this.#isLarge() || this.#o.clock.monotonicMs() - this.#checkpointMs >= CHECKPOINT_MS;
  }

  /** FD5. */
  async #checkpoint(): Promise<void> {
    const all = [...this.#replicas.values()];
    const whole = this.#increments === INCREMENTS_MAX || all.some(({ complete }) => !complete);
    const checkpoint = await this.#take(whole);
    if (checkpoint === undefined) return;
    await this.#send(checkpoint, whole, all);
    this.#increments = whole ? 0 : this.#increments + 1;
    this.#checkpointMs = this.#o.clock.monotonicMs();
  }

  /** A checkpoint, as soon as one can be taken; undefined when there is nobody to give it to by then. */
  async #take(whole: boolean): Promise<Checkpoint | undefined> {
    while (this.#replicas.size > 0) {
      try {
        const [bytes, count] = [this.#sinceBytes, this.#sinceCount];
        const checkpoint = await this.#o.checkpoint(whole);
        this.#sinceBytes -= Math.min(bytes, this.#sinceBytes);
        this.#sinceCount -= Math.min(count, this.#sinceCount);
        return checkpoint;
      } catch {
        await this.#sleep(CHECKPOINT_RETRY_MS);
      }
    }
    return undefined;
  }

  async #send(
    { position, head, chunks }: Checkpoint,
    whole: boolean,
    replicas: readonly FedReplica[],
  ): Promise<void> {
    let offset = 0;
    const send = async (bytes: Uint8Array, isHead: boolean): Promise<boolean> => {
      await Promise.all(replicas.map((replica) => replica.part({ offset, head: isHead, bytes })));
      offset += bytes.length;
      return replicas.some(({ over }) => !over);
    };
    for (let at = 0; at < head.length; at += PART_MAX)
      if (!(await send(head.subarray(at, at + PART_MAX), true))) return;
    for (let chunk = await chunks(); chunk !== undefined; chunk = await chunks())
      if (!(await send(chunk, false))) return;
    await Promise.all(replicas.map((replica) => replica.point({ position, whole, total: offset })));
  }

  #dropFormer(): void {
    const isOver = ({ node }: FedReplica): boolean => !this.#named.may.has(node);
    for (const replica of this.#former.filter(isOver)) replica.drop();
    this.#former = this.#former.filter((replica) => !isOver(replica));
  }

  #understood(outcome: RowOutcome): RowOutcome["kind"] {
    if (outcome.kind === "fenced" && !this.#stopped) {
      this.stop(false);
      this.#o.onFenced(outcome.row?.owner);
    }
    return outcome.kind;
  }

  #wakeUp(): void {
    this.#wake?.();
  }

  #sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => void this.#o.timers.schedule(delayMs, resolve));
  }

  /** Until the time is over, or a checkpoint is due, or somebody was given up, or the feed ends. */
  #pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#o.timers.schedule(delayMs, () => {
        this.#wake = undefined;
        resolve();
      });
      this.#wake = () => {
        timer.cancel();
        this.#wake = undefined;
        resolve();
      };
    });
  }
}
