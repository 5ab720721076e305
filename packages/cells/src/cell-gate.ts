/**
 * The gate of a node's cells: implements what the mesh asks of whoever hosts agents, over runners that may live on another thread.
 *
 * CG1. A message is judged by the link table and handed to the runner in the same turn; so `accepted` means it is in the mailbox (RP1).
 * CG2. At most {@link MAILBOX_MESSAGES_MAX} messages and {@link MAILBOX_BYTES_MAX} bytes wait in one mailbox. What does not fit is asked for
 *      again later (`retry`), before it reaches the link table; it is never dropped.
 * CG3. From a resolved `freeze` until `thaw` no message is accepted (MC1); after `retire` messages are answered with `moved`.
 * CG9. A frozen cell that is `leaving` sends its senders to its destination, which takes their messages and acknowledges them when the cell runs there
 *      (early-mail.ts). If it goes on here they come back.
 * CG4. A retired agent is answered for as retired-cells.ts says.
 * CG5. A node hosts at most {@link CELLS_MAX} cells.
 * CG6. A suspended cell runs nothing until `resume`: not after a move, and not after one that was rolled back. Its mailbox takes messages up to
 *      its bounds meanwhile, and a pending sleep stands still.
 * CG7. A cell of the kind `domain` keeps its messages before they are acknowledged, and its link table follows from what is kept: the one in an
 *      image does not count. One that is suspended takes no messages: they wait at their senders.
 * CG8. While `refusesNew` says why, no agent is started here and none is let in; those that are here go on, and so do those on their way in.
 */
import type { AgentId, Epoch } from "@glia-os/abi/ids";
import type { Logger } from "@glia-os/abi/ports";
import {
  type AgentDescription,
  type ChunkSource,
  type LinkId,
  type LinkMessage,
  LinkTable,
  type LinkVerdict,
  type MeshCells,
  type Moved,
  type PreCopyCells,
} from "@glia-os/mesh-core";
import { type AgentManifest, decodeManifest, encodeManifest, type ProgramKind } from "./agent-manifest.ts";
import { isBound } from "./bound-cell.ts";
import type { CellBaggage, CellLeft } from "./cell-baggage.ts";
import { type CellState, transition } from "./cell-state.ts";
import { MAILBOX_MESSAGES_MAX } from "./constants.ts";
import { EarlyMail } from "./early-mail.ts";
import {
  AlreadyHereError,
  BadImageError,
  IllegalTransitionError,
  NotHereError,
  ProgramsRefusedError,
  TakesNoneError,
  TooManyCellsError,
} from "./errors.ts";
import { type CellHead, CHUNK_BYTES, copiedHead, encodeHead } from "./frozen-cell.ts";
import { type GateCell as Cell, FIRST, newCell, refuseUpgrading } from "./gate-cell.ts";
import type { CellGateEvents, CellGateOptions, CellReport } from "./gate-options.ts";
import { askBeginning, imageSource, piecesSource } from "./image-source.ts";
import type { KeptCells } from "./kept-cells.ts";
import { KeptMailbox } from "./kept-mailbox.ts";
import type { CallerCounts } from "./policy/caller-counts.ts";
import { GatePages } from "./postcopy/gate-pages.ts";
import { receiveImage } from "./receive-image.ts";
import { replicaOf } from "./replica/grants.ts";
import { RetiredCells } from "./retired-cells.ts";
import type { Asker, CellEnd, CellGatePort, CellRunnerPort, FrozenMail, MailItem } from "./runner-port.ts";

/** Most payload bytes waiting in one mailbox: two of the largest windows a sender keeps. */
export const MAILBOX_BYTES_MAX: number = 8 * 1024 * 1024;
/** Most cells of one node. */
export const CELLS_MAX = 1024;
/** Longest wait for a blocking call when an agent is frozen. */
export const FREEZE_TIMEOUT_MS = 10_000;
const RETRY_MS = 5;
/** The cells of one node, as the mesh sees them. */
export class CellGate implements MeshCells, CellGatePort {
  readonly #runner: CellRunnerPort;
  readonly #events: CellGateEvents;
  readonly #baggage: CellBaggage | undefined;
  readonly #mailboxes: CellGateOptions["mailboxes"];
  readonly #kept: KeptCells | undefined;
  readonly #logger: Logger | undefined;
  readonly #cells = new Map<AgentId, Cell>();
  readonly #retired: RetiredCells;
  /** Absent: no cell of this node moves by post-copy. */
  readonly postcopy?: GatePages;

  constructor({ runner, clock, events, baggage, mailboxes, kept, logger, pages }: CellGateOptions) {
    this.#runner = runner;
    if (pages) this.postcopy = new GatePages({ runner, pages, here: (agent) => this.#here(agent) });
    this.#retired = new RetiredCells(clock);
    this.#events = events;
    this.#baggage = baggage;
    this.#mailboxes = mailboxes;
    this.#kept = kept;
    this.#logger = logger;
  }

  /** Why new agents are refused here; undefined when they are taken (CG8). */
  refusesNew: string | undefined;
  /** Where accepted messages are counted by their senders' nodes; undefined: nowhere. */
  callers: CallerCounts | undefined;

  /** Cells on this node. */
  get size(): number {
    return this.#cells.size;
  }

  /** Check a program without running it; resolves with its SHA-256 as hexadecimal. */
  checkProgram(program: Uint8Array, grants: readonly string[], kind?: ProgramKind): Promise<string> {
    return this.#runner.admit(program, grants, kind);
  }

  /** Take up an agent of this node's disk, under the epoch coordination gave it (CG7). @throws as {@link start} */
  async recover(agent: AgentId, epoch: Epoch, manifest: AgentManifest, suspended = false): Promise<void> {
    const cell = this.#add(agent, epoch, manifest, encodeManifest(manifest));
    try {
      await this.#kept?.recover(agent, manifest);
      await this.#restoreLinks(cell);
      cell.suspended = suspended;
      if (suspended) await this.#runner.freeze(agent, FREEZE_TIMEOUT_MS, false);
      cell.state = transition(agent, cell.state, "running");
      if (suspended) cell.state = transition(agent, cell.state, "suspended");
      this.#retired.delete(agent);
    } catch (error) {
      this.#cells.delete(agent);
      throw error;
    }
  }

  /** Of a kept cell: the link table that follows from what is kept. */
  async #restoreLinks(cell: Cell): Promise<void> {
    if (cell.kept === undefined || this.#kept === undefined) return;
    cell.links = LinkTable.restore(await this.#kept.links(cell.agent));
    cell.kept.reset();
  }

  /**
   * Run a new agent under the epoch coordination gave it; `first` is in its mailbox before anything else. @throws {AlreadyHereError},
   * {TooManyCellsError}.
   */
  async start(agent: AgentId, epoch: Epoch, manifest: AgentManifest, first?: Uint8Array): Promise<void> {
    this.#checkTakes();
    const cell = this.#add(agent, epoch, manifest, encodeManifest(manifest));
    try {
      const { kept } = cell;
      await this.#runner.start(agent, manifest, kept === undefined ? undefined : first);
      if (first !== undefined && kept === undefined) this.#give(cell, { ...FIRST, payload: first });
      cell.state = transition(agent, cell.state, "running");
    } catch (error) {
      this.#cells.delete(agent);
      throw error;
    }
  }

  /** End an agent. Idempotent. */
  async terminate(agent: AgentId): Promise<void> {
    const cell = this.#cells.get(agent);
    if (cell === undefined) {
      await this.#kept?.forget(agent);
      return;
    }
    if (cell.state === "migrating") throw new IllegalTransitionError(agent, cell.state, "terminated");
    this.#cells.delete(agent);
    cell.state = "terminated";
    this.#gone(agent, { kind: "terminated" });
    await this.#runner.drop(agent);
  }

  /**
   * Stop an agent at its next blocking call until {@link resume}; its messages wait (CG6). Waits for up to {@link FREEZE_TIMEOUT_MS}.
   * @throws {NotHereError}, {IllegalTransitionError} unless it runs and is not on its way, {NoYieldError}
   */
  async pause(agent: AgentId): Promise<void> {
    const cell = this.#here(agent);
    refuseUpgrading(cell, "suspended");
    if (cell.readAhead || cell.state !== "running")
      throw new IllegalTransitionError(agent, cell.readAhead ? "migrating" : cell.state, "suspended");
    cell.state = transition(agent, cell.state, "suspended");
    cell.suspended = true;
    cell.pausing = this.#runner.freeze(agent, FREEZE_TIMEOUT_MS, false).then(() => undefined);
    try {
      await cell.pausing;
    } catch (error) {
      cell.suspended = false;
      if (cell.state === "suspended") cell.state = "running";
      throw error;
    } finally {
      cell.pausing = undefined;
    }
  }

  /** Let a suspended agent go on. @throws {NotHereError}, {IllegalTransitionError} unless it is suspended */
  async resume(agent: AgentId): Promise<void> {
    const cell = this.#here(agent);
    refuseUpgrading(cell, "running");
    await cell.pausing?.catch(() => undefined);
    if (cell.state !== "suspended") throw new IllegalTransitionError(agent, cell.state, "running");
    cell.state = transition(agent, cell.state, "running");
    cell.suspended = false;
    await this.#runner.thaw(agent);
  }

  /** The epoch an agent is owned under changed without a move. @throws {NotHereError} */
  renew(agent: AgentId, epoch: Epoch): void {
    this.#here(agent).epoch = epoch;
  }

  /**
   * Where an agent stands here and under which epoch, without asking its runner; undefined when it is not here. `suspended`: it is to stand still
   * where it goes; one that is read out while it runs counts as on its way.
   */
  stands(
    agent: AgentId,
  ): { readonly state: CellState; readonly epoch: Epoch; readonly suspended: boolean } | undefined {
    const cell = this.#cells.get(agent);
    if (cell === undefined) return undefined;
    const { state, epoch, suspended, readAhead } = cell;
    return { state: readAhead ? "migrating" : state, epoch, suspended };
  }

  /** Whether an agent is here and ends with this process: it has neither a journal nor a wish for replicas. */
  isBound(agent: AgentId): boolean {
    const cell = this.#cells.get(agent);
    return cell !== undefined && isBound(cell);
  }

  /** All that are. O(agents). */
  boundAgents(): AgentId[] {
    return [...this.#cells.values()].filter(isBound).map(({ agent }) => agent);
  }

  /** The link table of an agent, which goes on changing; undefined when it is not here. */
  links(agent: AgentId): LinkTable | undefined {
    return this.#cells.get(agent)?.links;
  }

  /** Numbers about an agent; undefined when it is not here. */
  async report(agent: AgentId): Promise<CellReport | undefined> {
    const cell = this.#cells.get(agent);
    const vitals = cell === undefined ? undefined : await this.#runner.vitals(agent);
    if (cell === undefined || vitals === undefined) return undefined;
    const { state, epoch, accepted, refusedDuplicates, manifest, code } = cell;
    return { ...vitals, state, epoch, accepted, refusedDuplicates, grants: manifest.grants, code };
  }

  // Messages (MeshCells)

  deliver(message: LinkMessage): LinkVerdict {
    const cell = this.#cells.get(message.agent);
    if (cell === undefined) return this.#mailboxes?.deliver(message) ?? this.#retired.answer(message.agent);
    if (cell.leaving !== undefined) return { kind: "moved", ...cell.leaving };
    if (!takesMessages(cell)) return { kind: "retry", retryAfterMs: RETRY_MS };
    if (!this.#hasRoom(cell, message.payload.length)) return { kind: "retry", retryAfterMs: RETRY_MS };
    const verdict = cell.links.offer(message.link, message.seq, message.floor, message.ask);
    if (verdict.kind === "duplicate") cell.refusedDuplicates++;
    if (verdict.kind !== "accepted") return (cell.kept ?? cell.early)?.held(verdict) ?? verdict;
    const { link, seq, ask, from, payload } = message;
    this.callers?.note(cell.agent, from);
    if (cell.kept === undefined) {
      this.#give(cell, { link, seq, ask, from, payload });
      return cell.early?.held(verdict) ?? verdict;
    }
    this.#count(cell, payload.length);
    return cell.kept.keep(message, verdict, () => this.taken(cell.agent, 1, payload.length));
  }

  /** The cell itself, for upgrade/cell-upgrades.ts. @throws {NotHereError} */
  cellOf(agent: AgentId): Cell {
    return this.#here(agent);
  }

  /** Put a message of the node itself into a mailbox; false when it is full. @throws {NotHereError} */
  tellFromNode(agent: AgentId, payload: Uint8Array): boolean {
    const cell = this.#here(agent);
    if (cell.waitingMessages >= MAILBOX_MESSAGES_MAX) return false;
    this.#give(cell, { ...FIRST, payload });
    return true;
  }

  #give(cell: Cell, item: MailItem): void {
    this.#count(cell, item.payload.length);
    this.#runner.deliver(cell.agent, item);
  }

  #count(cell: Cell, bytes: number): void {
    cell.accepted++;
    cell.waitingMessages++;
    cell.waitingBytes += bytes;
  }

  linkClosed(agent: AgentId, link: LinkId): void {
    const cell = this.#cells.get(agent);
    cell?.links.close(link);
    cell?.kept?.close(link);
  }

  // Migration (MigratableCells)

  describe(agent: AgentId): AgentDescription | undefined {
    const cell = this.#cells.get(agent);
    if (cell === undefined || cell.state === "created") return undefined;
    const { epoch, meta, suspended, waitingBytes } = cell;
    return { epoch, meta, suspended, estimatedBytes: waitingBytes + CHUNK_BYTES };
  }

  async admit(agent: AgentId, meta: Uint8Array, _estimatedBytes: number): Promise<void> {
    this.#checkTakes();
    if (this.#cells.has(agent)) throw new AlreadyHereError(agent);
    this.#checkRoom();
    const manifest = decodeManifest(meta);
    await this.#runner.admit(manifest.program, manifest.grants, manifest.kind);
  }

  readonly precopy: PreCopyCells = {
    begin: async (agent, leastBytes) => {
      const cell = this.#here(agent);
      refuseUpgrading(cell, "migrating");
      if (cell.state !== "running") return undefined; // What stands still is best read so.
      cell.readAhead = true;
      const first = await this.#runner.readAhead(agent, leastBytes);
      cell.readAhead = first !== undefined;
      return first === undefined ? undefined : piecesSource(this.#runner, agent, leastBytes, first);
    },
    giveUp: async (agent) => {
      const cell = this.#cells.get(agent);
      if (cell !== undefined) cell.readAhead = false;
      await this.#runner.stopAhead(agent);
    },
  };

  async freeze(agent: AgentId): Promise<ChunkSource> {
    const cell = this.#here(agent);
    refuseUpgrading(cell, "migrating");
    if (cell.pausing !== undefined) await cell.pausing.catch(() => undefined);
    cell.state = transition(agent, cell.state, "migrating");
    cell.readAhead = false;
    const { links, suspended } = cell;
    try {
      const freezing = this.#runner.freeze(agent, FREEZE_TIMEOUT_MS);
      const beginning = cell.kept === undefined ? askBeginning(this.#runner, agent) : [];
      const mail = await freezing;
      const baggage = this.#baggage?.pack(agent);
      return imageSource(this.#runner, agent, encodeHead({ links, mail, suspended, baggage }), beginning);
    } catch (error) {
      if (cell.state === "migrating") cell.state = suspended ? "suspended" : "running";
      await this.#runner.stopAhead(agent);
      throw error;
    }
  }

  leaving(moved: Moved): boolean {
    const cell = this.#cells.get(moved.agent);
    // What is kept, on a disk or by a replica, cannot be before the cell runs there.
    if (cell?.state !== "migrating" || cell.kept !== undefined || replicaOf(cell.manifest)) return false;
    cell.leaving = moved;
    return true;
  }

  async thaw(agent: AgentId, epoch: Epoch): Promise<void> {
    const cell = this.#here(agent);
    if (!cell.suspended) await this.#runner.thaw(agent);
    await this.#restoreLinks(cell);
    this.#baggage?.stays(agent);
    cell.epoch = epoch;
    cell.leaving = undefined;
    if (cell.state === "migrating")
      cell.state = transition(agent, cell.state, cell.suspended ? "suspended" : "running");
  }

  async retire(agent: AgentId, moved: Moved): Promise<void> {
    this.#retired.remember(moved);
    this.#cells.delete(agent);
    this.#gone(agent, { kind: "moved" });
    await this.#runner.drop(agent);
  }

  /** Drop a frozen agent without a word about where it is. Idempotent. @throws {IllegalTransitionError} unless it is frozen */
  async withdraw(agent: AgentId): Promise<void> {
    const cell = this.#cells.get(agent);
    if (cell === undefined) return;
    if (cell.state !== "migrating") throw new IllegalTransitionError(agent, cell.state, "terminated");
    this.#cells.delete(agent);
    this.#gone(agent, { kind: "moved" }); // It goes on from its image.
    await this.#runner.drop(agent);
  }

  /** As the mesh asks for it; a `copy` gets neither the mailbox nor the links nor the baggage of the original. */
  async stage(agent: AgentId, meta: Uint8Array, chunks: ChunkSource, copy = false): Promise<void> {
    const manifest = decodeManifest(meta);
    const cell = this.#add(agent, 1 as Epoch, manifest, meta.slice());
    try {
      await this.#receiveImage(cell, chunks, copy);
    } catch (error) {
      await this.discard(agent);
      throw error;
    }
  }

  async activate(agent: AgentId, epoch: Epoch): Promise<void> {
    const cell = this.#here(agent);
    this.#baggage?.runs(agent);
    cell.epoch = epoch;
    cell.state = transition(agent, cell.state, cell.suspended ? "suspended" : "running");
    this.#retired.delete(agent);
    cell.early?.runs();
    cell.early = undefined;
    // What it accepts from here on reaches the runner after this call.
    if (!cell.suspended) await this.#runner.activate(agent);
  }

  async discard(agent: AgentId): Promise<void> {
    const cell = this.#cells.get(agent);
    if (cell?.state !== "created") return;
    this.#cells.delete(agent);
    cell.early?.lost(agent);
    this.#gone(agent, { kind: "discarded" });
    await this.#runner.drop(agent);
  }

  // What runners report (CellGatePort)

  taken(agent: AgentId, count: number, bytes: number): void {
    const cell = this.#cells.get(agent);
    if (cell === undefined) return;
    cell.waitingMessages -= count;
    cell.waitingBytes -= bytes;
  }

  replied(agent: AgentId, asker: Asker, payload: Uint8Array): void {
    const cell = this.#cells.get(agent);
    if (cell?.links.reply(asker.link, asker.seq, payload) === true)
      this.#events.replyReady(agent, asker, payload);
  }

  ended(agent: AgentId, end: CellEnd): void {
    const cell = this.#cells.get(agent);
    if (cell === undefined) return;
    this.#cells.delete(agent);
    const why = end.kind === "failed" ? end.message : `status ${end.status}`;
    this.#logger?.log(end.kind === "failed" ? "error" : "info", "agent ended", { agent, why });
    this.#gone(agent, end);
    this.#events.cellEnded(agent, cell.epoch, end);
  }

  #gone(agent: AgentId, left: CellLeft): void {
    this.#baggage?.gone(agent, left);
    this.postcopy?.gone(agent, left.kind);
  }

  #here(agent: AgentId): Cell {
    const cell = this.#cells.get(agent);
    if (cell === undefined) throw new NotHereError(agent);
    return cell;
  }

  #checkTakes(): void {
    if (this.refusesNew !== undefined) throw new TakesNoneError(this.refusesNew);
  }

  #checkRoom(): void {
    if (this.#cells.size >= CELLS_MAX) throw new TooManyCellsError(CELLS_MAX);
  }

  #add(agent: AgentId, epoch: Epoch, manifest: AgentManifest, meta: Uint8Array): Cell {
    if (this.#cells.has(agent)) throw new AlreadyHereError(agent);
    this.#checkRoom();
    if (manifest.kind === "domain" && this.#kept === undefined) throw new ProgramsRefusedError();
    const kept = manifest.kind === "domain" && this.#kept ? new KeptMailbox(agent, this.#kept) : undefined;
    const cell = newCell(agent, epoch, manifest, meta, kept);
    this.#cells.set(agent, cell);
    return cell;
  }

  /** An empty mailbox takes a message of any size, so that a large one cannot be refused for ever. */
  #hasRoom(cell: Cell, bytes: number): boolean {
    if (cell.waitingMessages === 0) return true;
    return cell.waitingMessages < MAILBOX_MESSAGES_MAX && cell.waitingBytes + bytes <= MAILBOX_BYTES_MAX;
  }

  async #receiveImage(cell: Cell, chunks: ChunkSource, copy: boolean): Promise<void> {
    await receiveImage(cell, chunks, {
      runner: this.#runner,
      several: cell.kept === undefined,
      pages: this.postcopy,
      takeHead: (head) => this.#takeHead(cell, copy ? copiedHead(head) : head),
    });
    await this.#restoreLinks(cell);
  }

  #takeHead(cell: Cell, { links, mail, suspended, baggage }: CellHead): FrozenMail {
    if (baggage !== undefined) {
      if (this.#baggage === undefined)
        throw new BadImageError("it has baggage, which this node does not take");
      this.#baggage.stage(cell.agent, baggage);
    }
    cell.links = links;
    if (cell.kept === undefined) cell.early = new EarlyMail();
    cell.suspended = suspended;
    cell.waitingMessages = mail.mailbox.length;
    cell.waitingBytes = mail.mailbox.reduce((sum, { payload }) => sum + payload.length, 0);
    return mail;
  }
}

/** Whether a message for it has a mailbox to go to. What a kept cell takes while it stands still would be on no disk. */
function takesMessages({ state, kept, early }: Cell): boolean {
  return state === "running" || (state === "suspended" && kept === undefined) || early !== undefined;
}
