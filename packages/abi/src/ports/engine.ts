/**
 * Engines run programs for the kernel (docs/spec/host-abi.md). A program asks for effects only through pending calls.
 *
 * G1. `step` runs until the program needs a syscall, finishes or fails; it never blocks on anything else.
 * G2. While a call is pending the program's whole state can be taken with `snapshot` and continued elsewhere with the same result.
 * G3. An instance that reported `finished` or `failed` is never stepped again.
 * G4. Limits are enforced by the engine; breaking one fails the instance and no other.
 */

/** A syscall a program waits for: travels in snapshots as `{requestId, op, args}`. */
export interface PendingCall {
  /** From 1, grows by one per blocking call of the instance. */
  readonly requestId: number;
  /** A name of the syscall table. */
  readonly op: string;
  /** The arguments as integers, in the order of the host ABI. Pointers refer to the guest's memory. */
  readonly args: readonly number[];
}

/** `op` of the pending call of an image whose guest was pre-empted: it waits for nothing, and the next step takes no result. */
export const PREEMPTED_OP = "preempted";

/** What a step came to. `yielded`: the slice of fuel is used up; step again, without a result, to go on. */
export type StepOutcome =
  | { readonly kind: "pending"; readonly call: PendingCall }
  | { readonly kind: "yielded" }
  | { readonly kind: "finished"; readonly status: number }
  | { readonly kind: "failed"; readonly error: unknown };

/** Bounds of one instance. Every field has a default stated by the engine and a hard maximum. */
export interface EngineLimits {
  /** Linear memory in 64 KiB pages. */
  readonly memoryPages: number;
  /** Longest message in or out, in bytes. */
  readonly messageBytes: number;
  /** Longest time one step may take, in milliseconds of wall time. */
  readonly stepMs: number;
  /** Most bytes of log output per instance. */
  readonly logBytes: number;
  /** Fuel the instance may use over its whole life, moves included (docs/spec/fuel.md); only metered programs count it. */
  readonly fuel: number;
}

/** A running program. */
export interface EngineInstance {
  /**
   * Start or go on. `result` answers the pending call; `undefined` for the first step and after `yielded`. `fuel` is the slice: a
   * whole number from 1 (docs/spec/fuel.md). When it is used up a pre-emptive program comes back as `yielded`, a metered one
   * fails, and others do not count. Default: what is left of the limit `fuel`.
   */
  step(result?: CallResult, fuel?: number): StepOutcome;
  /** Whether a used-up slice of fuel comes back as `yielded`. */
  readonly preemptible: boolean;
  /** Fuel used so far: exact, the same on every machine, part of images. 0 for programs that do not count. */
  readonly fuelUsed: number;
  /** The pending call, when there is one. */
  readonly pending: PendingCall | undefined;
  /**
   * The whole state as sections ready to be framed (G2). Only while a call is pending, or after `yielded`. With `share`, a section
   * may be a view of live memory, valid until the instance is stepped or disposed: for a reader that is done before, without a second copy of a large guest.
   */
  snapshot(share?: boolean): InstanceImage;
  /** Bytes of linear memory at present. */
  readonly memoryBytes: number;
  /**
   * A copy of bytes of linear memory, such as those a pending call points at; undefined when any of them lies outside. Offsets and
   * lengths are unsigned 32-bit. Empty for engines whose programs have no memory of that kind.
   */
  read(pointer: number, length: number): Uint8Array | undefined;
  /** Free everything. Idempotent. */
  dispose(): void;
}

/** The answer to a pending call. `value` is the integer the import returns; `payload` is copied into guest memory where the call's ABI says so. */
export interface CallResult {
  readonly value: number;
  readonly payload?: Uint8Array;
}

/** The state of an instance as data; `docs/spec/snapshot.md` gives the byte form. */
export interface InstanceImage {
  /** Hash of the module that ran, as hexadecimal. A restore under another module is refused. */
  readonly moduleHash: string;
  /** Instrumentation profile, for example `cooperative`. */
  readonly profile: string;
  /** Named sections: memory, globals, stack, tables. Owned by the image unless it was taken with `share`. */
  readonly sections: Readonly<Record<string, Uint8Array>>;
  /** The call the program waits for. */
  readonly pending: PendingCall;
}

/** Makes instances of one kind of program. */
export interface Engine {
  /** For example `wasm`. */
  readonly kind: string;
  /** Check a program before anything of it runs. @throws a typed error that names what was wrong. */
  admit(program: Uint8Array, grants: readonly string[]): Promise<AdmittedProgram>;
}

/** A program that passed admission and can be instantiated many times. */
export interface AdmittedProgram {
  /** SHA-256 of the program's bytes, as hexadecimal. */
  readonly hash: string;
  /** Names it exports, for engines whose programs have exports. */
  readonly exports?: readonly string[];
  /** A fresh instance. */
  instantiate(limits: Partial<EngineLimits>, host: GuestHost): EngineInstance;
  /** An instance that continues an image. @throws when the image does not fit this program. */
  restore(image: InstanceImage, limits: Partial<EngineLimits>, host: GuestHost): EngineInstance;
}

/** What an instance may ask for without waiting. Blocking calls come out of `step` instead. */
export interface GuestHost {
  /** Log output of the guest. */
  log(level: number, text: string): void;
  /** Milliseconds since the Unix epoch, as the guest may know them. */
  wallMs(): number;
  /** Fill with random bytes. */
  random(target: Uint8Array): void;
  /** Answer the message being handled. Returns 0, or a negative code of docs/spec/host-abi.md. */
  reply(payload: Uint8Array): number;
  /**
   * Raw output of a guest that has streams (WASI): 1 standard output, 2 standard error. A host without it gets the output as log
   * lines. The bytes are the receiver's to keep.
   */
  output?(stream: 1 | 2, bytes: Uint8Array): void;
  /** What the guest holds of the world (`glia.sys.v1`). A host without it gives nothing. */
  readonly capabilities?: GuestCapabilities;
}

/** How a capability is made anew after a move (docs/spec/capability-record.md). */
export type CapabilityKind = "rebind-by-name" | "remote" | "immovable";

/** A row of a guest's table of capabilities, as data. */
export interface GuestCapability {
  readonly kind: CapabilityKind;
  /** What the guest asks for it by: at most 64 characters; empty when it has no name there. */
  readonly name: string;
  /** What the host binds it by: 1 to 256 characters. */
  readonly target: string;
  /** Bits of `RIGHTS`. */
  readonly rights: number;
}

/**
 * The host's side of a guest's capabilities (docs/spec/host-abi.md, HA13 to HA16). The guest's rows are the engine's; what they stand
 * for is the host's. Handles are the guest's numbers. Nothing here waits.
 */
export interface GuestCapabilities {
  /** What a new guest holds, in this order: at most 256, names that are not empty differ. */
  readonly initial: readonly GuestCapability[];
  /**
   * Let `handle` stand for a row: derived from `parent`, or, when that is 0, what its target names. The rights it has then, at most
   * the row's; undefined when this host has nothing of that name. What throws stops the guest.
   */
  bind(handle: number, row: GuestCapability, parent: number): number | undefined;
  /** Whether a handle stands for this row here already: then also an immovable one wakes where it was put away. Default: no. */
  holds?(handle: number, row: GuestCapability): boolean;
  /** The guest gave a handle up. */
  drop(handle: number): void;
  /** End what was derived from a handle, for others too; the guest's own rows are told by {@link drop} afterwards. */
  revoke(handle: number): void;
  /** The capability number `index` that came with the message received last; each is given once. Bound by the next {@link bind}. */
  accept(index: number): GuestCapability | undefined;
}
