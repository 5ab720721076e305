/**
 * The engine of kind `wasm`: admits modules and makes instances of them (port `Engine` of `@glia-os/abi/ports`).
 *
 * E1. A module is compiled once, at admission; its instances share the code, also those of a later admission (known-programs.ts).
 * E2. Instances share nothing else: each has its own memories and globals, and one that fails leaves the others as they were.
 */

import type {
  AdmittedProgram,
  Engine,
  EngineLimits,
  GuestHost,
  HostModule,
  InstanceImage,
} from "@glia-os/abi/ports";
import { checkGrants, checkGuest, type GuestShape } from "../admission.ts";
import { requireSignature, splitSignature } from "../artefact.ts";
import { type Tracking, trackingOf } from "../barrier/tracking.ts";
import { wakeInstance } from "../checkpoint/wake.ts";
import { BadLimitError, ModuleTooBigError, NotAModuleError } from "../errors.ts";
import type { PostCopyHandover } from "../postcopy/arrival-state.ts";
import type { LentProgram } from "../postcopy/borrowed.ts";
import { type Presence, type PresenceModules, presenceModules, presenceWith } from "../presence/variants.ts";
import { sha256Hex } from "../profile.ts";
import type { Checkpoint, DecodeLimits } from "../snapshot/decode.ts";
import type { Heartbeat } from "../watchdog.ts";
import { type CompiledModule, type LinearMemory, webAssembly } from "../web-assembly.ts";
import { type Arrival, arrivalOf, postCopied, sharedRoom } from "./arrival.ts";
import { BodyPool, spareRoom } from "./body.ts";
import { checkHostModules } from "./host-modules.ts";
import { WasmInstance } from "./instance.ts";
import { KnownPrograms } from "./known-programs.ts";
import { completeLimits } from "./limits.ts";
import type { Program } from "./program.ts";

/** How to make an engine. */
export interface WasmEngineOptions {
  /** Host functions a guest can be granted besides `glia.v1`. */
  readonly hostModules?: readonly HostModule[];
  /** Where steps are announced, so that another thread can notice one that does not end. */
  readonly heartbeat?: Heartbeat;
  /** Longest module in bytes. Default 64 MiB. */
  readonly moduleBytes?: number;
  /**
   * Raw Ed25519 public keys, 32 bytes each: only modules signed by one of them are admitted (artefact.ts). Default: signatures are
   * not asked for, and one that is there is taken off unread.
   */
  readonly admissionKeys?: readonly Uint8Array[];
  /**
   * Most memories of guests that have ended which are kept for the next ones of the same program, with at most 64 MiB together: a
   * spawn then costs a fraction of a new one. Guests of programs with host modules, and guests whose memory grew, leave none.
   * Default 32.
   */
  readonly spareInstances?: number;
}

/** An admitted module whose instances are {@link WasmInstance}s. */
export interface WasmProgram extends AdmittedProgram {
  /** What the module was before instrumentation: SHA-256 as hexadecimal. */
  readonly original: string;
  instantiate(limits: Partial<EngineLimits>, host: GuestHost): WasmInstance;
  restore(image: InstanceImage, limits: Partial<EngineLimits>, host: GuestHost): WasmInstance;
  /**
   * The guest whose state is `increment` to `base`, put together in the memory it goes on in: quicker than {@link restore} of what
   * `applyIncrement` gives, and the same guest.
   * @throws as both of them
   */
  wake(
    base: Checkpoint,
    increment: Uint8Array,
    limits: Partial<EngineLimits>,
    host: GuestHost,
    decodeLimits?: DecodeLimits,
  ): WasmInstance;
  /**
   * The form of the module that marks which pages its guests write, for {@link PreCopySource}: made and compiled at the first
   * call, some milliseconds for a small module. A guest that arrived by post-copy is in shared memory and needs the form for that.
   * @throws NotInstrumentedError for the profile `none`, UnsupportedFeatureError
   */
  tracking(memory?: "private" | "shared"): Promise<Tracking>;
  /** Room for a guest that arrives page by page, for {@link PreCopyTarget}. @throws MemoryLimitError, UnsupportedFeatureError */
  arrival(pages: number, limits: Partial<EngineLimits>, host: GuestHost): Arrival;
  /**
   * The forms of the module for guests that arrive by post-copy: made and compiled at the first call, as {@link tracking}, unless another thread
   * made them (`borrowed`). @throws NotInstrumentedError for the profile `none`, UnsupportedFeatureError
   */
  presence(made?: PresenceModules): Promise<Presence>;
  /** What another thread of the process needs to run guests of this program that arrive by post-copy: data that can be posted. */
  lend(): LentProgram;
  /** Memory for {@link PostCopyTarget}: `room` grown to so many pages, or new. @throws MemoryLimitError, SnapshotMismatchError */
  sharedRoom(pages: number, limits: Partial<EngineLimits>, room?: LinearMemory): LinearMemory;
  /**
   * A guest that a {@link PostCopyTarget} in another thread was handed over, stopped where it was at the source. While it runs it waits
   * for pages that are missing; the first step after the last of them has come goes on in a module without checks.
   * @throws SnapshotMismatchError, MemoryLimitError, HostModuleMissingError
   */
  arrive(
    presence: Presence,
    handover: PostCopyHandover,
    limits: Partial<EngineLimits>,
    host: GuestHost,
  ): WasmInstance;
}

/** The engine; `admit` gives the concrete program type. */
export interface WasmEngine extends Engine {
  readonly kind: "wasm";
  admit(program: Uint8Array, grants: readonly string[]): Promise<WasmProgram>;
}

const MODULE_BYTES = 64 * 1024 * 1024;
const SPARE_INSTANCES = 32;
const MOST_SPARE_INSTANCES = 4096;
const SPARE_BYTES = 64 * 1024 * 1024;

/** An engine that runs instrumented WebAssembly modules in the calling thread. */
export function createWasmEngine(options: WasmEngineOptions = {}): WasmEngine {
  const hostModules = checkHostModules(options.hostModules ?? []);
  const moduleBytes = options.moduleBytes ?? MODULE_BYTES;
  const spares = options.spareInstances ?? SPARE_INSTANCES;
  if (!Number.isInteger(spares) || spares < 0 || spares > MOST_SPARE_INSTANCES)
    throw new BadLimitError("spareInstances", spares, 0, MOST_SPARE_INSTANCES);
  const room = spareRoom(spares, SPARE_BYTES);
  const known = new KnownPrograms<WasmProgram>();
  const shapes = new WeakMap<WasmProgram, GuestShape>();
  let instances = 0;
  return {
    kind: "wasm",
    async admit(bytes, grants) {
      if (bytes.length > moduleBytes) throw new ModuleTooBigError(bytes.length, moduleBytes);
      // A copy: what was checked is what is compiled, whatever the caller does with its array meanwhile.
      const given = new Uint8Array(bytes);
      const given256 = sha256Hex(given);
      const seen = known.get(given256);
      const seenShape = seen === undefined ? undefined : shapes.get(seen);
      if (seen !== undefined && seenShape !== undefined) {
        checkGrants(seenShape, grants, hostModules);
        return seen;
      }
      const own = unsigned(given, options.admissionKeys);
      const shape = checkGuest(own);
      checkGrants(shape, grants, hostModules);
      const plan = { module: await compile(own), shape, hostModules };
      const hash = sha256Hex(own);
      const bodies = new BodyPool(plan, room);
      const program: Program = { hash, shape, hostModules, heartbeat: options.heartbeat, bodies };
      const tracking: { private?: Promise<Tracking>; shared?: Promise<Tracking> } = {};
      const source = { hash, bytes: own, shape, hostModules };
      let made: PresenceModules | undefined;
      let making: Promise<PresenceModules> | undefined;
      const admitted: WasmProgram = {
        hash: program.hash,
        exports: shape.exports,
        original: shape.profile.original,
        instantiate: (limits, host) => new WasmInstance(program, ++instances, completeLimits(limits), host),
        restore: (image, limits, host) =>
          WasmInstance.restored(program, ++instances, image, completeLimits(limits), host),
        wake: (base, increment, limits, host, decodeLimits) =>
          wakeInstance(program, ++instances, { base, increment }, completeLimits(limits), host, decodeLimits),
        tracking: (memory = "private") => (tracking[memory] ??= trackingOf(source, memory === "shared")),
        arrival: (pages, limits, host) =>
          arrivalOf({ program, plan, bytes: own }, ++instances, pages, completeLimits(limits), host),
        presence: async (given) => {
          made ??= given ?? (await (making ??= presenceModules(source)));
          return presenceWith(source, made);
        },
        lend: () => ({ hash, shape, form: made ?? own }),
        sharedRoom: (pages, limits, room) => sharedRoom(program, pages, completeLimits(limits), room),
        arrive: (checks, handover, limits, host) =>
          postCopied(program, ++instances, checks, handover, completeLimits(limits), host),
      };
      shapes.set(admitted, shape);
      known.add(given256, admitted, given.length);
      return admitted;
    },
  };
}

function unsigned(bytes: Uint8Array, keys: readonly Uint8Array[] | undefined): Uint8Array {
  return keys === undefined ? splitSignature(bytes).module : requireSignature(bytes, keys);
}

async function compile(bytes: Uint8Array): Promise<CompiledModule> {
  try {
    return await webAssembly.compile(bytes);
  } catch (cause) {
    throw new NotAModuleError(cause instanceof Error ? cause.message : String(cause));
  }
}
