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

import {
  type CallResult,
  type EngineInstance,
  type EngineLimits,
  type GuestHost,
  type InstanceImage,
  type PendingCall,
  PREEMPTED_OP,
  type StepOutcome,
} from "@glia-os/abi/ports";
import { DirtyMarks } from "../barrier/dirty-marks.ts";
import type { Tracking } from "../barrier/tracking.ts";
import {
  AlreadyTrackedError,
  BadResultError,
  FuelExhaustedError,
  GuestProtocolError,
  InstanceEndedError,
  NotPendingError,
  NotResidentError,
  PostCopyLostError,
  SnapshotMismatchError,
} from "../errors.ts";
import { encodeHostState, type HostState } from "../host-module/host-section.ts";
import { OpenedModules } from "../host-module/opened.ts";
import { FUEL_YIELD, START_EXPORT } from "../layout.ts";
import type { Residence } from "../postcopy/residence.ts";
import { copySparse, sparseCopy } from "../sparse-copy.ts";
import type { LinearMemory } from "../web-assembly.ts";
import { takeAnswer } from "./answer.ts";
import { Body, emptyMemory, isShared, type Occupant } from "./body.ts";
import { checkedImage } from "./checked-image.ts";
import { failureOf } from "./failure.ts";
import { FuelMeter } from "./fuel-meter.ts";
import type { Resumption } from "./host-calls.ts";
import { type Control, encodeControl, sectionOf } from "./image.ts";
import type { Program } from "./program.ts";
import { roomFor } from "./room.ts";
import { trap } from "./trap.ts";

const kindOf = (shared: boolean): string => (shared ? "shared" : "private");

/** A guest in memory; see the port {@link EngineInstance}. */
export class WasmInstance implements EngineInstance, Occupant {
  /** The number this instance has in the heartbeat, from 1, unique in its engine. */
  readonly number: number;
  readonly memory: LinearMemory;
  readonly host: GuestHost;
  readonly messageBytes: number;
  readonly limits: EngineLimits;
  logBytesLeft: number;
  /** Steps begun so far. */
  steps: number = 0;
  readonly #program: Program;
  #body: Body;
  #phase: "start" | "main" = "main";
  #state: "fresh" | "running" | "suspended" | "resuming" | "finished" | "failed" | "disposed" = "fresh";
  #pending: PendingCall | undefined;
  #requests = 0;
  #answer: Resumption = { value: 0, args: [] };
  /** The import of the pending call: its op, or `module/name` of a host module. */
  #at = "";
  #exit: number | undefined;
  #why: unknown;
  #fuel: FuelMeter | undefined;
  readonly #modules: OpenedModules;
  /** While its writes are tracked: the body it came from, and where they are marked. */
  #untracked: Body | undefined;
  #marks: DirtyMarks | undefined;
  /** While pages of a post-copy are on the way. */
  #residence: Residence | undefined;

  constructor(
    program: Program,
    number: number,
    limits: EngineLimits,
    host: GuestHost,
    initial?: number | LinearMemory,
    saved?: HostState,
  ) {
    const room = roomFor(program, limits, initial);
    this.number = number;
    this.host = host;
    this.messageBytes = limits.messageBytes;
    this.logBytesLeft = limits.logBytes;
    this.#program = program;
    this.limits = limits;
    this.#residence = program.arriving?.residence;
    this.memory = room.memory ?? emptyMemory();
    this.#modules = new OpenedModules(this, program.shape.imports, program.hostModules, saved?.modules);
    try {
      const dirty = initial !== undefined;
      this.#body = program.bodies.take({ ...room, occupant: this, modules: this.#modules, dirty });
    } catch (error) {
      this.#modules.close("disposed");
      throw error;
    }
    this.memory = this.#body.memory;
    this.#countFuel(0);
    if (program.shape.hasStart) this.#phase = "start";
  }

  /**
   * An instance that continues `image`: a new one, `ready` that has not run, or one in the memory `ready`. The image's memory is
   * copied unless it is the instance's own already.
   * @throws SnapshotMismatchError, MemoryLimitError
   */
  static restored(
    program: Program,
    number: number,
    image: InstanceImage,
    limits: EngineLimits,
    host: GuestHost,
    ready?: WasmInstance | LinearMemory,
  ): WasmInstance {
    const { pages, saved, pending, control } = checkedImage(program, image);
    const instance =
      ready instanceof WasmInstance
        ? ready
        : new WasmInstance(program, number, limits, host, ready ?? pages, saved);
    try {
      const memory = sectionOf(image, "memory");
      if (memory.buffer !== instance.memory.buffer)
        copySparse(new Uint8Array(instance.memory.buffer), memory);
      instance.#body.place(image);
    } catch (error) {
      instance.dispose();
      throw error;
    }
    instance.#phase = control.phase === 0 ? "start" : "main";
    instance.logBytesLeft = Math.min(control.logBytesLeft, limits.logBytes);
    instance.#pending = pending;
    instance.#at = saved.waiting ?? pending.op;
    instance.#countFuel(control.fuelUsed ?? 0);
    instance.#requests = pending.requestId;
    instance.#state = "suspended";
    return instance;
  }

  get pending(): PendingCall | undefined {
    return this.#pending?.op === PREEMPTED_OP ? undefined : this.#pending;
  }

  get preemptible(): boolean {
    return this.#program.shape.profile.profile === "preemptive";
  }

  get fuelUsed(): number {
    return this.#fuel?.used ?? 0;
  }

  get memoryBytes(): number {
    return this.#state === "disposed" ? 0 : this.memory.buffer.byteLength;
  }

  read(pointer: number, length: number): Uint8Array | undefined {
    const [start, bytes] = [pointer >>> 0, length >>> 0];
    if (start + bytes > this.memoryBytes) return undefined;
    return new Uint8Array(this.memory.buffer, start, bytes).slice();
  }

  /**
   * Run until the guest waits, uses up its slice of fuel, finishes or fails (W1).
   * @throws BadResultError, PayloadTooBigError, InstanceEndedError
   */
  step(result?: CallResult, fuel?: number): StepOutcome {
    this.#requireAlive();
    this.#settle();
    this.#fuel?.begin(fuel);
    if (this.#state === "fresh") {
      if (result !== undefined)
        throw new BadResultError("the first step takes no result: no call is pending");
      this.#state = "running";
    } else if (!this.#answered(result)) return this.#fail(this.#why);
    this.steps += 1;
    this.#program.heartbeat?.begin(this.number, this.limits.stepMs);
    try {
      return this.#run();
    } finally {
      this.#program.heartbeat?.end();
    }
  }

  /** Hash and profile of the module it runs. */
  get program(): { readonly hash: string; readonly profile: string } {
    return { hash: this.#program.hash, profile: this.#program.shape.profile.profile };
  }

  /** Whether it is in memory that another thread has, too: it arrived by post-copy. */
  get shared(): boolean {
    return isShared(this.memory);
  }

  /** Pages of 4 KiB that are still on the way. */
  get missingPages(): number {
    return this.#residence?.left ?? 0;
  }

  /** The whole state (W2); what fits into the sections `into` is written there. @throws NotPendingError, InstanceEndedError, NotResidentError */
  snapshot(share = false, into: InstanceImage["sections"] = {}): InstanceImage {
    this.#requireSuspended();
    this.#requireResident();
    const { hash, shape } = this.#program;
    const pending = this.#pending as PendingCall;
    const memory = this.#body.bytes;
    return {
      moduleHash: hash,
      profile: shape.profile.profile,
      pending: { ...pending, args: [...pending.args] },
      sections: {
        control: encodeControl(this.#control(), into["control"]),
        memory: share ? memory : sparseCopy(memory),
        ...this.#body.registers(into),
        ...this.#hostSection(),
      },
    };
  }

  #control(): Control {
    const phase = this.#phase === "start" ? 0 : 1;
    return { phase, logBytesLeft: this.logBytesLeft, fuelUsed: this.#fuel?.used };
  }

  #countFuel(used: number): void {
    this.#fuel = FuelMeter.of(
      this.#body.exports,
      this.#program.shape.profile.profile,
      this.limits.fuel,
      used,
    );
  }

  /**
   * Let the suspended guest go on in the module of `plan`, which marks the pages it writes, on the same memory.
   * @throws NotPendingError, InstanceEndedError, AlreadyTrackedError, SnapshotMismatchError for another program's, HostMemoryError
   */
  track({ hash, shared, plan }: Tracking): DirtyMarks {
    this.#requireSuspended();
    this.#requireResident();
    if (hash !== this.#program.hash)
      throw new SnapshotMismatchError("the module that tracks", hash, this.#program.hash);
    if (shared !== this.shared)
      throw new SnapshotMismatchError(
        "the memory of the module that tracks",
        kindOf(shared),
        kindOf(this.shared),
      );
    if (this.#marks !== undefined) throw new AlreadyTrackedError();
    const body = new Body(plan, this.memory, this.#body.maximum, this, this.#modules);
    this.#untracked = this.#body;
    this.#move(body);
    this.#marks = DirtyMarks.of(body.exports);
    return this.#marks;
  }

  /** Back into the module it came from, if `marks` are those it is tracked with now. @throws BadResultError in a step */
  untrack(marks: DirtyMarks): void {
    const untracked = this.#untracked;
    if (untracked === undefined || marks !== this.#marks) return;
    if (this.#state === "suspended") this.#move(untracked);
    else if (this.#state === "running" || this.#state === "resuming") this.#requireAlive();
    this.#untracked = undefined;
    this.#marks = undefined;
  }

  #move(body: Body): void {
    const used = this.fuelUsed;
    body.place({ sections: this.#body.registers() });
    this.#body = body;
    this.#countFuel(used);
  }

  needed(pointer: number, length: number): void {
    this.#residence?.hold(this, this.#state === "running", pointer, length);
  }

  /** Go on in the module without presence checks, if every page is there. */
  #settle(): boolean {
    const [residence, plan] = [this.#residence, this.#program.arriving?.settled];
    if (residence === undefined || plan === undefined) return true;
    if (!residence.complete) return false;
    if (this.#state === "suspended")
      this.#move(new Body(plan, this.memory, this.#body.maximum, this, this.#modules));
    residence.close();
    this.#residence = undefined;
    return true;
  }

  #requireResident(): void {
    if (!this.#settle()) throw new NotResidentError(this.missingPages);
  }

  touched(pointer: number, length: number): void {
    this.#marks?.mark(pointer, length);
  }

  /** The section `host`, when there is anything to say in it. */
  #hostSection(): { readonly host?: Uint8Array } {
    if (this.#modules.none) return {};
    const modules = this.#modules.save();
    const waiting = this.#at.includes("/") ? this.#at : undefined;
    return { host: encodeHostState({ waiting, modules }) };
  }

  /** Drop the memory. Idempotent; afterwards every other call is refused. */
  dispose(): void {
    if (this.#state === "disposed") return;
    const { bodies } = this.#program;
    const orderly = this.#state !== "failed" && this.#state !== "running" && this.#state !== "resuming";
    this.#state = "disposed";
    this.#pending = undefined;
    this.#fuel = undefined;
    (this as { memory: LinearMemory }).memory = emptyMemory();
    if (orderly) bodies.give(this.#untracked ?? this.#body, this.#modules);
    this.#body = undefined as never;
    this.#untracked = undefined;
    this.#marks = undefined;
    this.#residence?.close();
    this.#residence = undefined;
    this.#modules.close("disposed");
  }

  requireRunning(name: string): void {
    if (this.#state !== "running") this.#breach(`it called ${name} while it was ${this.#state}`);
  }

  suspend(op: string, args: readonly number[], at: string = op): number {
    this.requireRunning(op);
    this.#requests += 1;
    this.#leave({ requestId: this.#requests, op, args }, at);
    return 0;
  }

  /**
   * The guest has used up its slice: it stops here, or it has just been put back here and goes on. `again` is what it will charge
   * a second time for the turn of a loop that it starts anew.
   */
  preempted(again: number): void {
    if (this.resumed(PREEMPTED_OP) !== undefined) return;
    this.requireRunning(FUEL_YIELD);
    this.#leave({ requestId: Math.max(1, this.#requests), op: PREEMPTED_OP, args: [] }, PREEMPTED_OP);
    this.#fuel?.forgive(again);
  }

  #leave(call: PendingCall, at: string): void {
    this.#pending = call;
    this.#at = at;
    this.#state = "suspended";
    this.#fuel?.pause();
    this.#fuel?.allow();
    this.#body.suspension.startUnwind();
  }

  stopped(error: unknown): void {
    this.#why ??= error;
  }

  charge(fuel: number): void {
    this.#fuel?.charge(fuel);
  }

  get exiting(): boolean {
    return this.#exit !== undefined;
  }

  exit(status: number): never {
    this.#exit = status | 0;
    return trap();
  }

  resumed(at: string): Resumption | undefined {
    if (this.#state !== "resuming") return undefined;
    if (at !== this.#at || !this.#body.suspension.rewinding)
      this.#breach(`it came back to ${at}, not to ${this.#at}`);
    this.#body.suspension.stopRewind();
    this.#pending = undefined;
    this.#state = "running";
    this.#fuel?.run();
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

  #requireSuspended(): void {
    this.#requireAlive();
    if (this.#pending === undefined || this.#state !== "suspended") throw new NotPendingError();
  }

  /** Whether the answer was taken; not when the page it belongs into will not come. */
  #answered(result: CallResult | undefined): boolean {
    try {
      this.#answer =
        takeAnswer(this, this.#modules, { call: this.#pending as PendingCall, at: this.#at }, result) ??
        this.#answer;
      this.#state = "resuming";
      return true;
    } catch (error) {
      if (error instanceof PostCopyLostError) return false;
      throw error;
    }
  }

  #run(): StepOutcome {
    if (this.#fuel?.spent === true) return this.#fail(new FuelExhaustedError(this.#fuel.used, "life"));
    try {
      for (;;) {
        if (this.#state === "resuming") {
          this.#fuel?.allow();
          this.#body.suspension.startRewind();
        } else this.#fuel?.run();
        const entry = this.#body.exports[
          this.#phase === "start" ? START_EXPORT : this.#program.shape.entry
        ] as () => number | undefined;
        const status = entry();
        if (this.#pending !== undefined) return this.#suspended();
        if (this.#why !== undefined) return this.#fail(this.#why);
        this.#fuel?.pause();
        if (this.#phase === "start") this.#phase = "main";
        else return this.#finish(status ?? 0);
      }
    } catch (cause) {
      this.#fuel?.pause();
      if (this.#exit !== undefined) return this.#finish(this.#exit);
      return this.#fail(this.#why ?? this.#failureOf(cause));
    }
  }

  /** The entry returned while a call is pending: the frames are saved, unless the guest broke the protocol (W4). */
  #suspended(): StepOutcome {
    const call = this.#pending as PendingCall;
    if (this.#state !== "suspended" || !this.#body.suspension.unwinding)
      return this.#fail(
        this.#why ?? new GuestProtocolError(`it returned without being suspended at ${call.op}`),
      );
    this.#body.suspension.stopUnwind();
    if (call.op === PREEMPTED_OP) return this.#yielded();
    if (call.op === "exit") return this.#finish(call.args[0] ?? 0);
    return { kind: "pending", call };
  }

  #yielded(): StepOutcome {
    if (this.#fuel?.spent === true) return this.#fail(new FuelExhaustedError(this.#fuel.used, "life"));
    return { kind: "yielded" };
  }

  #finish(status: number): StepOutcome {
    this.#pending = undefined;
    this.#state = "finished";
    try {
      this.#modules.close("ended");
    } catch (error) {
      return this.#fail(error);
    }
    return { kind: "finished", status };
  }

  #fail(error: unknown): StepOutcome {
    this.#pending = undefined;
    this.#state = "failed";
    try {
      this.#modules.close("ended");
    } catch {
      // The guest's own failure is the one to report.
    }
    return { kind: "failed", error };
  }

  #failureOf(cause: unknown): unknown {
    const running = this.#state === "running";
    this.#fuel?.pause();
    return failureOf(cause, {
      dry: running ? this.#fuel : undefined,
      // Asyncify checks that a frame fits and traps when it does not, while it is still unwinding.
      saving: this.#state === "suspended" && this.#body.suspension.saving ? this.#body.suspension : undefined,
    });
  }
}
