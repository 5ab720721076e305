/**
 * One running guest.
 *
 * W1. A step runs the guest until it waits, finishes or fails, and never throws for what the guest did; it throws only for a
 *     caller's mistake, and then nothing has changed.
 * W2. While a call is pending nothing of the guest is on the native stack, so its state can be copied at any time (port G2).
 * W3. After `finished`, `failed` or `dispose` no guest code runs again (port G3).
 * W4. A guest that does not follow the suspension protocol (it keeps running after a blocking call, or does not come back to the
 *     call it was suspended at) is stopped by a trap at its next host call or when it returns.
 */

import type {
  CallResult,
  EngineInstance,
  EngineLimits,
  GuestHost,
  HostModule,
  InstanceImage,
  PendingCall,
  StepOutcome,
} from "@glia-os/abi/ports";
import type { GuestShape } from "../admission.ts";
import {
  BadResultError,
  GuestProtocolError,
  GuestTrappedError,
  HostFailedError,
  HostMemoryError,
  InstanceEndedError,
  MemoryLimitError,
  NotPendingError,
  PayloadTooBigError,
  SnapshotMismatchError,
  StackExhaustedError,
} from "../errors.ts";
import { ENTRY_EXPORT, PAGE_BYTES, STACK_PAGES, START_EXPORT } from "../layout.ts";
import { copySparse } from "../sparse-copy.ts";
import type { Heartbeat } from "../watchdog.ts";
import { type CompiledModule, type LinearMemory, type Namespace, webAssembly } from "../web-assembly.ts";
import { type CallSite, hostCalls, range } from "./host-calls.ts";
import {
  checkPending,
  decodeControl,
  encodeControl,
  encodeGlobals,
  restoreGlobals,
  sectionOf,
} from "./image.ts";
import { Suspension } from "./suspension.ts";
import { trap } from "./trap.ts";

/** What every instance of one program shares. */
export interface Program {
  readonly hash: string;
  readonly module: CompiledModule;
  readonly shape: GuestShape;
  readonly hostModules: readonly HostModule[];
  readonly heartbeat: Heartbeat | undefined;
}

function reserve(initial: number, maximum: number): LinearMemory {
  try {
    return new webAssembly.Memory({ initial, maximum });
  } catch (cause) {
    throw new HostMemoryError(initial, cause);
  }
}

function sparseCopy(source: Uint8Array): Uint8Array {
  const copy = new Uint8Array(source.length);
  copySparse(copy, source);
  return copy;
}

function instantiate(module: CompiledModule, imports: Record<string, Namespace>): Namespace {
  try {
    return new webAssembly.Instance(module, imports).exports;
  } catch (cause) {
    // A data or element segment that lies outside traps here; address space for the stack memory may also be short.
    throw cause instanceof RangeError
      ? new HostMemoryError(STACK_PAGES, cause)
      : new GuestTrappedError(cause);
  }
}

/** A guest in memory; see the port {@link EngineInstance}. */
export class WasmInstance implements EngineInstance, CallSite {
  /** The number this instance has in the heartbeat, from 1, unique in its engine. */
  readonly number: number;
  readonly memory: LinearMemory;
  readonly host: GuestHost;
  readonly messageBytes: number;
  logBytesLeft: number;
  readonly #program: Program;
  readonly #stepMs: number;
  #exports: Namespace;
  #suspension: Suspension;
  #phase: "start" | "main" = "main";
  #state: "fresh" | "running" | "suspended" | "resuming" | "finished" | "failed" | "disposed" = "fresh";
  #pending: PendingCall | undefined;
  #requests = 0;
  #answer = 0;
  #why: unknown;

  constructor(
    program: Program,
    number: number,
    limits: EngineLimits,
    host: GuestHost,
    initialPages?: number,
  ) {
    const { minimum, maximum } = program.shape.memory;
    const needed = initialPages ?? minimum;
    if (needed > limits.memoryPages) throw new MemoryLimitError(needed, limits.memoryPages);
    this.number = number;
    this.host = host;
    this.messageBytes = limits.messageBytes;
    this.logBytesLeft = limits.logBytes;
    this.#program = program;
    this.#stepMs = limits.stepMs;
    this.memory = reserve(needed, Math.min(maximum, limits.memoryPages));
    const imports = hostCalls(this, program.shape.imports, program.hostModules);
    this.#exports = instantiate(program.module, imports);
    this.#suspension = new Suspension(this.#exports);
    if (program.shape.hasStart) this.#phase = "start";
  }

  /** An instance that continues `image`. @throws SnapshotMismatchError, MemoryLimitError */
  static restored(
    program: Program,
    number: number,
    image: InstanceImage,
    limits: EngineLimits,
    host: GuestHost,
  ): WasmInstance {
    if (image.moduleHash !== program.hash)
      throw new SnapshotMismatchError("the module", image.moduleHash, program.hash);
    const { profile } = program.shape.profile;
    if (image.profile !== profile) throw new SnapshotMismatchError("the profile", image.profile, profile);
    const pending = checkPending(image.pending);
    const control = decodeControl(sectionOf(image, "control"));
    const memory = sectionOf(image, "memory");
    const pages = memory.length / PAGE_BYTES;
    const { minimum, maximum } = program.shape.memory;
    if (!Number.isInteger(pages) || pages < minimum || pages > maximum)
      throw new SnapshotMismatchError("section memory", `${pages} pages`, `${minimum} to ${maximum}`);
    const instance = new WasmInstance(program, number, limits, host, pages);
    copySparse(new Uint8Array(instance.memory.buffer), memory);
    restoreGlobals(instance.#exports, program.shape.globals, sectionOf(image, "globals"));
    instance.#suspension.restore(sectionOf(image, "stack"));
    if (control.phase === 0 && !program.shape.hasStart)
      throw new SnapshotMismatchError("phase", "start", "main");
    instance.#phase = control.phase === 0 ? "start" : "main";
    instance.logBytesLeft = Math.min(control.logBytesLeft, limits.logBytes);
    instance.#pending = pending;
    instance.#requests = pending.requestId;
    instance.#state = "suspended";
    return instance;
  }

  get pending(): PendingCall | undefined {
    return this.#pending;
  }

  get memoryBytes(): number {
    return this.#state === "disposed" ? 0 : this.memory.buffer.byteLength;
  }

  /** Run until the guest waits, finishes or fails (W1). @throws BadResultError, PayloadTooBigError, InstanceEndedError */
  step(result?: CallResult): StepOutcome {
    this.#requireAlive();
    if (this.#state === "fresh") {
      if (result !== undefined)
        throw new BadResultError("the first step takes no result: no call is pending");
      this.#state = "running";
    } else this.#prepareAnswer(result);
    this.#program.heartbeat?.begin(this.number, this.#stepMs);
    try {
      return this.#run();
    } finally {
      this.#program.heartbeat?.end();
    }
  }

  /** The whole state (W2). @throws NotPendingError, InstanceEndedError */
  snapshot(share = false): InstanceImage {
    this.#requireAlive();
    if (this.#pending === undefined || this.#state !== "suspended") throw new NotPendingError();
    const { hash, shape } = this.#program;
    const memory = new Uint8Array(this.memory.buffer);
    return {
      moduleHash: hash,
      profile: shape.profile.profile,
      pending: { ...this.#pending, args: [...this.#pending.args] },
      sections: {
        control: encodeControl({ phase: this.#phase === "start" ? 0 : 1, logBytesLeft: this.logBytesLeft }),
        globals: encodeGlobals(this.#exports, shape.globals),
        memory: share ? memory : sparseCopy(memory),
        stack: this.#suspension.frames(),
      },
    };
  }

  /** Drop the memory. Idempotent; afterwards every other call is refused. */
  dispose(): void {
    if (this.#state === "disposed") return;
    this.#state = "disposed";
    this.#pending = undefined;
    this.#exports = {};
    (this as { memory: LinearMemory }).memory = new webAssembly.Memory({ initial: 0, maximum: 0 });
    this.#suspension = undefined as never;
  }

  requireRunning(name: string): void {
    if (this.#state !== "running") this.#breach(`it called ${name} while it was ${this.#state}`);
  }

  suspend(op: string, args: readonly number[]): number {
    this.requireRunning(op);
    this.#requests += 1;
    this.#pending = { requestId: this.#requests, op, args };
    this.#state = "suspended";
    this.#suspension.startUnwind();
    return 0;
  }

  stopped(error: unknown): void {
    this.#why ??= error;
  }

  resumed(op: string): number | undefined {
    if (this.#state !== "resuming") return undefined;
    if (op !== this.#pending?.op || !this.#suspension.rewinding)
      this.#breach(`it came back to ${op}, not to ${this.#pending?.op}`);
    this.#suspension.stopRewind();
    this.#pending = undefined;
    this.#state = "running";
    return this.#answer;
  }

  #breach(problem: string): never {
    this.stopped(new GuestProtocolError(problem));
    return trap();
  }

  #requireAlive(): void {
    if (this.#state === "finished" || this.#state === "failed" || this.#state === "disposed") {
      const how = this.#state === "disposed" ? "been disposed" : this.#state;
      throw new InstanceEndedError(how);
    }
    if (this.#state === "running" || this.#state === "resuming")
      throw new BadResultError("the instance is in a step: a host function called it");
  }

  #prepareAnswer(result: CallResult | undefined): void {
    const call = this.#pending as PendingCall;
    if (result === undefined)
      throw new BadResultError(`the guest waits for ${call.op}; the step needs its result`);
    const { value, payload } = result;
    if (!Number.isInteger(value) || value < -0x8000_0000 || value > 0x7fff_ffff)
      throw new BadResultError(`the result ${value} of ${call.op} is not a 32-bit integer`);
    this.#answer = value;
    if (payload !== undefined) this.#deliver(call, payload);
    this.#state = "resuming";
  }

  #deliver({ op, args }: PendingCall, payload: Uint8Array): void {
    if (op !== "receive") throw new BadResultError(`the call ${op} takes no payload`);
    const [pointer = 0, capacity = 0] = args;
    if (payload.length > this.messageBytes)
      throw new PayloadTooBigError(payload.length, this.messageBytes, "limit");
    if (payload.length > capacity) throw new PayloadTooBigError(payload.length, capacity, "buffer");
    const target = range(this, pointer, payload.length);
    if (target === undefined) throw new BadResultError("the guest's buffer lies outside its memory");
    target.set(payload);
    this.#answer = payload.length;
  }

  #run(): StepOutcome {
    try {
      for (;;) {
        if (this.#state === "resuming") this.#suspension.startRewind();
        const entry = this.#exports[this.#phase === "start" ? START_EXPORT : ENTRY_EXPORT] as () =>
          | number
          | undefined;
        const status = entry();
        if (this.#pending !== undefined) return this.#suspended();
        if (this.#why !== undefined) return this.#fail(this.#why);
        if (this.#phase === "start") this.#phase = "main";
        else return this.#finish(status ?? 0);
      }
    } catch (cause) {
      return this.#fail(this.#why ?? this.#failureOf(cause));
    }
  }

  /** The entry returned while a call is pending: the frames are saved, unless the guest broke the protocol (W4). */
  #suspended(): StepOutcome {
    const call = this.#pending as PendingCall;
    if (this.#state !== "suspended" || !this.#suspension.unwinding)
      return this.#fail(
        this.#why ?? new GuestProtocolError(`it returned without being suspended at ${call.op}`),
      );
    this.#suspension.stopUnwind();
    if (call.op === "exit") return this.#finish(call.args[0] ?? 0);
    return { kind: "pending", call };
  }

  #finish(status: number): StepOutcome {
    this.#pending = undefined;
    this.#state = "finished";
    return { kind: "finished", status };
  }

  #fail(error: unknown): StepOutcome {
    this.#pending = undefined;
    this.#state = "failed";
    return { kind: "failed", error };
  }

  #failureOf(cause: unknown): unknown {
    if (cause instanceof RangeError) return new StackExhaustedError("for the native stack", cause);
    if (!(cause instanceof webAssembly.RuntimeError)) return new HostFailedError("(unknown)", cause);
    // Asyncify checks that a frame fits and traps when it does not, while it is still unwinding.
    if (this.#wasUnwinding())
      return new StackExhaustedError(`to be suspended in ${this.#suspension.bytes} bytes`, cause);
    return new GuestTrappedError(cause);
  }

  /** Whether frames were being saved. A guest whose answer to that traps is taken to say no: a step never throws for it (W1). */
  #wasUnwinding(): boolean {
    try {
      return this.#state === "suspended" && this.#suspension.unwinding;
    } catch {
      return false;
    }
  }
}
