/**
 * The copies that this node keeps of agents of others, and taking those over whose owner is gone (docs/spec/replica.md, RH1 to RH7).
 *
 * HS1. At most one complete copy per agent; a new feed takes its place when its first checkpoint is complete.
 * HS2. A copy is sealed before coordination is asked for the agent, and unsealed only by an answer that says that nothing was changed.
 * HS3. An agent is taken over at most once: by the row that coordination committed to this node.
 * HS5. Of the agents of one silent owner one is asked for first; the others when that shows that the owner is gone.
 * HS6. The copy of an agent that was taken over stays, sealed, until the agent runs here.
 * HS7. The copy of an agent whose owner gives it away is sealed before the owner is told so, and stays sealed under the epoch that the owner named: the owner
 *      writes this node into the row. Whose copy it is does not matter, only whether the row names this node: after a post-copy the copy is still that of
 *      the owner before (docs/spec/replica.md, RH6).
 * HS4. At most {@link HOLDS_MAX} copies, and as many bytes as the node allows. What does not fit is refused before it is kept.
 */
import { errorCodeOf } from "@glia-os/abi/errors";
import type { AgentId, Epoch, NodeId } from "@glia-os/abi/ids";
import type { AgentRow, CasOutcome, Clock, Coordination, TimerHandle, Timers } from "@glia-os/abi/ports";
import { ReplicaRefusedError } from "../errors.ts";
import type { Caller, CallHandler, CallOptions } from "../mesh-types.ts";
import { type HeldAgent, Hold } from "./hold.ts";
import {
  countAnswer,
  type FeedId,
  REPLICA_METHODS,
  readAppend,
  readBeat,
  readDrop,
  readPart,
  readPoint,
  readSeed,
  readStandingOf,
  readTake,
  type SeedRequest,
  standingAnswer,
  type TakeRequest,
  takenBody,
} from "./messages.ts";
import { Standings } from "./standings.ts";

/** Copies one node keeps, those that arrive included. */
export const HOLDS_MAX = 512;
/** Bytes of copies one node keeps unless it is told otherwise: 1 GiB. */
export const HOLD_BYTES: number = 1024 * 1024 * 1024;
/** An owner that was not heard for so long may be gone: three beats. Milliseconds. */
export const SILENCE_MS = 1500;
/** Between two looks at owners that are silent, in milliseconds. */
export const LOOK_MS = 250;
/** A copy whose row does not name this node is dropped when its owner was silent for so long, in milliseconds. */
export const FORGOTTEN_MS = 60_000;
/** A replica that asked coordination for an agent so long ago asks for it still: four looks. Milliseconds. */
export const ASKING_MS = 1000;
const SESSION_TAIL = 16;
const EMPTY = new Uint8Array(0);

/** Refusals of a takeover after which nothing was changed. */
const UNCHANGED: ReadonlySet<string | undefined> = new Set([
  "store.owner-alive",
  "store.session-expired",
  "store.not-replica",
  "store.agent-terminated",
]);

/** What keeping copies needs from the node. */
export interface HoldsOptions {
  readonly self: NodeId;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly maxBytes?: number;
  coordination(): Coordination;
  call(node: NodeId, method: string, body: Uint8Array, options: CallOptions): Promise<Uint8Array>;
  /** Empty while this node has no coordination session. */
  sessionId(): string;
  /** Whether this node could run the agent. Throwing refuses it. */
  admit(agent: AgentId, meta: Uint8Array): Promise<void>;
  /** The agent is this node's under the row: build it and run it. Rejects when that is not possible now; it is asked again. */
  adopt(held: HeldAgent, row: AgentRow): Promise<void>;
}

/** What one attempt told of the owner. */
type Told = "alive" | "taken" | "nothing";

interface Sealed {
  readonly opened: Promise<void>;
  open(): void;
}

/** Every copy of one node. */
export class Holds {
  readonly #o: HoldsOptions;
  readonly #standings: Standings;
  readonly #byFeed = new Map<FeedId, Hold>();
  readonly #complete = new Map<AgentId, Hold>();
  readonly #sealed = new Map<AgentId, Sealed>();
  readonly #asking = new Set<NodeId>();
  readonly #trying = new Map<AgentId, Promise<Told>>();
  /** Agents that their owners gave away, and under which epoch (HS7). */
  readonly #given = new Map<AgentId, Epoch>();
  #timer: TimerHandle | undefined;
  #stopped = false;

  constructor(options: HoldsOptions) {
    this.#o = options;
    this.#standings = new Standings(options);
  }

  /** Complete copies. */
  get size(): number {
    return this.#complete.size;
  }

  /** Whether coordination is being asked for an agent, and has not refused it. */
  asks(agent: AgentId): boolean {
    return this.#sealed.has(agent);
  }

  /** Bytes of all copies. */
  get bytes(): number {
    let bytes = 0;
    for (const hold of this.#byFeed.values()) bytes += hold.bytes;
    return bytes;
  }

  /** The methods to register: name and handler. */
  methods(): readonly (readonly [string, CallHandler])[] {
    return [
      [REPLICA_METHODS.seed, (caller, body) => this.#seed(caller, readSeed(body))],
      [
        REPLICA_METHODS.part,
        async (caller, body) => {
          const part = readPart(body);
          return countAnswer((await this.#open(caller, part.feed, part.bytes.length)).part(part));
        },
      ],
      [REPLICA_METHODS.point, (caller, body) => this.#point(caller, body)],
      [
        REPLICA_METHODS.append,
        async (caller, body) => {
          const append = readAppend(body);
          const hold = await this.#open(caller, append.feed, body.length);
          return countAnswer(hold.append(append, this.#o.clock.monotonicMs()));
        },
      ],
      [
        REPLICA_METHODS.drop,
        async (caller, body) => {
          const hold = this.#byFeed.get(readDrop(body));
          if (hold?.owner === caller.node && !this.#sealed.has(hold.agent)) this.#forget(hold);
          return EMPTY;
        },
      ],
      [
        REPLICA_METHODS.beat,
        async ({ node }, body) => {
          for (const feed of readBeat(body)) this.#heard(node, this.#byFeed.get(feed));
          return EMPTY;
        },
      ],
      [REPLICA_METHODS.take, (caller, body) => this.#take(caller, readTake(body))],
      [REPLICA_METHODS.standing, async (_, body) => this.#standing(readStandingOf(body))],
    ];
  }

  /** Stop taking agents over. */
  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    for (const sealed of this.#sealed.values()) sealed.open();
  }

  #heard(node: NodeId, hold: Hold | undefined): void {
    if (hold?.owner === node) hold.heardMs = this.#o.clock.monotonicMs();
  }

  async #seed(caller: Caller, seed: SeedRequest): Promise<Uint8Array> {
    const known = this.#byFeed.get(seed.feed);
    if (known?.owner === caller.node) return EMPTY;
    if (known !== undefined) throw new ReplicaRefusedError(seed.agent, "another node has this feed");
    const row = await this.#o.coordination().getAgent(seed.agent);
    if (row?.owner !== caller.node) throw new ReplicaRefusedError(seed.agent, "the node does not own it");
    await this.#o.admit(seed.agent, seed.meta);
    if (this.#byFeed.has(seed.feed)) return EMPTY;
    // Only the agent's owner begins a feed anew. From here on nothing waits, so that seeds at the same time share one limit.
    for (const other of [...this.#byFeed.values()])
      if (other.agent === seed.agent && !other.complete) this.#forget(other);
    if (this.#byFeed.size >= HOLDS_MAX)
      throw new ReplicaRefusedError(seed.agent, `this node keeps ${HOLDS_MAX} copies, its limit`);
    this.#checkRoom(seed.agent, seed.meta.length);
    this.#byFeed.set(seed.feed, new Hold(seed, caller.node, this.#o.clock.monotonicMs()));
    this.#timer ??= this.#o.timers.schedule(LOOK_MS, () => this.#look());
    return EMPTY;
  }

  async #point(caller: Caller, body: Uint8Array): Promise<Uint8Array> {
    const point = readPoint(body);
    const hold = await this.#open(caller, point.feed, 0);
    hold.point(point, this.#o.clock.monotonicMs());
    const before = this.#complete.get(hold.agent);
    // HS1. One that is being taken over stays: the feed that would replace it comes from an owner that is not one any more.
    if (before !== hold && before !== undefined) this.#forget(before);
    this.#complete.set(hold.agent, hold);
    return EMPTY;
  }

  /** HS7. The looks build the agent, once the row says that it is this node's. */
  async #take(caller: Caller, { agent, epoch }: TakeRequest): Promise<Uint8Array> {
    const hold = this.#complete.get(agent);
    const row = await this.#o.coordination().getAgent(agent);
    if (row?.owner === this.#o.self && row.epoch > epoch) return takenBody(row.sessionId);
    if (hold === undefined || row?.replicas?.includes(this.#o.self) !== true)
      throw new ReplicaRefusedError(agent, "this node has no copy of it that counts");
    if (row.owner !== caller.node || row.epoch !== epoch)
      throw new ReplicaRefusedError(agent, "it is not the caller's to give away");
    const sessionId = this.#o.sessionId();
    if (sessionId === "") throw new ReplicaRefusedError(agent, "this node has no session just now");
    this.#given.set(agent, epoch);
    // An attempt that began before this was known may unseal the copy.
    await this.#trying.get(agent);
    if (this.#byFeed.get(hold.feed) === hold) this.#seal(agent);
    return takenBody(sessionId);
  }

  /** RH7. A replica that does not ask for the agent itself is not waited for. */
  #standing(agent: AgentId): Uint8Array {
    const hold = this.#complete.get(agent);
    const isAsking =
      hold !== undefined && this.#o.clock.monotonicMs() - hold.askedMs < ASKING_MS && !this.#stopped;
    return standingAnswer(isAsking ? { since: hold.since, held: hold.held } : undefined);
  }

  /** The copy that a feed goes to, once nothing holds it back. @throws {ReplicaRefusedError} */
  async #open({ node }: Caller, feed: FeedId, bytes: number): Promise<Hold> {
    const hold = this.#byFeed.get(feed);
    this.#heard(node, hold);
    if (hold?.owner !== node) throw new ReplicaRefusedError("", "this node does not know the feed");
    for (
      let sealed = this.#sealed.get(hold.agent);
      sealed !== undefined;
      sealed = this.#sealed.get(hold.agent)
    )
      await sealed.opened;
    if (this.#stopped || this.#byFeed.get(feed) !== hold)
      throw new ReplicaRefusedError(hold.agent, "this node does not keep it any more");
    this.#checkRoom(hold.agent, bytes);
    return hold;
  }

  #checkRoom(agent: AgentId, bytes: number): void {
    const { maxBytes = HOLD_BYTES } = this.#o;
    if (bytes > 0 && this.bytes + bytes > maxBytes)
      throw new ReplicaRefusedError(agent, `this node keeps at most ${maxBytes} bytes of copies`);
  }

  #forget(hold: Hold): void {
    this.#byFeed.delete(hold.feed);
    if (this.#complete.get(hold.agent) !== hold) return;
    this.#complete.delete(hold.agent);
    this.#given.delete(hold.agent);
    this.#unseal(hold.agent);
  }

  #unseal(agent: AgentId): void {
    const sealed = this.#sealed.get(agent);
    this.#sealed.delete(agent);
    sealed?.open();
  }

  #look(): void {
    if (this.#stopped) return;
    const nowMs = this.#o.clock.monotonicMs();
    const silent = new Map<NodeId, Hold[]>();
    for (const hold of [...this.#byFeed.values()]) {
      const silentMs = nowMs - hold.heardMs;
      const inDoubt = this.#sealed.has(hold.agent);
      if (hold.complete && (silentMs > SILENCE_MS || inDoubt))
        silent.set(hold.owner, [...(silent.get(hold.owner) ?? []), hold]);
      else if (!hold.complete && silentMs > FORGOTTEN_MS) this.#forget(hold);
    }
    for (const [owner, holds] of silent) void this.#lookAt(owner, holds);
    this.#timer = this.#byFeed.size === 0 ? undefined : this.#o.timers.schedule(LOOK_MS, () => this.#look());
  }

  /** HS5. */
  async #lookAt(owner: NodeId, holds: readonly Hold[]): Promise<void> {
    if (this.#asking.has(owner)) return;
    this.#asking.add(owner);
    try {
      for (const hold of holds) {
        const told = await this.#try(hold);
        if (told === "alive") return;
        if (told !== "taken") continue;
        await Promise.all(holds.slice(holds.indexOf(hold) + 1).map((other) => this.#try(other)));
        return;
      }
    } finally {
      this.#asking.delete(owner);
    }
  }

  /** One attempt to take an agent over. Looks at one owner do not overlap, so there is one at a time for each agent (HS3). */
  #try(hold: Hold): Promise<Told> {
    const attempt = this.#attempt(hold).finally(() => this.#trying.delete(hold.agent));
    this.#trying.set(hold.agent, attempt);
    return attempt;
  }

  async #attempt(hold: Hold): Promise<Told> {
    const { agent } = hold;
    if (this.#o.sessionId() === "") return "nothing";
    try {
      const row = await this.#o.coordination().getAgent(agent);
      if (this.#stopped || this.#byFeed.get(hold.feed) !== hold) return "nothing";
      if (row !== undefined && this.#isMine(hold, row)) return await this.#ask(hold, row);
      const silentMs = this.#o.clock.monotonicMs() - hold.heardMs;
      if (row === undefined || row.owner !== hold.owner || silentMs > FORGOTTEN_MS) this.#forget(hold);
      else this.#unseal(agent);
    } catch {
      // Coordination does not answer: what was asked for is in doubt or was not asked. The next look asks again.
    }
    return "nothing";
  }

  #isMine({ agent }: Hold, row: AgentRow): boolean {
    const { self } = this.#o;
    if (row.status === "terminated") return false;
    // A takeover of this node whose answer was lost, or an agent that its owner wrote down as this node's.
    if (row.owner === self && (this.#sealed.has(agent) || this.#given.has(agent))) return true;
    return row.replicas?.includes(self) === true;
  }

  /** Nothing was changed. What was given away stays sealed: its owner may write any moment. */
  #refused(row: AgentRow): void {
    if (this.#given.get(row.agent) !== row.epoch) this.#unseal(row.agent);
  }

  /** HS2, HS3. */
  async #ask(hold: Hold, row: AgentRow): Promise<Told> {
    const { agent, feed } = hold;
    const { self } = this.#o;
    if (row.owner !== self && !this.#sealed.has(agent)) {
      if (await this.#standings.yields(row, { since: hold.since, held: hold.held })) return "nothing";
      if (this.#stopped || this.#byFeed.get(feed) !== hold) return "nothing";
    }
    this.#seal(agent);
    if (row.owner === self) return this.#adopt(hold, row);
    const sessionId = this.#o.sessionId();
    // An answer that was lost is asked for again under the same id; one that came, and refused, is asked anew.
    const requestId = `${feed}/${row.epoch}/${hold.refusals}/${sessionId.slice(-SESSION_TAIL)}`;
    let outcome: CasOutcome;
    try {
      const change = { sessionId, from: row.sessionId, status: "running" } as const;
      outcome = await this.#o.coordination().takeOver(agent, row.epoch, change, requestId);
    } catch (error) {
      const code = errorCodeOf(error);
      if (!UNCHANGED.has(code)) return "nothing";
      hold.refusals++;
      // Others wait for one that gets the agent when its owner is gone, not for one whose own session is.
      if (code === "store.owner-alive") hold.askedMs = this.#o.clock.monotonicMs();
      this.#refused(row);
      return code === "store.owner-alive" && row.owner === hold.owner ? "alive" : "nothing";
    }
    if (outcome.kind === "committed") return this.#adopt(hold, outcome.row);
    // An earlier request of this node, whose answer was lost, may have been performed after all.
    if (outcome.kind === "conflict" && outcome.row.owner === self) return this.#adopt(hold, outcome.row);
    if (outcome.kind === "unknown-agent" || !this.#isMine(hold, outcome.row)) this.#forget(hold);
    else this.#unseal(agent);
    return "nothing";
  }

  #seal(agent: AgentId): void {
    if (this.#sealed.has(agent)) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#sealed.set(agent, { opened: promise, open: resolve });
  }

  /** HS6. */
  async #adopt(hold: Hold, row: AgentRow): Promise<Told> {
    const held = hold.content();
    try {
      if (held !== undefined) await this.#o.adopt(held, row);
    } catch {
      return "taken"; // The row is this node's, the copy stays sealed: the next look asks again.
    }
    this.#forget(hold);
    return "taken";
  }
}
