/**
 * The runner of a node's cells: their mailboxes, guests and kernel tasks. Lives where the kernel lives.
 *
 * CR1. A cell has at most one task at a time; a frozen, staged or built cell has none.
 * CR2. `freeze` ends the task at its next blocking import. If none comes in time the freeze is taken back and the cell goes on. A cell that
 *      stands still already is frozen at once, with everything that came meanwhile.
 * CR3. A guest that fails or ends takes its own cell with it and nothing else; the gate is told once.
 * CR4. A cell that holds something immovable is not frozen, and the refusal names it.
 * CR5. A program is compiled once per hash while a cell uses it.
 * CR6. What was read of a cell while it ran and what is read of it frozen are one image; if the cell goes on here, that image is given up.
 */

import type { AgentId } from "@glia-os/abi/ids";
import type {
  AdmittedProgram,
  Clock,
  Engine,
  EngineInstance,
  EngineLimits,
  GuestHost,
  InstanceImage,
  Logger,
  Timers,
} from "@glia-os/abi/ports";
import { RIGHTS } from "@glia-os/abi/syscalls";
import { GUEST_ERRORS } from "@glia-os/abi/wire";
import type { Exit, Handle, Kernel, TaskId } from "@glia-os/kernel";
import type { HeldCapabilities } from "@glia-os/kernel/guests";
import type { AgentManifest } from "./agent-manifest.ts";
import { type CellService, giftsOf, heldOf, servicesFor } from "./cell-services.ts";
import { MAILBOX_MESSAGES_MAX } from "./constants.ts";
import {
  AlreadyHereError,
  BadImageError,
  GuestFailedError,
  ImmovableCapabilityError,
  NotHereError,
  NoYieldError,
} from "./errors.ts";
import { type GuestTaskCell, type GuestTaskEnd, guestTask } from "./guest-task.ts";
import type {
  Asker,
  CellEnd,
  CellGatePort,
  CellRunnerPort,
  CellVitals,
  FrozenMail,
  MailItem,
} from "./runner-port.ts";

/** Slices, and syscalls, of a pre-emptive guest in one turn of its task. */
const SLICES_PER_TURN = 4;
/** Turns images into bytes and back (docs/spec/snapshot.md). */
export interface ImageCodec {
  /** The bytes of an image in chunks of at most 1 MiB. */
  encode(image: InstanceImage): Iterable<Uint8Array>;
  /** A fresh decoder that holds at most `imageBytes` of sections. */
  decoder(imageBytes: number): { push(chunk: Uint8Array): void; finish(): InstanceImage };
}

/** A guest that is read while it runs (docs/spec/precopy.md). It is asked between two steps of the guest. */
export interface ReadingAhead {
  /** The next piece, at most 1 MiB; undefined when the rest is best read while the guest stands still. */
  next(): Uint8Array | undefined;
  /** The rest, in pieces of at most 1 MiB, of a guest that stands still. */
  last(): Iterator<Uint8Array>;
  /** The guest goes on as if it had not been read. */
  cancel(): void;
}

/** A guest on its way in, of which the first part comes from one that runs. */
export interface ArrivingAhead {
  push(piece: Uint8Array): void;
  /** The guest, once all is there. */
  finish(): EngineInstance;
  dispose(): void;
}

/** Reads guests while they run, and takes them in. */
export interface AheadCodec {
  /** Undefined when guests of the program cannot be read while they run. */
  read(program: AdmittedProgram, instance: EngineInstance): Promise<ReadingAhead | undefined>;
  arrive(program: AdmittedProgram, limits: Partial<EngineLimits>, host: GuestHost): ArrivingAhead;
}

/** What a runner is made of. */
export interface CellRunnerOptions {
  readonly kernel: Kernel;
  readonly engine: Engine;
  readonly codec: ImageCodec;
  /** Default: images are read of cells that stand still only, and one that was not is refused. */
  readonly ahead?: AheadCodec;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
  readonly gate: CellGatePort;
  /** Bounds of every guest beside its memory, which its manifest sets. Default: the engine's. */
  readonly limits?: Omit<Partial<EngineLimits>, "memoryPages">;
  /** What agents may be given by their manifests. Default: nothing. */
  readonly services?: readonly CellService[];
}

const PAGE_BYTES = 65_536;
/** The engine's default. */
const MESSAGE_BYTES = 1_048_576;
const LEVELS = ["trace", "debug", "info", "warn", "error"] as const;
/** Longest reply: the largest payload of a link. */
const REPLY_BYTES_MAX: number = 1024 * 1024;

/** The shell's ends of what a cell's task waits on. */
interface TaskHandles {
  readonly inbox: Handle<MailItem>;
  readonly control: Handle;
}

class Cell implements GuestTaskCell {
  readonly agent: AgentId;
  readonly manifest: AgentManifest;
  readonly program: AdmittedProgram;
  readonly backlog: MailItem[] = [];
  readonly services: readonly CellService[];
  readonly held: HeldCapabilities;
  readonly messageBytes: number;
  readonly #runner: CellRunnerOptions;
  instance!: EngineInstance;
  task: TaskHandles | undefined;
  taskId: TaskId | undefined;
  freezeWanted = false;
  onFrozen: ((mail: FrozenMail) => void) | undefined;
  onFreezeFailed: ((error: unknown) => void) | undefined;
  frozen: FrozenMail | undefined;
  image: Iterator<Uint8Array> | undefined;
  /** What takes the image in. */
  arriving: { push(piece: Uint8Array): void; finish(): EngineInstance; dispose?(): void } | undefined;
  ahead: ReadingAhead | undefined;
  asker: Asker | undefined;
  receivedCount = 0;
  waiting = 0;
  sleepRestMs: number | undefined;

  constructor(agent: AgentId, manifest: AgentManifest, program: AdmittedProgram, runner: CellRunnerOptions) {
    this.agent = agent;
    this.manifest = manifest;
    this.program = program;
    this.services = servicesFor(manifest.grants, runner.services);
    this.held = heldOf(this.services);
    this.messageBytes = runner.limits?.messageBytes ?? MESSAGE_BYTES;
    this.#runner = runner;
  }

  monotonicMs(): number {
    return this.#runner.clock.monotonicMs();
  }

  takeSleepRest(): number | undefined {
    const rest = this.sleepRestMs;
    this.sleepRestMs = undefined;
    return rest;
  }

  received(item: MailItem): void {
    this.receivedCount++;
    this.waiting--;
    this.asker = item.ask ? { link: item.link, seq: item.seq, from: item.from } : undefined;
    this.#runner.gate.taken(this.agent, 1, item.payload.length);
  }

  /** What the guest may ask for without waiting. */
  host(): GuestHost {
    const { logger, clock, gate } = this.#runner;
    return {
      log: (level, text) =>
        logger.log(LEVELS[level] ?? "info", text, { agent: this.agent, name: this.manifest.name }),
      capabilities: this.held,
      wallMs: () => clock.wallMs(),
      random: (target) => void this.#runner.kernel.random.bytes(target),
      reply: (payload) => {
        if (this.asker === undefined) return GUEST_ERRORS.E_STATE;
        if (payload.length > REPLY_BYTES_MAX) return GUEST_ERRORS.E_LIMIT;
        gate.replied(this.agent, this.asker, payload.slice());
        this.asker = undefined;
        return 0;
      },
    };
  }
}

/** The cells of one kernel. */
export class CellRunner implements CellRunnerPort {
  readonly #options: CellRunnerOptions;
  readonly #cells = new Map<AgentId, Cell>();
  readonly #tasks = new Map<TaskId, Cell>();
  readonly #programs = new Map<string, { readonly program: AdmittedProgram; users: number }>();

  constructor(options: CellRunnerOptions) {
    this.#options = options;
  }

  /** The cell whose guest a task runs, for services that need to know who calls. */
  cellOf(task: TaskId): { readonly agent: AgentId; readonly manifest: AgentManifest } | undefined {
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
    cell.waiting++;
    if (cell.task === undefined) cell.backlog.push(item);
    else if (this.#options.kernel.trySend(cell.task.inbox, item) === "full")
      this.#end(cell, {
        kind: "failed",
        message: "its mailbox was overrun: the gate let too many messages in",
      });
  }

  async freeze(agent: AgentId, timeoutMs: number, leaves = true): Promise<FrozenMail> {
    const cell = this.#here(agent);
    const { kernel, timers } = this.#options;
    if (cell.arriving !== undefined) throw new NotHereError(agent);
    const { immovable } = cell.held;
    if (immovable.length > 0 && leaves) throw new ImmovableCapabilityError(agent, immovable);
    if (cell.task === undefined) return this.#standing(cell);
    return new Promise((resolve, reject) => {
      const settled = (): void => {
        timer.cancel();
        cell.onFrozen = undefined;
        cell.onFreezeFailed = undefined;
      };
      const timer = timers.schedule(timeoutMs, () => {
        settled();
        cell.freezeWanted = false;
        reject(new NoYieldError(agent, timeoutMs));
      });
      cell.freezeWanted = true;
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
  #standing(cell: Cell): FrozenMail {
    this.#stopAhead(cell);
    cell.image = undefined;
    this.#restoreMail(cell, cell.frozen);
    const { asker, receivedCount: received, sleepRestMs: sleepMs } = cell;
    cell.frozen = { mailbox: cell.backlog.splice(0), asker, received, sleepMs };
    return cell.frozen;
  }

  async readImage(agent: AgentId): Promise<Uint8Array | undefined> {
    const cell = this.#here(agent);
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

  #stopAhead(cell: Cell): void {
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

  async stage(agent: AgentId, manifest: AgentManifest, ahead: boolean): Promise<void> {
    const cell = await this.#add(agent, manifest);
    cell.arriving = ahead ? this.#arriveAhead(cell) : this.#arriveFrozen(cell);
  }

  #arriveAhead(cell: Cell): ArrivingAhead {
    const { ahead } = this.#options;
    if (ahead === undefined)
      throw new BadImageError("it was begun while its agent ran, which this node does not read");
    return ahead.arrive(cell.program, this.#limitsOf(cell), cell.host());
  }

  #arriveFrozen(cell: Cell): NonNullable<Cell["arriving"]> {
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
    cell.instance = cell.arriving.finish();
    cell.arriving = undefined;
    this.#restoreMail(cell, mail);
  }

  async activate(agent: AgentId): Promise<void> {
    const cell = this.#here(agent);
    if (cell.arriving !== undefined) throw new BadImageError("it is not complete");
    if (cell.task === undefined) this.#run(cell);
  }

  async drop(agent: AgentId): Promise<void> {
    const cell = this.#cells.get(agent);
    if (cell === undefined) return;
    this.#forget(cell);
  }

  async vitals(agent: AgentId): Promise<CellVitals | undefined> {
    const cell = this.#cells.get(agent);
    if (cell === undefined) return undefined;
    const { receivedCount: received, waiting, instance } = cell;
    return { received, waiting, memoryBytes: instance?.memoryBytes ?? 0 };
  }

  #limitsOf(cell: Cell): Partial<EngineLimits> {
    return { ...this.#options.limits, memoryPages: cell.manifest.memoryPages };
  }

  #here(agent: AgentId): Cell {
    const cell = this.#cells.get(agent);
    if (cell === undefined) throw new NotHereError(agent);
    return cell;
  }

  async #add(agent: AgentId, manifest: AgentManifest): Promise<Cell> {
    if (this.#cells.has(agent)) throw new AlreadyHereError(agent);
    servicesFor(manifest.grants, this.#options.services);
    const admitted = await this.#options.engine.admit(manifest.program, manifest.grants);
    if (this.#cells.has(agent)) throw new AlreadyHereError(agent);
    const known = this.#programs.get(admitted.hash);
    const shared = known ?? { program: admitted, users: 0 };
    shared.users++;
    this.#programs.set(admitted.hash, shared);
    const cell = new Cell(agent, manifest, shared.program, this.#options);
    this.#cells.set(agent, cell);
    return cell;
  }

  #forget(cell: Cell): void {
    const { kernel } = this.#options;
    if (this.#cells.get(cell.agent) !== cell) return;
    this.#cells.delete(cell.agent);
    const shared = this.#programs.get(cell.program.hash);
    if (shared !== undefined && --shared.users === 0) this.#programs.delete(cell.program.hash);
    if (cell.taskId !== undefined) kernel.kill(cell.taskId, "dropped");
    this.#dropHandles(cell);
    cell.arriving?.dispose?.();
    cell.instance?.dispose();
  }

  #dropHandles(cell: Cell): void {
    if (cell.task === undefined) return;
    this.#options.kernel.drop(cell.task.inbox);
    this.#options.kernel.drop(cell.task.control);
    if (cell.taskId !== undefined) this.#tasks.delete(cell.taskId);
    cell.task = undefined;
    cell.taskId = undefined;
  }

  #restoreMail(cell: Cell, mail: FrozenMail | undefined): void {
    if (mail === undefined) return;
    cell.backlog.unshift(...mail.mailbox);
    cell.waiting = cell.backlog.length;
    cell.asker = mail.asker;
    cell.receivedCount = mail.received;
    cell.sleepRestMs = mail.sleepMs;
  }

  #run(cell: Cell): void {
    const { kernel } = this.#options;
    const inbox = kernel.mailbox<MailItem>({
      capacity: MAILBOX_MESSAGES_MAX,
      high: MAILBOX_MESSAGES_MAX,
      low: 1,
    });
    const control = kernel.notification();
    cell.task = { inbox, control };
    cell.freezeWanted = false;
    const give = [
      { handle: inbox, rights: RIGHTS.receive },
      { handle: control, rights: RIGHTS.receive },
      ...giftsOf(cell.services),
    ];
    const { name } = cell.manifest;
    // A guest that computes gives way after every slice; without this it would go on for as long as no other task is ready.
    const turn = cell.instance.preemptible ? { quantum: SLICES_PER_TURN } : {};
    cell.taskId = kernel.spawn(guestTask(cell), { name, give, ...turn });
    this.#tasks.set(cell.taskId, cell);
    kernel.onExit(cell.taskId, (exit) => this.#taskEnded(cell, exit as Exit<GuestTaskEnd>));
  }

  #taskEnded(cell: Cell, exit: Exit<GuestTaskEnd>): void {
    if (this.#cells.get(cell.agent) !== cell) return;
    this.#dropHandles(cell);
    if (exit.kind !== "ok") {
      const why = exit.kind === "failed" ? exit.error : exit.reason;
      this.#end(cell, { kind: "failed", message: why instanceof Error ? why.message : String(why) });
    } else if (exit.value.kind === "frozen") this.#frozen(cell, exit.value);
    else this.#end(cell, exit.value);
  }

  #frozen(cell: Cell, { mailbox, sleepMs }: Extract<GuestTaskEnd, { kind: "frozen" }>): void {
    const mail: FrozenMail = { mailbox, asker: cell.asker, received: cell.receivedCount, sleepMs };
    const listener = cell.onFrozen;
    cell.onFrozen = undefined;
    cell.frozen = mail;
    if (listener === undefined) void this.thaw(cell.agent);
    else listener(mail);
  }

  #end(cell: Cell, end: CellEnd): void {
    const failFreeze = cell.onFreezeFailed;
    this.#forget(cell);
    failFreeze?.(new GuestFailedError(cell.agent, end.kind === "failed" ? end.message : "it finished"));
    this.#options.gate.ended(cell.agent, end);
  }
}
