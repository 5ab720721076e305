/**
 * One copy of an agent at its replica: checkpoints and the log after them, as they came (docs/spec/replica.md).
 *
 * HO1. It is complete from its first checkpoint on. What it has is then a checkpoint and every entry after it, without gaps.
 * HO2. What is repeated is answered again and changes nothing; what does not fit is refused and changes nothing.
 */
import type { AgentId, Epoch, NodeId } from "@glia-os/abi/ids";
import { concat } from "../codec/ascii.ts";
import { ReplicaRefusedError } from "../errors.ts";
import type { AppendRequest, FeedId, PartRequest, PointRequest, SeedRequest } from "./messages.ts";

/** Increments after one whole checkpoint. */
export const INCREMENTS_MAX = 16;

/** An entry of the log, and when it came, on this node's clock. */
export interface HeldEntry {
  readonly entry: Uint8Array;
  readonly atMs: number;
}

/** Everything a takeover starts from. */
export interface HeldAgent {
  readonly agent: AgentId;
  readonly meta: Uint8Array;
  /** Of the last checkpoint. */
  readonly head: Uint8Array;
  readonly pointAtMs: number;
  /** The last whole one, and what came to it, oldest first. */
  readonly whole: readonly Uint8Array[];
  readonly increments: readonly (readonly Uint8Array[])[];
  /** Entries after the last checkpoint. */
  readonly log: readonly HeldEntry[];
}

interface Arriving {
  received: number;
  readonly head: Uint8Array[];
  readonly body: Uint8Array[];
}

/** One copy. */
export class Hold {
  readonly feed: FeedId;
  readonly agent: AgentId;
  readonly owner: NodeId;
  /** Under which epoch its owner began to count positions. */
  readonly since: Epoch;
  /** How often a takeover of it was refused. */
  refusals = 0;
  /** When coordination said last that the agent is to be had as soon as its owner is gone. */
  askedMs: number = Number.NEGATIVE_INFINITY;
  /** When the owner was heard of this feed last. */
  heardMs: number;
  readonly #meta: Uint8Array;
  #arriving: Arriving = { received: 0, head: [], body: [] };
  #head: Uint8Array | undefined;
  #pointAtMs = 0;
  #whole: readonly Uint8Array[] = [];
  #increments: (readonly Uint8Array[])[] = [];
  #log: HeldEntry[] = [];
  /** The last entry that is in the checkpoint, or before the log. */
  #position: number;
  /** The last checkpoint, to answer it again. */
  #last: PointRequest | undefined;
  #bytes = 0;

  constructor({ feed, agent, since, position, meta }: SeedRequest, owner: NodeId, nowMs: number) {
    this.heardMs = nowMs;
    this.feed = feed;
    this.agent = agent;
    this.since = since;
    this.owner = owner;
    this.#meta = meta;
    this.#position = position;
    this.#bytes = meta.length;
  }

  /** HO1. */
  get complete(): boolean {
    return this.#head !== undefined;
  }

  /** Bytes it keeps. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The last entry it has. */
  get held(): number {
    return this.#position + this.#log.length;
  }

  /** Take a part of a checkpoint; bytes of it that are here. @throws {ReplicaRefusedError} */
  part({ offset, head, bytes }: PartRequest): number {
    if (offset === 0 && this.#arriving.received > 0) this.#restart();
    const { received } = this.#arriving;
    if (offset + bytes.length <= received) return received;
    if (offset !== received)
      throw new ReplicaRefusedError(this.agent, "a part does not follow the one before");
    (head ? this.#arriving.head : this.#arriving.body).push(bytes);
    this.#arriving.received += bytes.length;
    this.#bytes += bytes.length;
    return this.#arriving.received;
  }

  /** A checkpoint is complete. @throws {ReplicaRefusedError} */
  point(point: PointRequest, nowMs: number): void {
    const { position, whole, total } = point;
    if (position === this.#last?.position && total === this.#last.total && this.#arriving.received === 0)
      return;
    if (total !== this.#arriving.received || this.#arriving.head.length === 0)
      throw new ReplicaRefusedError(this.agent, `${this.#arriving.received} bytes came of ${total}`);
    if (position < this.#position)
      throw new ReplicaRefusedError(this.agent, "a checkpoint is older than the last");
    if (!whole && (this.#head === undefined || this.#increments.length >= INCREMENTS_MAX))
      throw new ReplicaRefusedError(this.agent, "an increment came without what it adds to");
    this.#last = point;
    this.#pointAtMs = nowMs;
    this.#head = concat(...this.#arriving.head);
    if (whole) {
      this.#whole = this.#arriving.body;
      this.#increments = [];
    } else this.#increments.push(this.#arriving.body);
    this.#log.splice(0, position - this.#position);
    this.#position = position;
    this.#arriving = { received: 0, head: [], body: [] };
    this.#count();
  }

  /** Take entries; the last one that is here. @throws {ReplicaRefusedError} */
  append({ first, entries }: AppendRequest, atMs: number): number {
    if (first > this.held + 1) throw new ReplicaRefusedError(this.agent, `entry ${this.held + 1} is missing`);
    for (const entry of entries.slice(this.held + 1 - first)) {
      this.#log.push({ entry, atMs });
      this.#bytes += entry.length;
    }
    return this.held;
  }

  /** What a takeover starts from; undefined before it is complete. */
  content(): HeldAgent | undefined {
    if (this.#head === undefined) return undefined;
    return {
      agent: this.agent,
      meta: this.#meta,
      head: this.#head,
      pointAtMs: this.#pointAtMs,
      whole: this.#whole,
      increments: this.#increments,
      log: this.#log,
    };
  }

  #restart(): void {
    this.#arriving = { received: 0, head: [], body: [] };
    this.#count();
  }

  #count(): void {
    const log = this.#log.reduce((sum, { entry }) => sum + entry.length, 0);
    const parts = [this.#whole, ...this.#increments].flat();
    const image = parts.reduce((sum, part) => sum + part.length, 0);
    this.#bytes = this.#meta.length + (this.#head?.length ?? 0) + log + image;
  }
}
