/**
 * One cell on its runner's side.
 *
 * RC1. `host` is what its guest may ask for without waiting. Of a cell with a replica all of it is recorded, and comes from a record where there is one.
 */
import type { AgentId } from "@glia-os/abi/ids";
import type { AdmittedProgram, CallResult, EngineInstance, GuestHost, GuestNote } from "@glia-os/abi/ports";
import { GUEST_ERRORS } from "@glia-os/abi/wire";
import type { Handle, TaskId } from "@glia-os/kernel";
import type { HeldCapabilities } from "@glia-os/kernel/guests";
import type { AgentManifest } from "./agent-manifest.ts";
import { type CellService, heldOf, servicesFor } from "./cell-services.ts";
import type { GuestTaskCell } from "./guest-task.ts";
import { MailOrder } from "./mail-order.ts";
import type { AwayGuest, AwayOutcome } from "./postcopy/pages-port.ts";
import { Checkpoints } from "./replica/checkpoints.ts";
import type { TapeItem } from "./replica/entries.ts";
import { replicaOf } from "./replica/grants.ts";
import type { RunnerReplication } from "./replica/replica-ports.ts";
import { Tape } from "./replica/tape.ts";
import type { CellRunnerOptions, ReadingAhead } from "./runner-options.ts";
import type { Asker, FrozenMail, MailItem } from "./runner-port.ts";

/** The engine's default. */
const MESSAGE_BYTES = 1_048_576;
const LEVELS = ["trace", "debug", "info", "warn", "error"] as const;
/** Longest reply: the largest payload of a link. */
const REPLY_BYTES_MAX: number = 1024 * 1024;

/** The shell's ends of what a cell's task waits on. */
export interface TaskHandles {
  readonly inbox: Handle<MailItem>;
  readonly control: Handle;
  /** How steps end that are made elsewhere. */
  readonly steps: Handle<AwayOutcome> | undefined;
}

/** A cell where its kernel is: its mailbox, its guest, and what the two wait for. */
export class RunnerCell implements GuestTaskCell {
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
  /** Set until it stands still, or will not: who reads its image waits for that. */
  freezing: Promise<FrozenMail> | undefined;
  freezeWanted = false;
  freezesAtMessage = false;
  onFrozen: ((mail: FrozenMail) => void) | undefined;
  onFreezeFailed: ((error: unknown) => void) | undefined;
  frozen: FrozenMail | undefined;
  image: Iterator<Uint8Array> | undefined;
  /** What takes the image in. */
  arriving:
    | { push(piece: Uint8Array): void; finish(): EngineInstance | AwayGuest; dispose?(): void }
    | undefined;
  ahead: ReadingAhead | undefined;
  /** Set until all of its pages are there; `instance` is not, meanwhile. */
  away: AwayGuest | undefined;
  /** What it did elsewhere with its capabilities, its replies included, and its task has not done after it. */
  readonly notes: GuestNote[] = [];
  asker: Asker | undefined;
  receivedCount = 0;
  waitingCount = 0;
  sleepRestMs: number | undefined;
  /** The wait of the guest at the moment, if it is in one that ends by itself. */
  wait: { readonly startedMs: number; readonly durationMs: number } | undefined;
  readonly checkpoints: Checkpoints | undefined;
  tape: Tape | undefined;
  readonly order: MailOrder | undefined;
  restoring = false;
  /** How long ago the first wait after a replay began. */
  waitedMs: number | undefined;

  constructor(agent: AgentId, manifest: AgentManifest, program: AdmittedProgram, runner: CellRunnerOptions) {
    this.agent = agent;
    this.manifest = manifest;
    this.program = program;
    this.services = servicesFor(manifest.grants, runner.services);
    this.held = heldOf(this.services);
    this.messageBytes = runner.limits?.messageBytes ?? MESSAGE_BYTES;
    this.#runner = runner;
    const replication = replicaOf(manifest) === undefined ? undefined : runner.replication;
    this.checkpoints = replication && new Checkpoints(replication.codec);
    this.order = replication === undefined ? new MailOrder() : undefined;
    this.tape = replication && this.newTape(replication);
  }

  /** A tape that tells its entries; `replay` is what the guest is given first. */
  newTape(replication: RunnerReplication, replay: readonly TapeItem[] = []): Tape {
    const { port } = replication;
    const told = (entry: Uint8Array, outputs?: Uint8Array): void => port.inputs(this.agent, entry, outputs);
    return new Tape(told, (number) => port.wantsHeld(this.agent, number), replay);
  }

  recorded(handle: number): boolean {
    const target = this.held.targetOf(handle);
    return this.services.some(({ name, recorded }) => recorded === true && name === target);
  }

  /** It is to stand still: `freezing` until it does, or will not. */
  async freezes(freezing: Promise<FrozenMail>): Promise<FrozenMail> {
    this.freezing = freezing;
    try {
      return await freezing;
    } finally {
      if (this.freezing === freezing) this.freezing = undefined;
    }
  }

  /** The guest, wherever it is. */
  get guest(): EngineInstance | AwayGuest {
    return this.away ?? this.instance;
  }

  stepAway(result: CallResult | undefined, fuel: number): void {
    this.#tellTask(this.away?.step(result, fuel));
  }

  standAway(): void {
    this.#tellTask(this.away?.stand());
  }

  #tellTask(outcome: Promise<AwayOutcome> | undefined): void {
    const tell = (told: AwayOutcome): void => {
      if (this.task?.steps !== undefined) this.#runner.kernel.trySend(this.task.steps, told);
    };
    outcome?.then(tell, (error: unknown) => tell({ kind: "failed", error }));
  }

  waiting(durationMs: number | undefined): void {
    this.wait = durationMs === undefined ? undefined : { startedMs: this.monotonicMs(), durationMs };
  }

  /** Milliseconds its wait, or the one it goes on with, still has to go. */
  restOfWait(): number | undefined {
    if (this.wait === undefined) return this.sleepRestMs;
    return Math.max(0, this.wait.durationMs - (this.monotonicMs() - this.wait.startedMs));
  }

  monotonicMs(): number {
    return this.#runner.clock.monotonicMs();
  }

  takeSleepRest(durationMs: number): number {
    if (!(durationMs >= 0)) return durationMs;
    const { sleepRestMs, waitedMs = 0 } = this;
    this.sleepRestMs = undefined;
    this.waitedMs = undefined;
    return sleepRestMs ?? Math.max(0, durationMs - waitedMs);
  }

  received(item: MailItem): void {
    this.receivedCount++;
    this.waitingCount--;
    this.tape?.took();
    this.order?.took(item);
    this.asker = item.ask ? { link: item.link, seq: item.seq, from: item.from } : undefined;
    this.#runner.gate.taken(this.agent, 1, item.payload.length);
  }

  /** A guest that is being restored has no record yet, and must not find its clock behind what it saw before. */
  #wallMs(live: () => number): number {
    if (this.restoring) return Number.MAX_SAFE_INTEGER;
    return this.tape === undefined ? live() : this.tape.wallMs(live);
  }

  #random(target: Uint8Array): void {
    const live = (part: Uint8Array): void => void this.#runner.kernel.random.bytes(part);
    if (this.tape === undefined) live(target);
    else this.tape.random(target, live);
  }

  reply(payload: Uint8Array): number {
    if (this.asker === undefined) return GUEST_ERRORS.E_STATE;
    if (payload.length > REPLY_BYTES_MAX) return GUEST_ERRORS.E_LIMIT;
    this.tape?.flush();
    this.#runner.gate.replied(this.agent, this.asker, payload.slice());
    this.asker = undefined;
    return 0;
  }

  /** What the guest may ask for without waiting. */
  host(): GuestHost {
    const { logger, clock } = this.#runner;
    return {
      log: (level, text) =>
        logger.log(LEVELS[level] ?? "info", text, { agent: this.agent, name: this.manifest.name }),
      capabilities: this.held,
      wallMs: () => this.#wallMs(() => clock.wallMs()),
      random: (target) => this.#random(target),
      reply: (payload) => this.reply(payload),
    };
  }
}
