/**
 * Host modules: named groups of functions a guest can be granted besides `glia.v1` (docs/spec/host-abi.md, "Host modules and handles").
 *
 * HM1. What a module keeps for a guest is bytes (`save`) and handles with records; it travels in snapshots under the module's name
 *      and version, and a restore without that module in that version is refused.
 * HM2. A handle is a positive i32 that means something to one guest only. Never a pointer, never an object of the host.
 * HM3. A function reaches guest memory through {@link GuestMemory} alone, and keeps no view of it after the call.
 * HM4. Only functions marked `suspends` may make the guest wait.
 */

import type { CallResult, EngineLimits, GuestHost } from "./engine.ts";

/** WebAssembly value types that may cross to a host module. i64 crosses as a bigint. */
export type HostValue = "i32" | "i64" | "f32" | "f64";

/** The declaration of one function, checked against the guest's import at admission. */
export interface HostFunction {
  readonly params: readonly HostValue[];
  readonly result: HostValue | "none";
  /** The guest may be suspended here (HM4). Its pipeline must know: option `suspending` of `instrument`. Default false. */
  readonly suspends?: boolean;
}

/** Returned by a suspending function: the guest waits for `op`, and its driver answers. */
export interface HostWait {
  /** A blocking syscall of `glia.v1` (`sleep`, `yield`, `receive`), or `module/function` for the driver to know; at most 64 characters. */
  readonly op: string;
  /** At most 16 safe integers; for a syscall, as many as it takes. They travel in snapshots and are untrusted when they come back. */
  readonly args: readonly number[];
}

/** The implementation of one function. An i64 result must be a bigint. One that throws stops the guest (HA5). */
export type HostCall = (...args: never[]) => number | bigint | HostWait | undefined;

/** Turns the driver's answer to a {@link HostWait} into the result of the import; it may write to guest memory. Default: `value`. */
export type HostResume = (args: readonly number[], answer: CallResult) => number | bigint;

/** The guest's memory during a call. Offsets and lengths are taken as unsigned 32-bit. Where fuel is counted, 64 bytes of a view cost 1. */
export interface GuestMemory {
  /** Bytes of memory 0 at present. */
  readonly size: number;
  /** A view to read from, or undefined when any of it lies outside. Valid until the call returns. */
  reads(pointer: number, length: number): Uint8Array | undefined;
  /** A view to write to, or undefined when any of it lies outside. Valid until the call returns. */
  writes(pointer: number, length: number): Uint8Array | undefined;
}

/** How things behind handles are written down. */
export interface HandleCodec<Thing> {
  /** Most live handles of one guest, 1 to 65,536. */
  readonly quota: number;
  /** The record of a thing; the guest's snapshot holds it. */
  encode(thing: Thing): Uint8Array;
  /** The thing of a record. @throws when the record is not one of this module's */
  decode(record: Uint8Array): Thing;
}

/** Handles of one guest in one module (HM2). Same operations in the same order give the same numbers, also across moves. */
export interface HandleTable<Thing> {
  /** Live handles. */
  readonly size: number;
  /** A new handle, 1 or more; or E_LIMIT (-5) at the quota. */
  add(thing: Thing): number;
  /** The thing of a live handle. */
  get(handle: number): Thing | undefined;
  /** Forget a handle; the thing it meant, when it was live. */
  remove(handle: number): Thing | undefined;
  /** Live handles with their things, in slot order. */
  entries(): IterableIterator<[handle: number, thing: Thing]>;
}

/** What a module may touch of the guest it serves. */
export interface GuestAccess<Thing = unknown> {
  readonly memory: GuestMemory;
  /** The ports of the guest: clock, randomness, raw output. */
  readonly host: GuestHost;
  readonly limits: EngineLimits;
  readonly handles: HandleTable<Thing>;
  /** Write a log line within the guest's log budget; false when the budget is used up and nothing was written. */
  log(level: number, text: string): boolean;
  /**
   * Count work that the call does beyond looking at memory, in fuel; nothing where fuel is not counted. The amount depends on the guest's
   * calls alone, never on the machine.
   */
  charge(fuel: number): void;
  /** End the guest with this status. Never returns: nothing of the guest runs again. */
  exit(status: number): never;
}

/** A module at work for one guest. */
export interface OpenHostModule {
  /** The implementations, under the names declared. */
  readonly calls: Readonly<Record<string, HostCall>>;
  /** For suspending functions that do more with an answer than return its value. */
  readonly resumes?: Readonly<Record<string, HostResume>>;
  /** Everything kept for the guest besides handles, as bytes; `open` takes them back. Same state, same bytes. */
  save(): Uint8Array;
  /** The guest has `ended` (finished or failed), or was `disposed` before, for example because it moved away. Called once. */
  close?(how: "ended" | "disposed"): void;
}

/** A group of functions under one import module name. */
export interface HostModule<Thing = unknown> {
  /** The import module name, for example `glia.tensor.v1`. */
  readonly name: string;
  /** Version of its saved state and handle records, from 1. */
  readonly version: number;
  readonly functions: Readonly<Record<string, HostFunction>>;
  /** Set when functions give out handles. */
  readonly handles?: HandleCodec<Thing>;
  /**
   * Serve one guest. `saved` is what `save` gave, when the guest comes from a snapshot; snapshots may come from anybody, so it
   * is checked like any input. Nothing of the guest has run yet, and its memory may not be there: touch it in calls only.
   * @throws when `saved` is not a state of this module
   */
  open(guest: GuestAccess<Thing>, saved?: Uint8Array): OpenHostModule;
}
