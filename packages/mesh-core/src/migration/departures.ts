/**
 * Moving agents away: the source's side of a move (docs/spec/migration.md).
 *
 * MG1. The compare-and-swap of the epoch is the only commit point, and only the source issues it. Before it is sent, the source may go on
 *      with its copy at once; after, only the registry decides.
 * MG2. An unknown outcome keeps the agent frozen: the registry is read until it answers. A timeout never resumes.
 * MG3. Past the deadline the source tries to abort by compare-and-swap (A -> A, e+1); whichever swap won is what happens.
 * MG4. After the commit the source retires its copy and answers Moved; it never runs it again.
 * MG5. One move per agent at a time.
 * MG7. A move that is cancelled stops at once before its swap was sent; after, it aborts as past the deadline. Whoever cancels is told which it was.
 * MG9. When everything is on its way, senders are told where the agent is about to be; if it goes on here they are told that. What they send there
 *      meanwhile counts only once the agent runs there.
 * MG6. Rounds of pre-copy are the first part of the one stream that crosses, under its running hash; whatever fails in them changes nothing: the
 *      agent never stopped.
 * MG8. After the commit of a post-copy the source keeps the agent's pages until the destination has them all, or is silent; the report comes after that.
 *      Whatever becomes of it, rule MG4 holds. The row goes on naming the replica it named: nothing is acknowledged for the agent before it is whole.
 */

import { type AgentId, type Epoch, type NodeId, nextEpoch, toHex } from "@glia-os/abi/ids";
import type { AgentRow, Clock, Coordination, Digests, HostPort, Random, Timers } from "@glia-os/abi/ports";
import {
  MeshStoppedError,
  MigrationAbortedError,
  MigrationCancelledError,
  MigrationFencedError,
  MigrationInProgressError,
  MigrationRefusedError,
  MigrationUnconfirmedError,
  NoMigrationError,
  NotHostedError,
} from "../errors.ts";
import type { CallBody, CallOptions } from "../mesh-types.ts";
import type { AgentDescription, ChunkSource, MigratableCells, Moved, PieceSource } from "./cells-port.ts";
import { chunkCall } from "./chunk-call.ts";
import {
  activateBody,
  CHUNK_MAX,
  chunkBody,
  firstHash,
  META_MAX,
  MOVE_ID_BYTES,
  MOVE_METHODS,
  moveBody,
  nextHash,
  planBody,
  readNumber,
  readPlanAnswer,
  stageBody,
} from "./messages.ts";
import type { PagesServed } from "./pages-served.ts";
import type { MigrateOptions, MigrationPhase, MigrationReport, MigrationStrategy } from "./phase.ts";
import { Timeline } from "./timeline.ts";
import { isUnknownOutcome } from "./unknown-outcome.ts";

/** Chunks on their way at once. */
export const CHUNKS_IN_FLIGHT = 4;
const RESEND_MS = 500;
const CALL_MS = 10_000;
const CONFIRM_MS = 30_000;
const REGISTRY_RETRY_MS = 200;
/** Memory from which on `auto` copies in rounds first: less crosses in some milliseconds. */
const PRECOPY_LEAST_BYTES = 4 * 1024 * 1024;

/** What departures need from the node. */
export interface DeparturesOptions {
  readonly self: NodeId;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly digests: Digests;
  readonly cells: MigratableCells;
  /** Where pages are served from; undefined when agents do not move by post-copy. */
  readonly pages: PagesServed | undefined;
  readonly deadlineMs: number;
  coordination(): Coordination;
  sessionId(): string;
  addressOf(node: NodeId): HostPort | undefined;
  call(node: NodeId, method: string, body: CallBody, options: CallOptions): Promise<Uint8Array>;
  onPhase(agent: AgentId, to: NodeId, phase: MigrationPhase): void;
  /** It is about to be elsewhere: what is sent there is taken when it is. */
  onLeaving(moved: Moved): void;
  onMoved(moved: Moved): void;
  onResumed(agent: AgentId, epoch: Epoch): void;
}

/** Of a session id, what tells the sessions of one node apart. */
const SESSION_TAIL = 16;

interface Move {
  readonly id: Uint8Array;
  readonly agent: AgentId;
  readonly to: NodeId;
  readonly epoch: Epoch;
  /** What the row says before the move and after it. */
  readonly status: "running" | "suspended";
  readonly timeline: Timeline;
  /** Who may take the agent over after the commit; undefined for nobody. Only of a post-copy (MG8). */
  heirs: readonly NodeId[] | undefined;
  /** Where the stream of state stands: bytes handed to the wire, and the running hash after them. */
  readonly stream: { bytes: number; hash: Uint8Array };
  /** Set when the pre-commit part is given up: the transfer stops at the next chunk. */
  cancelled: boolean;
  /** Somebody asked for the end of the move (MG7), and who waits to hear of it. */
  unwanted: boolean;
  readonly onUnwanted: Set<() => void>;
  /** Settles when the move is over: whether it was committed. */
  readonly over: { readonly promise: Promise<boolean>; readonly settle: (committed: boolean) => void };
}

function ending(): Move["over"] {
  let settle: (committed: boolean) => void = () => undefined;
  const promise = new Promise<boolean>((resolve) => {
    settle = resolve;
  });
  return { promise, settle };
}

type Decision =
  | { readonly kind: "committed"; readonly epoch: Epoch }
  | { readonly kind: "kept"; readonly epoch: Epoch; readonly cause: unknown }
  | { readonly kind: "fenced"; readonly row: AgentRow | undefined };

/** Every move this node is the source of. */
export class Departures {
  readonly #o: DeparturesOptions;
  readonly #moves = new Map<AgentId, Move>();
  #stopped = false;

  constructor(options: DeparturesOptions) {
    this.#o = options;
  }

  /** Moves that wait for the registry give up waiting; their agents stay frozen. */
  stop(): void {
    this.#stopped = true;
  }

  /** Whether a move with this id is under way, for a destination that wonders. */
  underWay(id: Uint8Array): boolean {
    const wanted = toHex(id);
    return [...this.#moves.values()].some((move) => toHex(move.id) === wanted);
  }

  /** Move an agent of this node. */
  async migrate(agent: AgentId, to: NodeId, options: MigrateOptions = {}): Promise<MigrationReport> {
    if (this.#moves.has(agent)) throw new MigrationInProgressError(agent);
    const description = this.#o.cells.describe(agent);
    if (description === undefined) throw new NotHostedError(agent);
    if (to === this.#o.self) throw new MigrationRefusedError(agent, "it is on that node already");
    if (description.meta.length > META_MAX)
      throw new MigrationRefusedError(agent, `its description has more than ${META_MAX} bytes`);
    const timeline = new Timeline(this.#o.clock, (phase) => this.#o.onPhase(agent, to, phase));
    const id = this.#o.random.bytes(new Uint8Array(MOVE_ID_BYTES));
    const stream = { bytes: 0, hash: firstHash(this.#o.digests, id) };
    const { epoch, suspended } = description;
    const status = suspended === true ? "suspended" : "running";
    const over = ending();
    const fresh = {
      heirs: undefined,
      cancelled: false,
      unwanted: false,
      onUnwanted: new Set<() => void>(),
      over,
    };
    const move: Move = { id, agent, to, epoch, status, timeline, stream, ...fresh };
    this.#moves.set(agent, move);
    try {
      return await this.#run(move, description, options.strategy ?? "auto");
    } finally {
      this.#forget(move);
      timeline.finish();
      over.settle(false);
      await this.#o.pages?.close(id);
    }
  }

  #forget(move: Move): void {
    if (this.#moves.get(move.agent) === move) this.#moves.delete(move.agent);
  }

  /** Roll a move back, if it is not committed yet (MG7): whether that was in time. @throws {NoMigrationError} when the agent does not move */
  async cancel(agent: AgentId): Promise<boolean> {
    const move = this.#moves.get(agent);
    if (move === undefined) throw new NoMigrationError(agent);
    move.unwanted = true;
    for (const tell of move.onUnwanted) tell();
    return !(await move.over.promise);
  }

  async #run(
    move: Move,
    description: AgentDescription,
    wanted: "auto" | MigrationStrategy,
  ): Promise<MigrationReport> {
    const { timeline } = move;
    timeline.enter("planning");
    const destinationSession = await this.#plan(move, description);
    const strategy = await this.#firstPart(move, wanted);
    timeline.enter("frozen");
    const frozenMs = timeline.elapsedMs();
    const bytes = await this.#transfer(move);
    timeline.enter("commit");
    const decision = await this.#commit(move, destinationSession);
    if (decision.kind === "kept") await this.#resume(move, decision.epoch, decision.cause);
    if (decision.kind === "fenced") return this.#fenced(move, decision.row);
    move.over.settle(true);
    timeline.enter("live");
    const { destinationMs, liveMs } = await this.#handOver(
      move,
      decision.kind === "committed" ? decision.epoch : move.epoch,
    );
    const downtimeMs = liveMs - frozenMs;
    // The agent is not here any more: it may come back, and go again, while its pages are still looked after.
    this.#forget(move);
    const pages = isByPages(strategy) ? await this.#servePages(move) : 0;
    const phases = timeline.finish();
    const { agent, to } = move;
    const [from, epoch] = [this.#o.self, nextEpoch(move.epoch)];
    return { agent, from, to, strategy, epoch, bytes: bytes + pages, phases, downtimeMs, destinationMs };
  }

  /** MG8. */
  async #servePages(move: Move): Promise<number> {
    move.timeline.enter("pages");
    try {
      const bytes = (await this.#o.pages?.finished(move.id)) ?? 0;
      move.timeline.addBytes(bytes);
      return bytes;
    } catch (error) {
      throw new MigrationUnconfirmedError(move.agent, move.to, error);
    }
  }

  async #plan(move: Move, { meta, estimatedBytes, epoch }: AgentDescription): Promise<string> {
    const { id, agent, to } = move;
    try {
      const body = planBody({ move: id, agent, epoch, estimatedBytes, meta });
      return await this.#whileWanted(move, async () =>
        readPlanAnswer(await this.#call(to, MOVE_METHODS.plan, body, CALL_MS)),
      );
    } catch (error) {
      this.#tellAbort(move);
      if (move.unwanted) throw new MigrationCancelledError(agent);
      const why = error instanceof Error ? error.message : String(error);
      throw new MigrationRefusedError(agent, `the destination does not take it: ${why}`, error);
    }
  }

  /** What crosses while the agent runs, where that is worth it and can be had (MG6). */
  async #firstPart(move: Move, wanted: "auto" | MigrationStrategy): Promise<MigrationStrategy> {
    const { precopy } = this.#o.cells;
    if (wanted === "stop-and-copy" || (precopy === undefined && !isByPages(wanted))) return "stop-and-copy";
    const least = wanted === "auto" ? PRECOPY_LEAST_BYTES : 0;
    try {
      const source = isByPages(wanted)
        ? await this.#beginPages(move, wanted)
        : await precopy?.begin(move.agent, least);
      if (source === undefined) return "stop-and-copy";
      move.timeline.enter("pre-copy");
      await this.#withDeadline(move, () => this.#sendChunks(move, source));
      return isByPages(wanted) ? wanted : "pre-copy";
    } catch (error) {
      move.cancelled = true;
      this.#tellAbort(move);
      await precopy?.giveUp(move.agent);
      if (move.unwanted) throw new MigrationCancelledError(move.agent);
      if (error instanceof MigrationRefusedError) throw error;
      const why = error instanceof Error ? error.message : String(error);
      throw new MigrationAbortedError(move.agent, why, error);
    }
  }

  /** MG8. @throws {MigrationRefusedError} for an agent, or a node, that cannot do it */
  async #beginPages(move: Move, wanted: MigrationStrategy): Promise<PieceSource | undefined> {
    const { agent, to, id } = move;
    const { postcopy } = this.#o.cells;
    if (postcopy === undefined || this.#o.pages === undefined)
      throw new MigrationRefusedError(agent, "this node does not move agents by post-copy");
    const row = await this.#o.coordination().getAgent(agent);
    if (row?.replicas?.includes(to) === true)
      throw new MigrationRefusedError(
        agent,
        `its replica is on the destination, so that one failure would lose both: ${wanted} needs another one`,
      );
    move.heirs = row?.replicas;
    try {
      const source = await postcopy.begin(agent, toHex(id), wanted === "hybrid");
      if (source !== undefined) this.#o.pages.open(id, to);
      return source;
    } catch (error) {
      throw new MigrationRefusedError(agent, error instanceof Error ? error.message : String(error), error);
    }
  }

  /** Freeze, send, stage. Any failure before the commit was sent lets the agent go on here at once (MG1). */
  async #transfer(move: Move): Promise<number> {
    const freezing = this.#o.cells.freeze(move.agent);
    let frozen = false;
    try {
      return await this.#withDeadline(move, async () => {
        const source = await freezing;
        frozen = true;
        const arriving = await this.#putChunks(move, source);
        const { bytes: total, hash } = move.stream;
        move.timeline.enter("staged");
        const leftMs = Math.max(1, this.#o.deadlineMs - move.timeline.elapsedMs());
        // Beside the last chunks: the destination waits for them.
        const staged = this.#call(move.to, MOVE_METHODS.stage, stageBody(move.id, total, hash), leftMs);
        this.#sendAhead(move);
        await Promise.all([...arriving, staged]);
        return total;
      });
    } catch (error) {
      move.cancelled = true;
      if (!frozen) await this.#settleFreeze(move, freezing);
      return this.#resume(move, move.epoch, error);
    }
  }

  /** Who has a message for the agent sends it after it: it is there when the agent runs (MG9). */
  #sendAhead({ agent, epoch, to, cancelled, unwanted }: Move): void {
    if (cancelled || unwanted) return;
    const moved = { agent, epoch, owner: to, address: this.#o.addressOf(to) };
    if (this.#o.cells.leaving?.(moved) === true) this.#o.onLeaving(moved);
  }

  async #settleFreeze(move: Move, freezing: Promise<ChunkSource>): Promise<void> {
    try {
      await freezing;
    } catch (error) {
      this.#tellAbort(move);
      if (move.unwanted) throw new MigrationCancelledError(move.agent);
      throw new MigrationRefusedError(move.agent, "it could not be frozen", error);
    }
  }

  /** All chunks of a source, in the order of the one stream; resolves when the destination has taken them. */
  async #sendChunks(move: Move, source: PieceSource): Promise<void> {
    await Promise.all(await this.#putChunks(move, source));
  }

  /** As {@link #sendChunks}; resolves when all are on their way, with the calls that are not answered. */
  async #putChunks(move: Move, source: PieceSource): Promise<readonly Promise<unknown>[]> {
    const { stream } = move;
    const inFlight: Promise<unknown>[] = [];
    const taken = (): Promise<unknown> => Promise.all(inFlight);
    for (let chunk = await source(taken); chunk !== undefined; chunk = await source(taken)) {
      if (move.cancelled) break;
      if (chunk.length === 0 || chunk.length > CHUNK_MAX)
        throw new MigrationRefusedError(move.agent, `a chunk of its snapshot has ${chunk.length} bytes`);
      stream.hash = nextHash(this.#o.digests, stream.hash, chunk);
      const body = chunkBody({ move: move.id, offset: stream.bytes, hash: stream.hash, bytes: chunk });
      const how = chunkCall(chunk.length);
      const sent = this.#call(move.to, MOVE_METHODS.chunk, body, this.#o.deadlineMs, how);
      // A failure is seen when the window or the end waits for this chunk; until then it must not count as unhandled.
      sent.catch(() => undefined);
      inFlight.push(sent);
      stream.bytes += chunk.length;
      move.timeline.addBytes(chunk.length);
      if (inFlight.length >= CHUNKS_IN_FLIGHT) await inFlight.shift();
    }
    return inFlight;
  }

  /** The one commit point (MG1-MG3). Returns only when the registry's answer is known. */
  async #commit(move: Move, destinationSession: string): Promise<Decision> {
    const { agent, epoch, to, id, status, heirs } = move;
    const named = heirs === undefined ? {} : { replicas: heirs };
    const commit = { owner: to, sessionId: destinationSession, status, ...named } as const;
    let unknown: unknown;
    for (;;) {
      const late = move.unwanted || move.timeline.elapsedMs() > this.#o.deadlineMs;
      // Before anything was sent, being late is a plain abort: nothing is in doubt.
      if (late && unknown === undefined) return { kind: "kept", epoch, cause: "the deadline passed" };
      try {
        const row = unknown === undefined ? undefined : await this.#o.coordination().getAgent(agent);
        if (row !== undefined && row.epoch !== epoch) return this.#decide(move, row, unknown);
        // Under this node's session of now: the one of before may have ended behind the cut that made it late. Each is a request of its own.
        const sessionId = this.#o.sessionId();
        const change = late ? ({ owner: this.#o.self, sessionId, status } as const) : commit;
        const requestId = `${toHex(id)}/${late ? `abort/${sessionId.slice(-SESSION_TAIL)}` : "commit"}`;
        const outcome = await this.#o.coordination().compareAndSwap(agent, epoch, change, requestId);
        return this.#decide(move, outcome.kind === "unknown-agent" ? undefined : outcome.row, unknown);
      } catch (error) {
        if (!isUnknownOutcome(error)) {
          // A refusal changed nothing; but an earlier attempt may have, so then the registry is read again.
          if (unknown === undefined) return { kind: "kept", epoch, cause: error };
        }
        if (this.#stopped) throw new MeshStoppedError();
        unknown = error;
        await this.#pause(REGISTRY_RETRY_MS);
      }
    }
  }

  #decide({ epoch, to }: Move, row: AgentRow | undefined, cause: unknown): Decision {
    if (row?.owner === to && row.epoch === nextEpoch(epoch)) return { kind: "committed", epoch: row.epoch };
    if (row?.owner === this.#o.self && row.status !== "terminated")
      return { kind: "kept", epoch: row.epoch, cause: cause ?? "the registry kept it here" };
    return { kind: "fenced", row };
  }

  /** After the commit: the source's copy is over (MG4), the destination's begins. */
  async #handOver(
    move: Move,
    epoch: Epoch,
  ): Promise<{ readonly destinationMs: number; readonly liveMs: number }> {
    const { agent, to, id } = move;
    const retired = this.#retire({ agent, epoch, owner: to, address: this.#o.addressOf(to) });
    try {
      const answer = await this.#call(to, MOVE_METHODS.activate, activateBody(id, epoch), CONFIRM_MS);
      return { destinationMs: readNumber(answer), liveMs: move.timeline.elapsedMs() };
    } catch (error) {
      throw new MigrationUnconfirmedError(agent, to, error);
    } finally {
      await retired;
    }
  }

  async #retire(moved: Moved): Promise<void> {
    const retired = this.#o.cells.retire(moved.agent, moved);
    // Before its copy is gone, which may take a disk's time: whoever waits need not wait for that.
    this.#o.onMoved(moved);
    await retired;
  }

  async #resume(move: Move, epoch: Epoch, cause: unknown): Promise<never> {
    this.#tellAbort(move);
    await this.#o.cells.thaw(move.agent, epoch);
    this.#o.onResumed(move.agent, epoch);
    if (move.unwanted) throw new MigrationCancelledError(move.agent);
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new MigrationAbortedError(move.agent, why, cause);
  }

  async #fenced({ agent }: Move, row: AgentRow | undefined): Promise<never> {
    const owner = row?.owner ?? this.#o.self;
    const epoch = row?.epoch ?? nextEpoch(1 as Epoch);
    await this.#retire({ agent, epoch, owner, address: this.#o.addressOf(owner) });
    throw new MigrationFencedError(agent, owner);
  }

  #tellAbort({ to, id }: Move): void {
    this.#o
      .call(to, MOVE_METHODS.abort, moveBody(id), { timeoutMs: CALL_MS, resendMs: RESEND_MS })
      .catch(() => {
        // The destination asks `move.status` by itself when it does not hear this.
      });
  }

  #call(
    to: NodeId,
    method: string,
    body: CallBody,
    timeoutMs: number,
    how: CallOptions = { resendMs: RESEND_MS },
  ): Promise<Uint8Array> {
    return this.#o.call(to, method, body, { ...how, timeoutMs });
  }

  /** `work`, unless the move is cancelled before it is done (MG7). */
  #whileWanted<Result>(move: Move, work: () => Promise<Result>): Promise<Result> {
    return new Promise((resolve, reject) => {
      const unwanted = (): void => reject(new MigrationCancelledError(move.agent));
      if (move.unwanted) return unwanted();
      move.onUnwanted.add(unwanted);
      work()
        .then(resolve, reject)
        .finally(() => move.onUnwanted.delete(unwanted));
    });
  }

  #withDeadline<Result>(move: Move, work: () => Promise<Result>): Promise<Result> {
    return this.#whileWanted(move, () => this.#beforeDeadline(move, work));
  }

  #beforeDeadline<Result>(move: Move, work: () => Promise<Result>): Promise<Result> {
    return new Promise((resolve, reject) => {
      const leftMs = Math.max(0, this.#o.deadlineMs - move.timeline.elapsedMs());
      const timer = this.#o.timers.schedule(leftMs, () =>
        reject(new MigrationAbortedError(move.agent, `it took longer than ${this.#o.deadlineMs} ms`)),
      );
      work()
        .then(resolve, reject)
        .finally(() => timer.cancel());
    });
  }

  #pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.#o.timers.schedule(delayMs, resolve);
    });
  }
}

/** Whether pages cross after the commit. */
function isByPages(strategy: "auto" | MigrationStrategy): strategy is "post-copy" | "hybrid" {
  return strategy === "post-copy" || strategy === "hybrid";
}
