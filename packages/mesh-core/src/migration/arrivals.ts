/**
 * Taking agents in: the destination's side of a move (docs/spec/migration.md).
 *
 * MA1. A staged agent runs only under an epoch the registry committed to this node: by the source's word, or read from the registry.
 * MA2. Before it is staged it may be dropped at any time: the source cannot have committed. Once staged it is dropped only
 *      when the source says that the move is off, or the registry shows an epoch that is not this move's.
 * MA3. Chunks are taken in order, each checked against the running hash; a repeated one is answered again, never applied again. A chunk is taken when
 *      whoever builds the agent has done with it what can be done, and asks for the next one.
 * MA5. The pages of an agent that came by post-copy are fetched from its source from the moment it runs here (page-follower.ts).
 * MA6. A plan is answered when the agent is built as far as that goes without its state: who refuses it then refuses the plan.
 * MA4. At most {@link ARRIVALS_MAX} at once; unread chunks of one are bounded by the source's window, and refused beyond.
 */
import { type AgentId, type Epoch, type NodeId, nextEpoch, toHex } from "@glia-os/abi/ids";
import type { Clock, Coordination, Digests, TimerHandle, Timers } from "@glia-os/abi/ports";
import { sameBytes } from "../codec/ascii.ts";
import { ChunkCorruptError, MigrationAbortedError, MigrationRefusedError } from "../errors.ts";
import type { Caller, CallHandler, CallOptions } from "../mesh-types.ts";
import type { MigratableCells } from "./cells-port.ts";
import {
  type ChunkRequest,
  firstHash,
  MOVE_METHODS,
  moveBody,
  nextHash,
  numberAnswer,
  type PlanRequest,
  planAnswer,
  readActivate,
  readChunk,
  readMove,
  readNumber,
  readPlan,
  readStage,
} from "./messages.ts";
import { PageFollower } from "./page-follower.ts";

/** Agents that may be arriving at once. */
export const ARRIVALS_MAX = 16;
/** Finished moves that are remembered, so that a repeated call gets its answer. */
export const FINISHED_MAX = 256;
/** Chunks held for one arrival. */
export const CHUNKS_HELD_MAX = 8;
/** Without a chunk for this long an arrival that is not staged is dropped, in milliseconds. */
export const IDLE_MS = 30_000;
/** A staged agent asks where it stands after this time without a word, and again each time, in milliseconds. */
export const ASK_MS = 1000;

const EMPTY = new Uint8Array(0);

/** What arrivals need from the node. */
export interface ArrivalsOptions {
  readonly self: NodeId;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly digests: Digests;
  readonly cells: MigratableCells;
  coordination(): Coordination;
  /** Empty while this node has no coordination session. */
  sessionId(): string;
  call(node: NodeId, method: string, body: Uint8Array, options: CallOptions): Promise<Uint8Array>;
  onLive(agent: AgentId, epoch: Epoch): void;
}

interface HeldChunk {
  readonly request: ChunkRequest;
  readonly taken: (error?: Error) => void;
}

interface Arrival {
  readonly key: string;
  readonly plan: PlanRequest;
  readonly from: NodeId;
  readonly ready: Promise<void>;
  state: "receiving" | "staged" | "activating" | "live" | "dropped";
  received: number;
  hash: Uint8Array;
  readonly held: Map<number, HeldChunk>;
  pull: ((chunk: Uint8Array | undefined) => void) | undefined;
  /** The chunk that whoever builds the agent was given last, until he asks for the next one. */
  given: HeldChunk | undefined;
  /** Called once when more was received, or nothing more is. */
  readonly onReceived: Set<() => void>;
  ended: boolean;
  staging: Promise<void> | undefined;
  activation: Promise<void> | undefined;
  lastByteMs: number;
  liveMs: number;
  timer: TimerHandle | undefined;
}

/** Every move this node is the destination of. */
export class Arrivals {
  readonly #o: ArrivalsOptions;
  readonly #arrivals = new Map<string, Arrival>();
  readonly #finished = new Map<string, Arrival>();
  readonly #followers = new Set<PageFollower>();

  constructor(options: ArrivalsOptions) {
    this.#o = options;
  }

  /** Agents on their way in. */
  get size(): number {
    return this.#arrivals.size;
  }

  /** The methods to register: name and handler. */
  methods(): readonly (readonly [string, CallHandler])[] {
    return [
      [MOVE_METHODS.plan, (caller, body) => this.#plan(caller, readPlan(body))],
      [MOVE_METHODS.chunk, (caller, body) => this.#chunk(caller, readChunk(body))],
      [MOVE_METHODS.stage, (caller, body) => this.#stage(caller, readStage(body))],
      [MOVE_METHODS.activate, (caller, body) => this.#activated(caller, readActivate(body))],
      [MOVE_METHODS.abort, (caller, body) => this.#abort(caller, readMove(body))],
    ];
  }

  /** Stop every timer. Staged copies are left to the cells. */
  stop(): void {
    for (const { timer } of this.#arrivals.values()) timer?.cancel();
    this.#arrivals.clear();
    for (const follower of this.#followers) follower.stop();
    this.#followers.clear();
  }

  async #plan(caller: Caller, plan: PlanRequest): Promise<Uint8Array> {
    const key = toHex(plan.move);
    const sessionId = this.#o.sessionId();
    if (sessionId === "")
      throw new MigrationRefusedError(plan.agent, "the destination has no coordination session");
    const known = this.#arrivals.get(key);
    if (known !== undefined && known.from !== caller.node) throw this.#unknown(plan.agent);
    if (known === undefined) await this.#begin(key, caller.node, plan);
    else await known.ready;
    return planAnswer(sessionId);
  }

  async #begin(key: string, from: NodeId, plan: PlanRequest): Promise<void> {
    for (const other of [...this.#arrivals.values()])
      if (other.plan.agent === plan.agent) await this.#supersede(other, from, plan);
    if (this.#arrivals.size >= ARRIVALS_MAX)
      throw new MigrationRefusedError(plan.agent, `${ARRIVALS_MAX} agents are on their way in already`);
    const arrival: Arrival = {
      key,
      plan,
      from,
      ready: this.#o.cells
        .admit(plan.agent, plan.meta, plan.estimatedBytes)
        .then(() => this.#expect(arrival)),
      state: "receiving",
      received: 0,
      hash: firstHash(this.#o.digests, plan.move),
      held: new Map(),
      pull: undefined,
      given: undefined,
      onReceived: new Set(),
      ended: false,
      staging: undefined,
      activation: undefined,
      lastByteMs: 0,
      liveMs: 0,
      timer: undefined,
    };
    this.#arrivals.set(key, arrival);
    this.#watchIdle(arrival);
    try {
      await arrival.ready;
      this.#refuseDropped(arrival);
    } catch (error) {
      await this.#drop(arrival);
      throw error;
    }
  }

  /** A newer move of the same agent: its source, or a higher epoch, proves that the older one is off (MA2). */
  async #supersede(old: Arrival, from: NodeId, { agent, epoch }: PlanRequest): Promise<void> {
    const proven = epoch > old.plan.epoch || (epoch === old.plan.epoch && from === old.from);
    if (!proven || old.state === "activating")
      throw new MigrationRefusedError(agent, "it is arriving here already");
    await this.#drop(old);
  }

  async #chunk(caller: Caller, request: ChunkRequest): Promise<Uint8Array> {
    const arrival = this.#find(caller, request.move);
    await arrival.ready;
    const { offset, bytes } = request;
    if (offset + bytes.length <= arrival.received) return numberAnswer(arrival.received);
    if (arrival.state !== "receiving" || arrival.ended)
      throw new ChunkCorruptError("it follows the last one");
    if (offset < arrival.received) throw new ChunkCorruptError("it overlaps another");
    if (arrival.held.size >= CHUNKS_HELD_MAX) throw new ChunkCorruptError("too many are waiting");
    this.#watchIdle(arrival);
    await new Promise<void>((resolve, reject) => {
      arrival.held.get(offset)?.taken();
      arrival.held.set(offset, {
        request,
        taken: (error) => (error === undefined ? resolve() : reject(error)),
      });
      this.#feed(arrival);
    });
    return numberAnswer(arrival.received);
  }

  /** Begin to build the agent; resolves when nothing more can be done without the first chunk. @throws what refuses it until then */
  async #expect(arrival: Arrival): Promise<void> {
    this.#refuseDropped(arrival);
    return new Promise((resolve, reject) => {
      arrival.staging = this.#build(arrival, resolve);
      arrival.staging.then(resolve, reject);
    });
  }

  #build(arrival: Arrival, asks: () => void): Promise<void> {
    const { agent, meta } = arrival.plan;
    const pull = (): Promise<Uint8Array | undefined> =>
      new Promise((resolve) => {
        asks();
        takeGiven(arrival);
        arrival.pull = resolve;
        this.#feed(arrival);
      });
    const staging = this.#o.cells.stage(agent, meta, pull);
    staging.then(
      () => takeGiven(arrival),
      (error: unknown) => this.#spoil(arrival, error),
    );
    return staging;
  }

  /** Hand the next chunk in order to whoever builds the agent (MA3). */
  #feed(arrival: Arrival): void {
    const { pull } = arrival;
    if (pull === undefined) return;
    const next = arrival.held.get(arrival.received);
    if (next === undefined) {
      if (!arrival.ended) return;
      arrival.pull = undefined;
      pull(undefined);
      return;
    }
    const { bytes, hash } = next.request;
    arrival.held.delete(arrival.received);
    const expected = nextHash(this.#o.digests, arrival.hash, bytes);
    if (!sameBytes(expected, hash)) {
      next.taken(new ChunkCorruptError("its running hash does not match"));
      void this.#drop(arrival);
      return;
    }
    arrival.hash = expected;
    arrival.received += bytes.length;
    arrival.lastByteMs = this.#o.clock.monotonicMs();
    arrival.pull = undefined;
    arrival.given = next;
    pull(bytes);
    tellReceived(arrival);
  }

  async #stage(caller: Caller, request: ReturnType<typeof readStage>): Promise<Uint8Array> {
    const arrival = this.#find(caller, request.move);
    await arrival.ready;
    // It may overtake the last chunks.
    while (arrival.state === "receiving" && arrival.received < request.total)
      await new Promise<void>((resolve) => arrival.onReceived.add(resolve));
    if (arrival.state === "receiving") {
      if (request.total !== arrival.received || !sameBytes(request.hash, arrival.hash))
        throw new ChunkCorruptError(`${arrival.received} bytes came of ${request.total}`);
      arrival.ended = true;
      this.#feed(arrival);
      await arrival.staging;
      if (arrival.state === "receiving") arrival.state = "staged";
      if (arrival.state === "staged") this.#watchStaged(arrival);
    }
    this.#refuseDropped(arrival);
    return EMPTY;
  }

  async #activated(caller: Caller, { move, epoch }: ReturnType<typeof readActivate>): Promise<Uint8Array> {
    const arrival = this.#finished.get(toHex(move)) ?? this.#find(caller, move);
    if (arrival.from !== caller.node || epoch !== nextEpoch(arrival.plan.epoch))
      throw this.#unknown(arrival.plan.agent);
    await this.#activate(arrival);
    return numberAnswer(arrival.liveMs);
  }

  async #activate(arrival: Arrival): Promise<void> {
    if (arrival.state === "receiving" || arrival.state === "dropped") throw this.#unknown(arrival.plan.agent);
    arrival.activation ??= this.#run(arrival);
    await arrival.activation;
  }

  async #run(arrival: Arrival): Promise<void> {
    const { agent, epoch } = arrival.plan;
    arrival.state = "activating";
    arrival.timer?.cancel();
    await this.#o.cells.activate(agent, nextEpoch(epoch));
    arrival.state = "live";
    arrival.liveMs = this.#o.clock.monotonicMs() - arrival.lastByteMs;
    this.#arrivals.delete(arrival.key);
    this.#finish(arrival);
    this.#o.onLive(agent, nextEpoch(epoch));
    this.#follow(arrival);
  }

  /** MA5. */
  #follow({ plan, from }: Arrival): void {
    const pages = this.#o.cells.postcopy?.incoming(plan.agent);
    if (pages === undefined) return;
    const { clock, timers } = this.#o;
    const call: ArrivalsOptions["call"] = (...args) => this.#o.call(...args);
    const onOver = (): void => void this.#followers.delete(follower);
    const follower = new PageFollower({ move: plan.move, from, pages, clock, timers, call, onOver });
    this.#followers.add(follower);
    follower.start();
  }

  async #abort(caller: Caller, move: Uint8Array): Promise<Uint8Array> {
    const arrival = this.#arrivals.get(toHex(move));
    if (arrival !== undefined && arrival.from === caller.node) await this.#drop(arrival);
    return EMPTY;
  }

  /** Drop what is not live. What is being activated is past dropping. */
  async #drop(arrival: Arrival): Promise<void> {
    if (arrival.state === "activating" || arrival.state === "live" || arrival.state === "dropped") return;
    arrival.state = "dropped";
    arrival.timer?.cancel();
    tellReceived(arrival);
    this.#arrivals.delete(arrival.key);
    refuseChunks(arrival, this.#unknown(arrival.plan.agent));
    await this.#o.cells.discard(arrival.plan.agent);
  }

  #spoil(arrival: Arrival, error: unknown): void {
    const why = error instanceof Error ? error.message : String(error);
    const { agent } = arrival.plan;
    refuseChunks(
      arrival,
      new MigrationAbortedError(agent, `the destination could not build it: ${why}`, error),
    );
    void this.#drop(arrival);
  }

  #watchIdle(arrival: Arrival): void {
    arrival.timer?.cancel();
    arrival.timer = this.#o.timers.schedule(IDLE_MS, () => void this.#drop(arrival));
  }

  #watchStaged(arrival: Arrival): void {
    arrival.timer?.cancel();
    arrival.timer = this.#o.timers.schedule(ASK_MS, () => void this.#ask(arrival));
  }

  /** Staged and no word from the source: the registry knows, or the source does (MA1, MA2). */
  async #ask(arrival: Arrival): Promise<void> {
    const { agent, epoch, move } = arrival.plan;
    try {
      const row = await this.#o.coordination().getAgent(agent);
      if (arrival.state !== "staged") return;
      if (row?.owner === this.#o.self && row.epoch === nextEpoch(epoch)) {
        await this.#activate(arrival);
        return;
      }
      if (row === undefined || row.epoch > epoch) {
        await this.#drop(arrival);
        return;
      }
      const options = { timeoutMs: ASK_MS };
      const underWay = readNumber(
        await this.#o.call(arrival.from, MOVE_METHODS.status, moveBody(move), options),
      );
      if (underWay === 0 && arrival.state === "staged") {
        await this.#drop(arrival);
        return;
      }
    } catch {
      // No answer is no reason to do anything: ask again.
    }
    if (arrival.state === "staged") this.#watchStaged(arrival);
  }

  #find(caller: Caller, move: Uint8Array): Arrival {
    const arrival = this.#arrivals.get(toHex(move));
    if (arrival === undefined || arrival.from !== caller.node)
      throw new MigrationRefusedError("", "the destination does not know this move");
    return arrival;
  }

  #finish(arrival: Arrival): void {
    this.#finished.set(arrival.key, arrival);
    if (this.#finished.size <= FINISHED_MAX) return;
    for (const oldest of this.#finished.keys()) {
      this.#finished.delete(oldest);
      return;
    }
  }

  #refuseDropped({ state, plan }: Arrival): void {
    if (state === "dropped") throw this.#unknown(plan.agent);
  }

  #unknown(agent: AgentId): MigrationRefusedError {
    return new MigrationRefusedError(agent, "the destination does not know this move");
  }
}

/** MA3. */
function takeGiven(arrival: Arrival): void {
  arrival.given?.taken();
  arrival.given = undefined;
}

function refuseChunks(arrival: Arrival, why: Error): void {
  arrival.given?.taken(why);
  arrival.given = undefined;
  for (const { taken } of arrival.held.values()) taken(why);
  arrival.held.clear();
}

function tellReceived({ onReceived }: Arrival): void {
  for (const tell of onReceived) tell();
  onReceived.clear();
}
