/**
 * The imports a guest is given: every pointer is checked before it is used, and no JavaScript exception reaches the guest.
 *
 * H1. A blocking import with bad arguments answers at once with an error code; otherwise it suspends the guest.
 * H2. A pointer range outside memory 0 answers E_FAULT and nothing is read or written.
 * H3. A host function that throws stops the guest by a trap, with the exception kept as the cause.
 * H4. A function of a host module suspends the guest only when it is declared to, and only with integers.
 * H5. A view of guest memory costs fuel by its length, so that a guest cannot keep the host busy for next to none.
 */

import type { CallResult, GuestHost, HostFunction, HostModule, HostWait } from "@glia-os/abi/ports";
import { GUEST_ERRORS, HOST_IMPORTS, HOST_MODULE } from "@glia-os/abi/wire";
import type { ModuleImport } from "../binary/outline.ts";
import { KIND } from "../binary/outline.ts";
import { BadHostWaitError, HostFailedError } from "../errors.ts";
import type { OpenedModules } from "../host-module/opened.ts";
import type { LinearMemory, Namespace } from "../web-assembly.ts";
import { range, writable } from "./guest-range.ts";
import { trap } from "./trap.ts";

/** The answer to the call a guest was suspended at, with the arguments it was suspended with. */
export interface Resumption extends CallResult {
  readonly args: readonly number[];
}

/** What host calls need of the instance they serve. */
export interface CallSite {
  readonly memory: LinearMemory;
  readonly host: GuestHost;
  readonly messageBytes: number;
  /** Bytes of log output still allowed; host calls lower it. */
  logBytesLeft: number;
  /** Trap unless the guest runs normally (it may not call anything while it is being suspended or put back). */
  requireRunning(name: string): void;
  /** Suspend at a blocking call. `at` names the import when it is not the one of `op`. */
  suspend(op: string, args: readonly number[], at?: string): number;
  /** The answer of the call the guest was suspended at, when it is just being put back there. */
  resumed(at: string): Resumption | undefined;
  /** Remember why the guest is about to be stopped. */
  stopped(error: unknown): void;
  /** Count work done for the guest, in fuel. */
  charge(fuel: number): void;
  /** The host is about to look at guest memory or to write it: comes back when the pages of the range are there, or traps. */
  needed(pointer: number, length: number): void;
  /** The host is about to write guest memory from `pointer` on. */
  touched(pointer: number, length: number): void;
  /** Whether the guest has asked to end and is about to be stopped for it. */
  readonly exiting: boolean;
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
  opened: OpenedModules,
): Record<string, Namespace> {
  const all: Record<string, Record<string, unknown>> = {
    [HOST_MODULE]: { memory: site.memory },
  };
  for (const { module, name, kind } of imports) {
    if (kind !== KIND.function) continue;
    const functions = (all[module] ??= {});
    functions[name] =
      module === HOST_MODULE ? guestCall(site, name) : moduleCall(site, module, name, hostModules, opened);
  }
  return all;
}

function guestCall(site: CallSite, name: string): Import {
  if (name === "now") return nowCall(site);
  const perform = CALLS[name];
  const arity = HOST_IMPORTS.find((one) => one.name === name)?.params.length ?? 0;
  // Parameters are spelled out, because this is the path of every cheap call: no import takes more than three.
  if (BLOCKING.has(name)) return ofArity(arity, blockingCall(site, name, perform));
  // Only blocking ones take an i64.
  const call: Import = (first, second, third) => {
    site.requireRunning(name);
    let result: number | bigint | undefined;
    try {
      result = perform?.(site, first as number, second as number, third as number);
    } catch (cause) {
      return failed(site, name, cause);
    }
    return site.exiting ? trap() : result;
  };
  return ofArity(arity, call);
}

/** While a guest is put back its arguments are not computed again and mean nothing: the answer comes before any check. */
function blockingCall(site: CallSite, name: string, perform: Syscall | undefined): Import {
  return (first, second, third) => {
    const answer = site.resumed(name);
    return answer === undefined
      ? perform?.(site, integer(first), integer(second), integer(third))
      : answer.value;
  };
}

/** An argument as a number; an i64 comes as a bigint, and one that is not there stays so. */
function integer(argument: number | bigint | undefined): number {
  return typeof argument === "bigint" ? Number(argument) : (argument as number);
}

/** The cheapest call of all, in a function of its own: what is called in the shared one differs from import to import. */
function nowCall(site: CallSite): Import {
  return () => {
    site.requireRunning("now");
    try {
      return BigInt(Math.trunc(site.host.wallMs()));
    } catch (cause) {
      return failed(site, "now", cause);
    }
  };
}

/** The function with the parameters its import declares: WebAssembly calls such a one without an adaptor. */
function ofArity(arity: number, call: Import): Import {
  if (arity === 0) return () => call();
  if (arity === 1) return (first) => call(first as number);
  return arity === 2 ? (first, second) => call(first as number, second as number) : call;
}

function moduleCall(
  site: CallSite,
  module: string,
  name: string,
  hostModules: readonly HostModule[],
  opened: OpenedModules,
): Import {
  const at = `${module}/${name}`;
  const declared = hostModules.find((one) => one.name === module)?.functions[name] as HostFunction;
  const { calls = {}, resumes = {} } = opened.of(module) ?? {};
  const call = calls[name] as Perform | undefined;
  const cast = CASTS[declared.result];
  const perform = (args: (number | bigint)[]): number | bigint | undefined => {
    site.requireRunning(at);
    const result = guarded(site, at, () => call?.(...args));
    if (typeof result === "object") return site.suspend(...checkWait(site, at, declared, result), at);
    return guarded(site, at, () => cast(result));
  };
  if (declared.suspends !== true) return (...args) => perform(args);
  return (...args) => {
    const answer = site.resumed(at);
    if (answer === undefined) return perform(args);
    return guarded(site, at, () => cast(resumes[name]?.(answer.args, answer) ?? answer.value));
  };
}

type Perform = (...args: (number | bigint)[]) => number | bigint | HostWait | undefined;

/** To the import's result type; a number where an i64 is due, or the other way round, is the module's mistake and throws. */
const CASTS: Readonly<
  Record<HostFunction["result"], (result: number | bigint | undefined) => number | bigint | undefined>
> = {
  none: () => undefined,
  i64: (result) => BigInt(result ?? 0),
  i32: Number,
  f32: Number,
  f64: Number,
};

const MOST_ARGUMENTS = 16;
const OP_LENGTH = 64;

/** The operation and arguments of a wait, when the function may suspend and both can be written down (H4); traps otherwise. */
function checkWait(
  site: CallSite,
  at: string,
  { suspends, result }: HostFunction,
  { op, args }: HostWait,
): [op: string, args: readonly number[]] {
  const syscall = HOST_IMPORTS.find(({ name, blocking }) => name === op && blocking && name !== "exit");
  const known =
    syscall === undefined ? op === at && op.length <= OP_LENGTH : syscall.params.length === args.length;
  const fits = args.length <= MOST_ARGUMENTS && args.every(Number.isSafeInteger);
  // A suspended import gives its guest 0 on the way out, which an i64 import could not take as a number.
  if (suspends === true && known && fits && result === "i32") return [op, [...args]];
  site.stopped(new BadHostWaitError(at, op));
  return trap();
}

function failed(site: CallSite, name: string, cause: unknown): never {
  if (!site.exiting) site.stopped(new HostFailedError(name, cause));
  return trap();
}

function guarded<T>(site: CallSite, name: string, perform: () => T): T {
  let result: T;
  try {
    result = perform();
  } catch (cause) {
    return failed(site, name, cause);
  }
  // A module that caught the trap of `exit` does not keep its guest running.
  return site.exiting ? trap() : result;
}

type Syscall = (site: CallSite, ...args: number[]) => number | bigint | undefined;

const CALLS: Readonly<Record<string, Syscall>> = {
  receive(site, pointer = 0, capacity = 0) {
    return range(site, pointer, capacity) === undefined
      ? GUEST_ERRORS.E_FAULT
      : site.suspend("receive", [pointer >>> 0, capacity >>> 0]);
  },
  receive_within(site, pointer = 0, capacity = 0, durationMs = 0) {
    if (range(site, pointer, capacity) === undefined) return GUEST_ERRORS.E_FAULT;
    return durationMs < 0 || durationMs > Number.MAX_SAFE_INTEGER
      ? GUEST_ERRORS.E_RANGE
      : site.suspend("receive_within", [pointer >>> 0, capacity >>> 0, durationMs]);
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
  random(site, pointer = 0, length = 0) {
    const target = writable(site, pointer, length);
    if (target === undefined) return GUEST_ERRORS.E_FAULT;
    if (target.length > site.messageBytes) return GUEST_ERRORS.E_TOO_BIG;
    // The host fills its own buffer: it never holds a view of the guest's memory.
    const filled = new Uint8Array(target.length);
    site.host.random(filled);
    target.set(filled);
    return 0;
  },
};
