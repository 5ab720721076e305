/**
 * The imports a guest is given: every pointer is checked before it is used, and no JavaScript exception reaches the guest.
 *
 * H1. A blocking import with bad arguments answers at once with an error code; otherwise it suspends the guest.
 * H2. A pointer range outside memory 0 answers E_FAULT and nothing is read or written.
 * H3. A host function that throws stops the guest by a trap, with the exception kept as the cause.
 */

import type { GuestHost, HostFunction, HostModule } from "@glia-os/abi/ports";
import { GUEST_ERRORS, HOST_IMPORTS, HOST_MODULE } from "@glia-os/abi/wire";
import type { ModuleImport } from "../binary/outline.ts";
import { KIND } from "../binary/outline.ts";
import { HostFailedError } from "../errors.ts";
import type { LinearMemory, Namespace } from "../web-assembly.ts";
import { trap } from "./trap.ts";

/** What host calls need of the instance they serve. */
export interface CallSite {
  readonly memory: LinearMemory;
  readonly host: GuestHost;
  readonly messageBytes: number;
  /** Bytes of log output still allowed; host calls lower it. */
  logBytesLeft: number;
  /** Trap unless the guest runs normally (it may not call anything while it is being suspended or put back). */
  requireRunning(name: string): void;
  /** Suspend at a blocking call. */
  suspend(op: string, args: readonly number[]): number;
  /** The answer of the call the guest was suspended at, when it is just being put back there. */
  resumed(op: string): number | undefined;
  /** Remember why the guest is about to be stopped. */
  stopped(error: unknown): void;
}

type Import = (...args: (number | bigint)[]) => number | bigint | undefined;

const utf8 = new TextDecoder("utf-8");
const MOST_LOG_LEVEL = 4;
const BLOCKING = new Set(HOST_IMPORTS.filter(({ blocking }) => blocking).map(({ name }) => name));

/** The import object's functions for the imports a module declares; they were granted and type-checked at admission. */
export function hostCalls(
  site: CallSite,
  imports: readonly ModuleImport[],
  hostModules: readonly HostModule[],
): Record<string, Namespace> {
  const all: Record<string, Record<string, unknown>> = {
    [HOST_MODULE]: { memory: site.memory },
  };
  for (const { module, name, kind } of imports) {
    if (kind !== KIND.function) continue;
    const functions = (all[module] ??= {});
    functions[name] =
      module === HOST_MODULE ? guestCall(site, name) : moduleCall(site, module, name, hostModules);
  }
  return all;
}

function guestCall(site: CallSite, name: string): Import {
  const perform = CALLS[name];
  // While a guest is put back its arguments are not computed again and mean nothing: the answer comes before any check.
  if (BLOCKING.has(name)) return (...args) => site.resumed(name) ?? perform?.(site, ...args.map(Number));
  return (...args) => {
    site.requireRunning(name);
    return guarded(site, name, () => perform?.(site, ...args.map(Number)));
  };
}

function moduleCall(
  site: CallSite,
  module: string,
  name: string,
  hostModules: readonly HostModule[],
): Import {
  const declared = hostModules.find((one) => one.name === module)?.functions[name] as HostFunction;
  return (...args) => {
    site.requireRunning(`${module}/${name}`);
    return guarded(site, `${module}/${name}`, () => {
      const result = declared.call(new Uint8Array(site.memory.buffer), ...args);
      if (declared.result === "none") return undefined;
      return declared.result === "i64" ? BigInt(result) : Number(result);
    });
  };
}

function guarded<T>(site: CallSite, name: string, perform: () => T): T {
  try {
    return perform();
  } catch (cause) {
    site.stopped(new HostFailedError(name, cause));
    return trap();
  }
}

type Perform = (site: CallSite, ...args: number[]) => number | bigint | undefined;

const CALLS: Readonly<Record<string, Perform>> = {
  receive(site, pointer = 0, capacity = 0) {
    return range(site, pointer, capacity) === undefined
      ? GUEST_ERRORS.E_FAULT
      : site.suspend("receive", [pointer >>> 0, capacity >>> 0]);
  },
  sleep(site, durationMs = 0) {
    return durationMs < 0 || durationMs > Number.MAX_SAFE_INTEGER
      ? GUEST_ERRORS.E_RANGE
      : site.suspend("sleep", [durationMs]);
  },
  yield: (site) => site.suspend("yield", []),
  exit: (site, status = 0) => site.suspend("exit", [status]),
  reply(site, pointer = 0, length = 0) {
    const payload = range(site, pointer, length);
    if (payload === undefined) return GUEST_ERRORS.E_FAULT;
    if (payload.length > site.messageBytes) return GUEST_ERRORS.E_TOO_BIG;
    return site.host.reply(payload.slice());
  },
  log(site, level = 0, pointer = 0, length = 0) {
    const text = range(site, pointer, length);
    if (text === undefined) return GUEST_ERRORS.E_FAULT;
    if (level < 0 || level > MOST_LOG_LEVEL) return GUEST_ERRORS.E_RANGE;
    if (text.length > site.logBytesLeft) return GUEST_ERRORS.E_LIMIT;
    site.logBytesLeft -= text.length;
    site.host.log(level, utf8.decode(text));
    return 0;
  },
  now: (site) => BigInt(Math.trunc(site.host.wallMs())),
  random(site, pointer = 0, length = 0) {
    const target = range(site, pointer, length);
    if (target === undefined) return GUEST_ERRORS.E_FAULT;
    if (target.length > site.messageBytes) return GUEST_ERRORS.E_TOO_BIG;
    // The host fills its own buffer: it never holds a view of the guest's memory.
    const filled = new Uint8Array(target.length);
    site.host.random(filled);
    target.set(filled);
    return 0;
  },
};

/** A view of (pointer, length) in guest memory, or undefined when any of it lies outside (H2). */
export function range(
  { memory }: { readonly memory: LinearMemory },
  pointer: number,
  length: number,
): Uint8Array | undefined {
  const start = pointer >>> 0;
  const bytes = length >>> 0;
  return start + bytes > memory.buffer.byteLength ? undefined : new Uint8Array(memory.buffer, start, bytes);
}
