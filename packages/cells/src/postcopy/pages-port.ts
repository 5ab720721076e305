/**
 * Cells that run before their memory is there (docs/spec/postcopy.md): what gate and runner say to each other of them, and what a runner needs for it.
 *
 * PG1. `said` of a cell comes in the order in which it was said, and before the answer to the call that caused it.
 * PG2. A cell that is lost ends as one that failed; `whole` and that exclude each other.
 * PG3. What a guest does elsewhere with its capabilities, and its replies, are noted here in their order: before the end of the step in which it did it,
 *      and before it is whole.
 */
import type { AgentId } from "@glia-os/abi/ids";
import type {
  AdmittedProgram,
  CallResult,
  EngineInstance,
  EngineLimits,
  GuestHost,
  GuestNote,
  GuestRange,
  PendingCall,
  StepOutcome,
} from "@glia-os/abi/ports";
import type { PagesAnswer } from "@glia-os/mesh-core";
import type { AgentManifest } from "../agent-manifest.ts";

/** What the gate asks of the runner. */
export interface PagesRunnerPort {
  /**
   * The first piece of a cell that runs, which is to go on elsewhere before its pages are there; more with `readAhead`, the rest but its pages with
   * `readImage`. Undefined for one that cannot be read in rounds yet, before its first blocking call. @throws {NoPostCopyError}
   */
  beginPages(agent: AgentId, move: string, rounds: boolean): Promise<Uint8Array | undefined>;
  /** What the destination said; what it gets next. The cell need not be here any more. */
  servePages(move: string, said: Uint8Array): Promise<PagesAnswer>;
  /** The destination of a move needs nothing any more. Idempotent. */
  releasePages(move: string): Promise<void>;
  /** Prepare to build a cell whose pages come after it: it gets a thread of its own until they are there. @throws {NoPostCopyError} */
  stagePages(agent: AgentId): Promise<void>;
  /** The next bytes of its source; whether everything is there. Rejects when they are wrong; the cell is lost then. */
  takePages(agent: AgentId, bytes: Uint8Array): Promise<boolean>;
  /** No more of it comes. One-way. */
  losePages(agent: AgentId, why: string): void;
}

/** What the runner tells the gate. */
export interface PagesGatePort {
  /** To be said to the source of a cell. */
  said(agent: AgentId, bytes: Uint8Array): void;
  /** Every page is there, and the cell runs where all others do. */
  whole(agent: AgentId): void;
}

/** A guest that is read while it runs, and whose pages are read after it stopped. */
export interface ReadingPages {
  /** As of one that is read ahead: the next piece, at most 1 MiB; undefined when the rest is best read while the guest stands still. */
  next(): Uint8Array | undefined;
  /** The rest but its pages, in pieces of at most 1 MiB, of a guest that stands still. */
  last(): Iterator<Uint8Array>;
  /** The guest goes on as if it had not been read. */
  cancel(): void;
  /** What the destination said, in pieces of any size; what it gets next, at most 1 MiB. */
  serve(said: Uint8Array): PagesAnswer;
}

/** A guest on its way in. */
export interface ArrivingPages {
  push(piece: Uint8Array): void;
  /** The guest, once all but its pages is there. */
  finish(): AwayGuest;
  dispose(): void;
}

/** How a step ended that was made elsewhere, with the bytes that a call on a capability points at. */
export type AwayOutcome = StepOutcome & { readonly ranges?: readonly GuestRange[] };

/** A guest that another thread runs while its pages come. */
export interface AwayGuest {
  readonly preemptible: boolean;
  readonly memoryBytes: number;
  /** The call it waits in, if it waits. */
  readonly pending: PendingCall | undefined;
  /** The guest where all others are. Rejects when it is lost, after which nothing of it runs. */
  readonly whole: Promise<EngineInstance>;
  /** As `step` of an instance. One at a time. */
  step(result: CallResult | undefined, fuel: number): Promise<AwayOutcome>;
  /** The call it waits in as the end of a step, without one: for a call that it brought along. Not while it steps. */
  stand(): Promise<AwayOutcome>;
  /** The next bytes of the source; whether everything is there. @throws when they are wrong */
  take(bytes: Uint8Array): boolean;
  /** No more bytes come. Idempotent. */
  lose(why: string): void;
  /** End it and its thread, whatever it does. Idempotent. */
  dispose(): void;
}

/** What a guest that arrives is made of. */
export interface PagesArrival {
  readonly agent: AgentId;
  readonly manifest: AgentManifest;
  readonly program: AdmittedProgram;
  readonly limits: Partial<EngineLimits>;
  readonly host: GuestHost;
  /** Whether a reply of the guest would reach anybody now. */
  readonly mayReply: () => boolean;
  /** What the guest did with its capabilities, and its replies (PG3). */
  readonly noted: (notes: readonly GuestNote[]) => void;
  /** What is to be said to the source. */
  readonly said: (bytes: Uint8Array) => void;
}

/** Reads guests whose pages follow them, and takes such in. */
export interface PagesCodec {
  /** Undefined with `rounds` for a guest before its first blocking call. @throws {NoPostCopyError} */
  read(
    agent: AgentId,
    program: AdmittedProgram,
    instance: EngineInstance,
    rounds: boolean,
  ): Promise<ReadingPages | undefined>;
  /** @throws {NoPostCopyError} */
  arrive(arrival: PagesArrival): Promise<ArrivingPages>;
}
