/**
 * The runner of a node's cells: their mailboxes, guests and kernel tasks. Lives where the kernel lives.
 *
 * CR1. A cell has at most one task at a time; a frozen, staged or built cell has none.
 * CR2. `freeze` ends the task at its next blocking import. If none comes in time the freeze is taken back and the cell goes on. A cell that
 *      stands still already is frozen at once, with everything that came meanwhile.
 * CR3. A guest that fails or ends takes its own cell with it and nothing else; the gate is told once.
 * CR4. A cell that holds something immovable is not frozen, and the refusal names it.
 * CR5. A program is compiled once per hash while a cell uses it.
 * CR7. A cell whose pages come after it runs in a thread of its own, and is in this one's only when all are there: until then it is not frozen to leave,
 *      read or checkpointed. One that is lost ends.
 * CR6. What was read of a cell while it ran and what is read of it frozen are one image; if the cell goes on here, that image is given up.
 */

import type { AgentId } from "@glia-os/abi/ids";
import type { AdmittedProgram, EngineLimits } from "@glia-os/abi/ports";
import { RIGHTS } from "@glia-os/abi/syscalls";
import type { Exit, TaskId } from "@glia-os/kernel";
import type { PagesAnswer } from "@glia-os/mesh-core";
import type { AgentManifest } from "./agent-manifest.ts";
import { giftsOf, servicesFor } from "./cell-services.ts";
import { MAILBOX_MESSAGES_MAX } from "./constants.ts";
import {
  AlreadyHereError,
  BadImageError,
  GuestFailedError,
  ImmovableCapabilityError,
  NotHereError,
  NoYieldError,
} from "./errors.ts";
import { type GuestTaskEnd, guestTask } from "./guest-task.ts";
import type { AwayOutcome, PagesRunnerPort } from "./postcopy/pages-port.ts";
import { RunnerPages } from "./postcopy/runner-pages.ts";
import { MidRecordError, NotReplicableError } from "./replica/errors.ts";
import { checkMovable, checkReplicable } from "./replica/grants.ts";
import type { CheckpointFacts, Rebuild, ReplicaRunnerPort } from "./replica/replica-ports.ts";
import { RunnerCell, type TaskHandles } from "./runner-cell.ts";
import type { ArrivingAhead, CellRunnerOptions } from "./runner-options.ts";
import type { CellEnd, CellRunnerPort, CellVitals, FrozenMail, MailItem } from "./runner-port.ts";
import { CellExchange } from "./upgrade/cell-exchange.ts";
import type { PreparedUpgrade, UpgradeRunnerPort } from "./upgrade/upgrade-port.ts";

/** Slices, and syscalls, of a pre-emptive guest in one turn of its task. */
const SLICES_PER_TURN = 4;
const PAGE_BYTES = 65_536;

/** The cells of one kernel. */
export class CellRunner implements CellRunnerPort, ReplicaRunnerPort, UpgradeRunnerPort, PagesRunnerPort {
  readonly #options: CellRunnerOptions;
  readonly #cells = new Map<AgentId, RunnerCell>();
  /** Those whose program is being admitted. */
  readonly #adding = new Map<AgentId, Promise<RunnerCell>>();
  readonly #tasks = new Map<TaskId, RunnerCell>();
  readonly #pages: RunnerPages;
  readonly #programs = new Map<string, { readonly program: AdmittedProgram; users: number }>();

  readonly #exchange: CellExchange;

  constructor(options: CellRunnerOptions) {
    this.#options = options;
    this.#pages = new RunnerPages(options.pages, {
      here: (agent) => this.#here(agent),
      add: (agent, manifest) => this.#add(agent, manifest),
      limitsOf: (cell) => this.#limitsOf(cell),
      isHere: (cell) => this.#cells.get(cell.agent) === cell,
      forget: (cell) => this.#forget(cell),
      end: (cell, end) => this.#end(cell, end),
    });
    this.#exchange = new CellExchange(options);
  }

  /** The cell whose guest a task runs, for services that need to know who calls. */
  cellOf(task: TaskId): Pick<RunnerCell, "agent" | "manifest" | "tape"> | undefined {
    return this.#tasks.get(task);
  }

  async admit(program: Uint8Array, grants: readonly string[]): Promise<string> {
    servicesFor(grants, this.#options.services);
    return (await this.#options.engine.admit(program, grants)).hash;
  }

  async start(agent: AgentId, manifest: AgentManifest): Promise<void> {
    const cell = await this.#add(agent, manifest);
    try {
      cell.instance = cell.program.instantiate(this.#limitsOf(cell), cell.host());
    } catch (error) {
      this.#forget(cell);
      throw error;
    }
    this.#run(cell);
  }

  deliver(agent: AgentId, item: MailItem): void {
    const cell = this.#cells.get(agent);
    if (cell === undefined) return;
    cell.waitingCount++;
    cell.order?.came(item);
    if (cell.task === undefined) cell.backlog.push(item);
    else if (this.#options.kernel.trySend(cell.task.inbox, item) === "full")
      this.#end(cell, {
        kind: "failed",
        message: "its mailbox was overrun: the gate let too many messages in",
      });
  }

  async freeze(agent: AgentId, timeoutMs: number, leaves = true): Promise<FrozenMail> {
    const cell = this.#here(agent);
    return cell.freezes(this.#freeze(cell, timeoutMs, leaves));
  }

  async #freeze({ agent, held, away }: RunnerCell, timeoutMs: number, leaves: boolean): Promise<FrozenMail> {
    if (held.immovable.length > 0 && leaves) throw new ImmovableCapabilityError(agent, held.immovable);
    // Nothing is waited for without it: a freeze keeps its place among the messages (RP1).
    if (leaves && away !== undefined) await away.whole;
    return this.#stop(agent, timeoutMs, false);
  }

  async #stop(agent: AgentId, timeoutMs: number, atMessage: boolean): Promise<FrozenMail> {
    const cell = this.#here(agent);
    const { kernel, timers } = this.#options;
    if (cell.arriving !== undefined) throw new NotHereError(agent);
    if (cell.task === undefined && cell.tape?.replaying === true) throw new MidRecordError(agent);
    if (cell.task === undefined) return this.#standing(cell);
    return new Promise((resolve, reject) => {
      const settled = (): void => {
        timer.cancel();
        cell.freezesAtMessage = false;
        cell.onFrozen = undefined;
        cell.onFreezeFailed = undefined;
      };
      const timer = timers.schedule(timeoutMs, () => {
        settled();
        cell.freezeWanted = false;
        reject(new NoYieldError(agent, timeoutMs));
      });
      cell.freezeWanted = true;
      cell.freezesAtMessage = atMessage;
      cell.onFrozen = (mail) => {
        settled();
        resolve(mail);
      };
      cell.onFreezeFailed = (error) => {
        settled();
        reject(error);
      };
      kernel.signal((cell.task as TaskHandles).control, 1);
    });
  }

  /** A cell that stands still: its mail with what came since it stopped. An image that was read of it is given up. */
  #standing(cell: RunnerCell): FrozenMail {
    this.#stopAhead(cell);
    cell.image = undefined;
    this.#restoreMail(cell, cell.frozen);
    const { asker, receivedCount: received, sleepRestMs: sleepMs } = cell;
    cell.frozen = { mailbox: cell.backlog.splice(0), asker, received, sleepMs };
    return cell.frozen;
  }

  async readImage(agent: AgentId): Promise<Uint8Array | undefined> {
    const cell = this.#here(agent);
    await cell.freezing;
    if (cell.task !== undefined) throw new NotHereError(agent);
    cell.image ??=
      cell.ahead?.last() ?? this.#options.codec.encode(cell.instance.snapshot(true))[Symbol.iterator]();
    const next = cell.image.next();
    if (next.done !== true) return next.value;
    cell.image = undefined;
    return undefined;
  }

  async readAhead(agent: AgentId, leastBytes: number): Promise<Uint8Array | undefined> {
    const cell = this.#here(agent);
    const { immovable } = cell.held;
    if (immovable.length > 0) throw new ImmovableCapabilityError(agent, immovable);
    if (cell.away !== undefined) await cell.away.whole;
    if (cell.ahead === undefined) {
      if (cell.instance.memoryBytes < leastBytes) return undefined;
      const ahead = await this.#options.ahead?.read(cell.program, cell.instance);
      if (ahead === undefined) return undefined;
      cell.ahead = ahead;
    }
    return cell.ahead.next();
  }

  async stopAhead(agent: AgentId): Promise<void> {
    const cell = this.#cells.get(agent);
    if (cell !== undefined) this.#stopAhead(cell);
  }

  #stopAhead(cell: RunnerCell): void {
    cell.ahead?.cancel();
    cell.ahead = undefined;
  }

  async thaw(agent: AgentId): Promise<void> {
    const cell = this.#here(agent);
    if (cell.task !== undefined) return;
    this.#stopAhead(cell);
    cell.image = undefined;
    this.#restoreMail(cell, cell.frozen);
    cell.frozen = undefined;
    this.#run(cell);
  }

  async expect(agent: AgentId, manifest: AgentManifest): Promise<void> {
    await this.#add(agent, manifest);
  }

  async stage(agent: AgentId, ahead: boolean): Promise<void> {
    const cell = this.#here(agent);
    cell.arriving = ahead ? this.#arriveAhead(cell) : this.#arriveFrozen(cell);
  }

  #arriveAhead(cell: RunnerCell): ArrivingAhead {
    const { ahead } = this.#options;
    if (ahead === undefined)
      throw new BadImageError("it was begun while its agent ran, which this node does not read");
    return ahead.arrive(cell.program, this.#limitsOf(cell), cell.host());
  }

  #arriveFrozen(cell: RunnerCell): NonNullable<RunnerCell["arriving"]> {
    const { memoryPages, program } = cell.manifest;
    const decoder = this.#options.codec.decoder(memoryPages * PAGE_BYTES + program.length);
    return {
      push: (piece) => decoder.push(piece),
      finish: () => cell.program.restore(decoder.finish(), this.#limitsOf(cell), cell.host()),
    };
  }

  async writeImage(agent: AgentId, chunk: Uint8Array): Promise<void> {
    const { arriving } = this.#here(agent);
    if (arriving === undefined) throw new BadImageError("a chunk came when none was expected");
    arriving.push(chunk);
  }

  async finishImage(agent: AgentId, mail: FrozenMail): Promise<void> {
    const cell = this.#here(agent);
    if (cell.arriving === undefined) throw new BadImageError("its end came when none was expected");
    const guest = cell.arriving.finish();
    cell.arriving = undefined;
    this.#restoreMail(cell, mail);
    if ("whole" in guest) this.#pages.arrived(cell, guest);
    else cell.instance = guest;
  }

  // Pages (PagesRunnerPort)

  beginPages(agent: AgentId, move: string, rounds: boolean): Promise<Uint8Array | undefined> {
    return this.#pages.beginPages(agent, move, rounds);
  }

  servePages(move: string, said: Uint8Array): Promise<PagesAnswer> {
    return this.#pages.servePages(move, said);
  }

  releasePages(move: string): Promise<void> {
    return this.#pages.releasePages(move);
  }

  async stagePages(agent: AgentId): Promise<void> {
    await this.#pages.stagePages(this.#here(agent));
  }

  takePages(agent: AgentId, bytes: Uint8Array): Promise<boolean> {
    return this.#pages.takePages(agent, bytes);
  }

  losePages(agent: AgentId, why: string): void {
    this.#pages.losePages(this.#cells.get(agent), why);
  }

  async activate(agent: AgentId): Promise<void> {
    const cell = this.#here(agent);
    if (cell.arriving !== undefined) throw new BadImageError("it is not complete");
    if (cell.task === undefined) this.#run(cell);
  }

  async drop(agent: AgentId): Promise<void> {
    await this.#adding.get(agent)?.catch(() => undefined);
    const cell = this.#cells.get(agent);
    if (cell === undefined) return;
    this.#forget(cell);
  }

  async vitals(agent: AgentId): Promise<CellVitals | undefined> {
    const cell = this.#cells.get(agent);
    if (cell === undefined) return undefined;
    const { receivedCount: received, waitingCount: waiting, instance, program } = cell;
    return {
      received,
      waiting,
      memoryBytes: (cell.away ?? instance)?.memoryBytes ?? 0,
      programHash: program.hash,
    };
  }

  // Replicas (ReplicaRunnerPort)

  checkpoint(agent: AgentId, number: number, whole: boolean): void {
    const cell = this.#cells.get(agent);
    const { replication } = this.#options;
    if (cell === undefined || replication === undefined) return;
    let facts: CheckpointFacts | undefined;
    try {
      // One that runs its record again is asked again: the rest of the record would not be in the copy (TP6).
      const runsAgain = cell.task !== undefined && cell.tape?.replaying === true;
      if (cell.arriving === undefined && cell.checkpoints !== undefined && !runsAgain) {
        cell.checkpoints.take(number, cell.instance.snapshot(), whole);
        cell.tape?.flush();
        const { asker, receivedCount: received, tape } = cell;
        const [sleepMs, rest] = [cell.restOfWait(), tape?.copied() ?? []];
        facts = { asker, received, sleepMs, begun: tape?.begun, rest };
      }
    } catch {
      // It has not come to its first blocking call. It is asked again.
    }
    replication.port.checkpointed(agent, number, facts);
  }

  async readCheckpoint(agent: AgentId, number: number): Promise<Uint8Array | undefined> {
    const { checkpoints } = this.#here(agent);
    if (checkpoints?.has(number) !== true) throw new NotHereError(agent);
    return checkpoints.next();
  }

  async rebuild(agent: AgentId, manifest: AgentManifest, from: Rebuild, mail: FrozenMail): Promise<void> {
    const { replication } = this.#options;
    if (replication === undefined) throw new NotReplicableError(manifest.name, "this node keeps no replicas");
    const cell = await this.#add(agent, manifest);
    try {
      const image = replication.codec.restore(
        from,
        manifest.memoryPages * PAGE_BYTES + manifest.program.length,
      );
      cell.restoring = true;
      cell.instance = cell.program.restore(image, this.#limitsOf(cell), cell.host());
      cell.restoring = false;
      this.#restoreMail(cell, mail);
      cell.tape = cell.newTape(replication, from.items);
      const { sleepMs } = mail;
      if (from.items.length > 0) cell.sleepRestMs = undefined;
      else if (sleepMs !== undefined) cell.sleepRestMs = Math.max(0, sleepMs - from.waitedMs);
      cell.waitedMs = from.items.at(-1)?.[0] === 4 ? from.waitedMs : undefined;
    } catch (error) {
      this.#forget(cell);
      throw error;
    }
  }

  heldUpTo(agent: AgentId, number: number): void {
    const cell = this.#cells.get(agent);
    cell?.tape?.held(number);
    if (cell?.task !== undefined) this.#options.kernel.signal(cell.task.control, 1);
  }

  // Upgrades (UpgradeRunnerPort)

  async freezeAtMessage(agent: AgentId, timeoutMs: number): Promise<FrozenMail> {
    const { away } = this.#here(agent);
    if (away !== undefined) await away.whole;
    return this.#stop(agent, timeoutMs, true);
  }

  async prepareUpgrade(agent: AgentId, manifest: AgentManifest): Promise<PreparedUpgrade> {
    const cell = this.#here(agent);
    if (cell.task !== undefined || cell.arriving !== undefined) throw new NotHereError(agent);
    return this.#exchange.prepare(cell, manifest, (one) => this.#limitsOf(one));
  }

  async commitUpgrade(agent: AgentId, first: MailItem): Promise<void> {
    const old = this.#here(agent);
    const next = this.#exchange.take(agent);
    const { mailbox: waiting, received } = this.#standing(old);
    const mailbox = [first, ...waiting];
    next.frozen = { mailbox, received, asker: undefined, sleepMs: undefined };
    next.receivedCount = received;
    next.waitingCount = mailbox.length;
    const shared = this.#programs.get(next.program.hash) ?? { program: next.program, users: 0 };
    shared.users++;
    this.#programs.set(next.program.hash, shared);
    this.#cells.set(agent, next);
    this.#leaveProgram(old);
    old.instance.dispose();
  }

  async abandonUpgrade(agent: AgentId): Promise<void> {
    this.#exchange.abandon(agent);
  }

  #leaveProgram({ program }: RunnerCell): void {
    const shared = this.#programs.get(program.hash);
    if (shared !== undefined && --shared.users === 0) this.#programs.delete(program.hash);
  }

  #limitsOf(cell: RunnerCell): Partial<EngineLimits> {
    return { ...this.#options.limits, memoryPages: cell.manifest.memoryPages };
  }

  #here(agent: AgentId): RunnerCell {
    const cell = this.#cells.get(agent);
    if (cell === undefined) throw new NotHereError(agent);
    return cell;
  }

  async #add(agent: AgentId, manifest: AgentManifest): Promise<RunnerCell> {
    if (this.#cells.has(agent) || this.#adding.has(agent)) throw new AlreadyHereError(agent);
    const adding = this.#made(agent, manifest);
    this.#adding.set(agent, adding);
    try {
      return await adding;
    } finally {
      this.#adding.delete(agent);
    }
  }

  async #made(agent: AgentId, manifest: AgentManifest): Promise<RunnerCell> {
    const services = servicesFor(manifest.grants, this.#options.services);
    checkReplicable(manifest);
    checkMovable(manifest, services);
    const admitted = await this.#options.engine.admit(manifest.program, manifest.grants);
    const known = this.#programs.get(admitted.hash);
    const shared = known ?? { program: admitted, users: 0 };
    shared.users++;
    this.#programs.set(admitted.hash, shared);
    const cell = new RunnerCell(agent, manifest, shared.program, this.#options);
    this.#cells.set(agent, cell);
    return cell;
  }

  #forget(cell: RunnerCell): void {
    const { kernel } = this.#options;
    if (this.#cells.get(cell.agent) !== cell) return;
    this.#cells.delete(cell.agent);
    this.#leaveProgram(cell);
    this.#exchange.abandon(cell.agent);
    if (cell.taskId !== undefined) kernel.kill(cell.taskId, "dropped");
    this.#dropHandles(cell);
    cell.arriving?.dispose?.();
    cell.away?.dispose();
    if (!this.#pages.keeps(cell)) cell.instance?.dispose();
  }

  #dropHandles(cell: RunnerCell): void {
    if (cell.task === undefined) return;
    this.#options.kernel.drop(cell.task.inbox);
    this.#options.kernel.drop(cell.task.control);
    if (cell.task.steps !== undefined) this.#options.kernel.drop(cell.task.steps);
    if (cell.taskId !== undefined) this.#tasks.delete(cell.taskId);
    cell.task = undefined;
    cell.taskId = undefined;
  }

  #restoreMail(cell: RunnerCell, mail: FrozenMail | undefined): void {
    if (mail === undefined) return;
    cell.backlog.unshift(...mail.mailbox);
    cell.waitingCount = cell.backlog.length;
    cell.order?.holds(cell.backlog);
    cell.asker = mail.asker;
    cell.receivedCount = mail.received;
    cell.sleepRestMs = mail.sleepMs;
  }

  #run(cell: RunnerCell): void {
    const { kernel } = this.#options;
    const inbox = kernel.mailbox<MailItem>({
      capacity: MAILBOX_MESSAGES_MAX,
      high: MAILBOX_MESSAGES_MAX,
      low: 1,
    });
    const control = kernel.notification();
    const steps = cell.away === undefined ? undefined : kernel.mailbox<AwayOutcome>({ capacity: 1 });
    cell.task = { inbox, control, steps };
    cell.freezeWanted = false;
    const give = [
      { handle: inbox, rights: RIGHTS.receive },
      { handle: control, rights: RIGHTS.receive },
      ...(steps === undefined ? [] : [{ handle: steps, rights: RIGHTS.receive }]),
      ...giftsOf(cell.services),
    ];
    const { name } = cell.manifest;
    // A guest that computes gives way after every slice; without this it would go on for as long as no other task is ready.
    const turn = cell.guest.preemptible ? { quantum: SLICES_PER_TURN } : {};
    cell.taskId = kernel.spawn(guestTask(cell), { name, give, ...turn });
    this.#tasks.set(cell.taskId, cell);
    kernel.onExit(cell.taskId, (exit) => this.#taskEnded(cell, exit as Exit<GuestTaskEnd>));
  }

  #taskEnded(cell: RunnerCell, exit: Exit<GuestTaskEnd>): void {
    if (this.#cells.get(cell.agent) !== cell) return;
    this.#dropHandles(cell);
    if (exit.kind !== "ok") {
      const why = exit.kind === "failed" ? exit.error : exit.reason;
      this.#end(cell, { kind: "failed", message: why instanceof Error ? why.message : String(why) });
    } else if (exit.value.kind === "frozen") this.#frozen(cell, exit.value);
    else this.#end(cell, exit.value);
  }

  #frozen(cell: RunnerCell, { mailbox, sleepMs }: Extract<GuestTaskEnd, { kind: "frozen" }>): void {
    const mail: FrozenMail = { mailbox, asker: cell.asker, received: cell.receivedCount, sleepMs };
    const listener = cell.onFrozen;
    cell.onFrozen = undefined;
    cell.frozen = mail;
    if (listener === undefined) void this.thaw(cell.agent);
    else listener(mail);
  }

  #end(cell: RunnerCell, end: CellEnd): void {
    const failFreeze = cell.onFreezeFailed;
    this.#forget(cell);
    failFreeze?.(new GuestFailedError(cell.agent, end.kind === "failed" ? end.message : "it finished"));
    this.#options.gate.ended(cell.agent, end);
  }
}
