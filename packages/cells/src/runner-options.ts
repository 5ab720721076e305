/** What a runner of cells is made of, and how it turns guests into bytes. */
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
import type { Kernel } from "@glia-os/kernel";
import type { CellService } from "./cell-services.ts";
import type { PagesCodec, PagesGatePort } from "./postcopy/pages-port.ts";
import type { RunnerReplication } from "./replica/replica-ports.ts";
import type { CellGatePort } from "./runner-port.ts";

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
  /** Default: agents do not move by post-copy from here or to here. */
  readonly pages?: { readonly codec: PagesCodec; readonly gate: PagesGatePort };
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
  readonly gate: CellGatePort;
  /** Bounds of every guest beside its memory, which its manifest sets. Default: the engine's. */
  readonly limits?: Omit<Partial<EngineLimits>, "memoryPages">;
  /** What agents may be given by their manifests. Default: nothing. */
  readonly services?: readonly CellService[];
  /** Default: agents with a replica are refused. */
  readonly replication?: RunnerReplication;
}
