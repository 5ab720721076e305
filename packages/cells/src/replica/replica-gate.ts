/**
 * Replicas beside a gate: sits between the mesh and the gate, and between the gate and its runner, and sees what goes through
 * (docs/spec/replica.md). Cells without a replica pass untouched.
 *
 * RT1. A cell with a replica takes messages only while what it takes is held sooner or later; its answers to senders, and its replies, wait until it is.
 * RT2. A checkpoint's position, link table and mailbox are those of the moment in which the runner told of it (RQ2).
 * RT3. One checkpoint of a cell is taken at a time.
 * RT4. What a cell that ended said last, and no replica has, leaves when its row is ended: no other node goes on with it from then on.
 */
import type { AgentId, Epoch } from "@glia-os/abi/ids";
import type { Clock } from "@glia-os/abi/ports";
import type { ChunkSource, LinkMessage, LinkVerdict, MeshCells } from "@glia-os/mesh-core";
import { type AgentManifest, encodeManifest } from "../agent-manifest.ts";
import type { CellGate } from "../cell-gate.ts";
import { NotHereError, TooManyCellsError } from "../errors.ts";
import { encodeHead } from "../frozen-cell.ts";
import type { CellGateEvents } from "../gate-options.ts";
import type { PagesRunnerPort } from "../postcopy/pages-port.ts";
import type { CellGatePort, CellRunnerPort, MailItem } from "../runner-port.ts";
import { encodeAside } from "./checkpoint-aside.ts";
import { holdsCapabilities, replicaOf } from "./grants.ts";
import type { CellOutputs } from "./outputs.ts";
import { type Copy, rebuilt } from "./rebuild.ts";
import type { CheckpointFacts, Rebuild, ReplicaPort, ReplicaRunnerPort } from "./replica-ports.ts";
import { type EntryFeed, ReplicatedCell } from "./replicated-cell.ts";

/** A sender asks again after this time while there is no replica, in milliseconds. */
export const UNFED_RETRY_MS = 50;

/** A state of an agent: where it is in the log, its head, and the guest's bytes. */
export interface CellCheckpoint {
  readonly position: number;
  readonly head: Uint8Array;
  readonly chunks: ChunkSource;
}

/** Who feeds replicas. */
export interface ReplicaFeeder {
  /** The cell runs here: feed a replica of it. */
  begin(cell: ReplicatedCell): EntryFeed;
  /** It does not any more; `keeps`: what its replica has stays good until there is something newer. */
  end(agent: AgentId, keeps?: boolean): void;
}

interface Taking {
  readonly number: number;
  readonly done: (checkpoint: CellCheckpoint) => void;
  readonly failed: (why: Error) => void;
}

/** The replicas of the cells of one gate. */
export class ReplicaGate implements ReplicaPort {
  readonly #runner: CellRunnerPort & ReplicaRunnerPort;
  readonly #clock: Clock;
  readonly #cells = new Map<AgentId, ReplicatedCell>();
  readonly #rebuilds = new Map<AgentId, Rebuild>();
  readonly #manifests = new Map<AgentId, AgentManifest>();
  readonly #taking = new Map<AgentId, Taking>();
  /** Cells that are read for a post-copy: the copy of one that leaves so stays good (docs/spec/postcopy.md). */
  readonly #leaving = new Set<AgentId>();
  #outputs: CellOutputs | undefined;
  #gate: CellGate | undefined;
  #feeder: ReplicaFeeder | undefined;
  #events: CellGateEvents | undefined;
  #numbers = 0;

  constructor(runner: CellRunnerPort & ReplicaRunnerPort, clock: Clock) {
    this.#runner = runner;
    this.#clock = clock;
  }

  /** Cells start to be fed with this. */
  bind(feeder: ReplicaFeeder): void {
    this.#feeder = feeder;
  }

  /** What cells with a replica ask for is done by this. Without it none may hold capabilities. */
  send(outputs: CellOutputs): void {
    this.#outputs = outputs;
  }

  /** A cell with a replica that is here. */
  get(agent: AgentId): ReplicatedCell | undefined {
    return this.#cells.get(agent);
  }

  /** The runner as the gate sees it. */
  runner(): CellRunnerPort {
    const runner = this.#runner;
    const seen: Partial<CellRunnerPort> = {
      start: async (agent, manifest, first) => {
        this.#know(agent, manifest);
        await runner.start(agent, manifest, first);
        this.#begin(agent);
      },
      deliver: (agent, item) => {
        this.#accepted(agent, item);
        runner.deliver(agent, item);
      },
      expect: async (agent, manifest) => {
        this.#know(agent, manifest);
        if (!this.#rebuilds.has(agent)) await runner.expect(agent, manifest);
      },
      stage: async (agent, ahead) => {
        if (!this.#rebuilds.has(agent)) await runner.stage(agent, ahead);
      },
      finishImage: async (agent, mail) => {
        this.#cells.get(agent)?.mailbox.push(...mail.mailbox);
        const from = this.#rebuilds.get(agent);
        const manifest = this.#manifests.get(agent);
        if (from === undefined || manifest === undefined) return runner.finishImage(agent, mail);
        this.#rebuilds.delete(agent);
        await runner.rebuild(agent, manifest, from, mail);
      },
      stopAhead: async (agent) => {
        this.#leaving.delete(agent);
        await runner.stopAhead(agent);
      },
      thaw: async (agent) => {
        this.#leaving.delete(agent);
        await runner.thaw(agent);
      },
      drop: async (agent) => {
        const cell = this.#cells.get(agent);
        this.#forget(agent);
        cell?.end(false);
        await runner.drop(agent);
      },
    };
    return delegating<CellRunnerPort>(runner, seen);
  }

  /** The gate's events, with replies that wait. */
  events(events: CellGateEvents): CellGateEvents {
    this.#events = events;
    return {
      replyReady: (agent, asker, payload) => {
        const cell = this.#cells.get(agent);
        if (cell === undefined) events.replyReady(agent, asker, payload);
        else cell.reply(asker, payload);
      },
      cellEnded: (agent, epoch, end) => {
        const cell = this.#cells.get(agent);
        const over = (isHeld: boolean): void => {
          this.#forget(agent);
          cell?.end(isHeld);
          const rowEnds = events.cellEnded(agent, epoch, end);
          if (isHeld || cell === undefined || rowEnds === undefined) return;
          void rowEnds.then(
            (isOver) => cell.end(isOver),
            () => undefined,
          );
        };
        // Its end is something that it says, too: it leaves after its replies.
        const held = cell?.whenHeld();
        if (held === undefined) over(cell?.begun === true);
        else
          held.then(
            () => over(true),
            () => over(false),
          );
      },
    };
  }

  /** What runners report, on its way to the gate. */
  port(gate: CellGatePort): CellGatePort & ReplicaPort {
    return {
      taken: (agent, count, bytes) => {
        this.#cells.get(agent)?.taken(count);
        gate.taken(agent, count, bytes);
      },
      replied: (agent, asker, payload) => gate.replied(agent, asker, payload),
      ended: (agent, end) => gate.ended(agent, end),
      inputs: (agent, entry, outputs) => this.inputs(agent, entry, outputs),
      wantsHeld: (agent, number) => this.wantsHeld(agent, number),
      checkpointed: (agent, number, facts) => this.checkpointed(agent, number, facts),
    };
  }

  /** The gate as the mesh sees it. */
  cells<Gate extends CellGate>(gate: Gate): Gate {
    this.#gate = gate;
    const seen: Pick<MeshCells, "deliver" | "linkClosed" | "activate"> = {
      deliver: (message) => this.#deliver(gate, message),
      linkClosed: (agent, link) => {
        gate.linkClosed(agent, link);
        this.#cells.get(agent)?.closed(link);
      },
      activate: async (agent, epoch) => {
        const pages = gate.postcopy?.incoming(agent);
        await gate.activate(agent, epoch);
        // Until it is whole the copy that its source's replica has counts: it takes no messages, and its replies wait (RT1).
        if (pages === undefined) this.#begin(agent);
        else void pages.whole.then(() => this.#begin(agent)).catch(() => undefined);
      },
    };
    return delegating<Gate>(gate, seen);
  }

  /** Moves by post-copy as the gate sees them. */
  pages(pages: PagesRunnerPort): PagesRunnerPort {
    const seen: Pick<PagesRunnerPort, "beginPages"> = {
      beginPages: async (agent, move, rounds) => {
        const first = await pages.beginPages(agent, move, rounds);
        if (first !== undefined) this.#leaving.add(agent);
        return first;
      },
    };
    return delegating<PagesRunnerPort>(pages, seen);
  }

  inputs(agent: AgentId, entry: Uint8Array, outputs?: Uint8Array): void {
    const cell = this.#cells.get(agent);
    if (cell === undefined) return;
    cell.given(entry);
    if (outputs !== undefined) this.#outputs?.said(agent, outputs);
  }

  wantsHeld(agent: AgentId, number: number): void {
    this.#cells.get(agent)?.when(() => this.#runner.heldUpTo(agent, number));
  }

  /** RT2. */
  checkpointed(agent: AgentId, number: number, facts: CheckpointFacts | undefined): void {
    const taking = this.#taking.get(agent);
    if (taking?.number !== number) return;
    this.#taking.delete(agent);
    const cell = this.#cells.get(agent);
    const links = this.#gate?.links(agent);
    const stands = this.#gate?.stands(agent);
    if (facts === undefined || cell === undefined || links === undefined || stands === undefined) {
      taking.failed(new NotHereError(agent));
      return;
    }
    const mail = { ...facts, mailbox: [...cell.mailbox] };
    const head = this.#headOf(cell, encodeHead({ links, mail, suspended: stands.suspended }), facts);
    const chunks = (): Promise<Uint8Array | undefined> => this.#runner.readCheckpoint(agent, number);
    taking.done({ position: cell.position, head, chunks });
  }

  /** The head of a checkpoint, and what is beside it. */
  #headOf({ agent }: ReplicatedCell, head: Uint8Array, { begun, rest }: CheckpointFacts): Uint8Array {
    const keeps = this.#outputs?.keeps(agent) === true;
    const aside = encodeAside({ begun, rest, outputs: keeps ? this.#outputs?.state(agent) : undefined });
    const joined = new Uint8Array(head.length + aside.length);
    joined.set(head);
    joined.set(aside, head.length);
    return joined;
  }

  /** Take a checkpoint of a cell that runs or is suspended here. @throws {NotHereError} when none can be taken now */
  async checkpoint(agent: AgentId, whole: boolean): Promise<CellCheckpoint> {
    const state = this.#gate?.stands(agent)?.state;
    if (this.#taking.has(agent) || (state !== "running" && state !== "suspended"))
      throw new NotHereError(agent);
    const { promise, resolve, reject } = Promise.withResolvers<CellCheckpoint>();
    const number = ++this.#numbers;
    this.#taking.set(agent, { number, done: resolve, failed: reject });
    this.#runner.checkpoint(agent, number, whole);
    return promise;
  }

  /**
   * The agent is this node's: build it from a copy and run it. What fails ends the agent with its error. @throws {TooManyCellsError}
   * when this node has no room: nothing was changed, and the copy is good for another attempt
   */
  async adopt(agent: AgentId, copy: Copy, epoch: Epoch, suspended: boolean): Promise<void> {
    const gate = this.#gate;
    if (gate === undefined) throw new NotHereError(agent);
    try {
      const { head, from } = rebuilt(agent, copy, {
        nowMs: this.#clock.monotonicMs(),
        suspended,
        outputs: this.#outputs,
      });
      this.#rebuilds.set(agent, from);
      let given = false;
      await gate.stage(agent, copy.meta, async () => {
        if (given) return undefined;
        given = true;
        return head;
      });
      await gate.activate(agent, epoch);
      this.#begin(agent);
    } catch (error) {
      this.#rebuilds.delete(agent);
      this.#forget(agent);
      if (error instanceof TooManyCellsError) throw error;
      const message = error instanceof Error ? error.message : String(error);
      this.#events?.cellEnded(agent, epoch, { kind: "failed", message });
    }
  }

  /** Resolves when everything given so far of a cell is held; undefined when it is, and for one without a replica. */
  whenHeld(agent: AgentId): Promise<void> | undefined {
    return this.#cells.get(agent)?.whenHeld();
  }

  /**
   * The code of a cell that stands still was exchanged, with this mailbox. Its replica keeps the copy of before until it has a whole one of now, and
   * nothing of the new code is acknowledged before (RT1): so whoever takes over has the old code and its state, or the new.
   */
  exchanged(agent: AgentId, manifest: AgentManifest, mailbox: readonly MailItem[]): void {
    const cell = this.#cells.get(agent);
    if (cell === undefined) return;
    this.#taking.get(agent)?.failed(new NotHereError(agent));
    this.#taking.delete(agent);
    if (cell.begun) this.#feeder?.end(agent, true);
    cell.renew(encodeManifest(manifest), mailbox);
    this.#manifests.set(agent, manifest);
    if (holdsCapabilities(manifest) && this.#outputs?.keeps(agent) === false) this.#outputs.open(cell, true);
    this.#begin(agent);
  }

  /** RT1. */
  #deliver(gate: CellGate, message: LinkMessage): LinkVerdict {
    const cell = this.#cells.get(message.agent);
    if (cell === undefined) return gate.deliver(message);
    if (!cell.open) return { kind: "retry", retryAfterMs: UNFED_RETRY_MS };
    cell.sawFloor(message.link, message.floor);
    const verdict = gate.deliver(message);
    const kept = "next" in verdict ? cell.whenHeld() : undefined;
    return kept === undefined ? verdict : { ...(verdict as Extract<LinkVerdict, { next: number }>), kept };
  }

  #accepted(agent: AgentId, item: MailItem): void {
    const cell = this.#cells.get(agent);
    cell?.accepted(item);
    if (cell !== undefined) this.#outputs?.accepted(agent, item.payload);
  }

  #know(agent: AgentId, manifest: AgentManifest): void {
    const wish = replicaOf(manifest);
    if (wish === undefined) return;
    this.#manifests.set(agent, manifest);
    const send = (...reply: Parameters<ReplicatedCell["reply"]>): void =>
      this.#events?.replyReady(agent, ...reply);
    const cell = new ReplicatedCell(agent, encodeManifest(manifest), wish, send);
    this.#cells.set(agent, cell);
    this.#outputs?.open(cell, holdsCapabilities(manifest));
  }

  #begin(agent: AgentId): void {
    const cell = this.#cells.get(agent);
    if (cell === undefined || cell.begun || this.#feeder === undefined) return;
    cell.begin(this.#feeder.begin(cell));
  }

  #forget(agent: AgentId): void {
    this.#manifests.delete(agent);
    this.#taking.get(agent)?.failed(new NotHereError(agent));
    this.#taking.delete(agent);
    const keeps = this.#leaving.delete(agent);
    const cell = this.#cells.get(agent);
    if (cell === undefined) return;
    this.#cells.delete(agent);
    this.#outputs?.close(agent);
    if (cell.begun) this.#feeder?.end(agent, keeps);
    cell.lost();
  }
}

/** `target` with some of its methods replaced. */
function delegating<Face extends object>(target: Face, seen: object): Face {
  return new Proxy(target, {
    get: (_, name) => {
      const own = (seen as Record<string | symbol, unknown>)[name];
      if (own !== undefined) return own;
      const value = (target as Record<string | symbol, unknown>)[name];
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
