/**
 * Clocks, waiting and randomness of a WASI guest, from the host's ports.
 *
 * C1. The monotonic clock counts milliseconds from the guest's start and never goes back, also when the guest moves to a machine
 *     whose clock is behind.
 * C2. Waiting for a clock is the syscall `sleep`; waiting for descriptors never blocks, because all input is there from the start.
 */

import { createHash } from "node:crypto";
import type { GuestAccess, HostCall, HostWait } from "@glia-os/abi/ports";
import { ERRNO, type Errno } from "./errno.ts";
import { storeU32, storeU64, structure } from "./guest-views.ts";
import type { Polling, WasiState } from "./state.ts";

const CLOCK = { realtime: 0, monotonic: 1 } as const;
const NANOSECONDS = 1_000_000n;
const SUBSCRIPTION_BYTES = 48;
const EVENT_BYTES = 32;
const MOST_SUBSCRIPTIONS = 1024;
const EVENT_CLOCK = 0;
const ABSOLUTE = 1;
/** A thousand years: longer waits are waited for in steps of it. */
const LONGEST_MS = 31_557_600_000_000;
const BLOCK_BYTES = 32;

/** The functions, by name. */
export function clockCalls(state: WasiState, access: GuestAccess): Readonly<Record<string, HostCall>> {
  const { memory } = access;
  return {
    clock_res_get: (clock: number, out: number) => {
      if (clock !== CLOCK.realtime && clock !== CLOCK.monotonic) return ERRNO.inval;
      return storeU64(memory, out, NANOSECONDS) ? ERRNO.success : ERRNO.fault;
    },
    clock_time_get: (clock: number, _precision: bigint, out: number) => {
      const now = readClock(state, access, clock);
      if (now === undefined) return ERRNO.inval;
      return storeU64(memory, out, BigInt(now) * NANOSECONDS) ? ERRNO.success : ERRNO.fault;
    },
    sched_yield: (): HostWait => ({ op: "yield", args: [] }),
    poll_oneoff: (subscriptions: number, events: number, count: number, written: number) =>
      poll(state, access, { subscriptions, events, count: count >>> 0, written }),
    random_get: (pointer: number, length: number) => fillRandom(state, access, pointer, length),
  };
}

/** Milliseconds of a clock, or undefined for one that is not there. */
function readClock(state: WasiState, { host }: GuestAccess, clock: number): number | undefined {
  const wall = Math.trunc(host.wallMs());
  if (clock === CLOCK.realtime) return wall;
  if (clock !== CLOCK.monotonic) return undefined;
  state.monotonicMs = Math.max(state.monotonicMs, wall - state.originMs);
  return state.monotonicMs;
}

/** Go on from the last reading where the wall clock is behind the one of the machine the guest came from (C1). */
export function continueClock(state: WasiState, wallMs: number): void {
  state.originMs = Math.min(state.originMs, Math.max(0, Math.trunc(wallMs) - state.monotonicMs));
}

function poll(state: WasiState, access: GuestAccess, asked: Omit<Polling, "first">): HostWait | Errno {
  const { count } = asked;
  if (count === 0) return ERRNO.inval;
  if (count > MOST_SUBSCRIPTIONS) return ERRNO.inval;
  const table = structure(access.memory, asked.subscriptions, count * SUBSCRIPTION_BYTES);
  const room = access.memory.writes(asked.events, count * EVENT_BYTES);
  if (table === undefined || room === undefined || access.memory.writes(asked.written, 4) === undefined)
    return ERRNO.fault;
  const waits = Array.from({ length: count }, (_, index) => waitOf(state, access, table, index));
  const ready = waits.flatMap((wait, index) => (wait <= 0 ? [index] : []));
  if (ready.length > 0) return report(access, asked, ready);
  const first = waits.indexOf(Math.min(...waits));
  state.polling = { ...asked, first };
  return { op: "sleep", args: [Math.min(waits[first] as number, LONGEST_MS)] };
}

/** Milliseconds until a subscription is due; 0 for one that is, which all over descriptors and unknown clocks are (C2). */
function waitOf(state: WasiState, access: GuestAccess, table: DataView, index: number): number {
  const at = index * SUBSCRIPTION_BYTES;
  if (table.getUint8(at + 8) !== EVENT_CLOCK) return 0;
  const now = readClock(state, access, table.getUint32(at + 16, true));
  if (now === undefined) return 0;
  const timeout = table.getBigUint64(at + 24, true);
  const absolute = (table.getUint16(at + 40, true) & ABSOLUTE) !== 0;
  const left = absolute ? timeout - BigInt(now) * NANOSECONDS : timeout;
  return left <= 0n ? 0 : Number((left + NANOSECONDS - 1n) / NANOSECONDS);
}

/** The sleep is over: tell the guest which subscription it was waiting for. */
export function endPoll(state: WasiState, access: GuestAccess): Errno {
  const { polling } = state;
  state.polling = undefined;
  return polling === undefined ? ERRNO.inval : report(access, polling, [polling.first]);
}

function report({ memory }: GuestAccess, asked: Omit<Polling, "first">, ready: readonly number[]): Errno {
  for (const [place, index] of ready.entries()) {
    const subscription = structure(
      memory,
      asked.subscriptions + index * SUBSCRIPTION_BYTES,
      SUBSCRIPTION_BYTES,
    );
    const event = structure(memory, asked.events + place * EVENT_BYTES, EVENT_BYTES);
    if (subscription === undefined || event === undefined) return ERRNO.fault;
    const userdata = subscription.getBigUint64(0, true);
    const type = subscription.getUint8(8);
    for (let at = 0; at < EVENT_BYTES; at += 8) event.setBigUint64(at, 0n, true);
    event.setBigUint64(0, userdata, true);
    event.setUint8(10, type);
  }
  return storeU32(memory, asked.written, ready.length) ? ERRNO.success : ERRNO.fault;
}

function fillRandom(state: WasiState, access: GuestAccess, pointer: number, length: number): Errno {
  const target = access.memory.writes(pointer, length);
  if (target === undefined) return ERRNO.fault;
  if (target.length > access.limits.messageBytes) return ERRNO.inval;
  const { seed } = state.launch;
  if (seed === undefined) {
    // The host fills its own buffer: it never holds a view of the guest's memory.
    const filled = new Uint8Array(target.length);
    access.host.random(filled);
    target.set(filled);
    return ERRNO.success;
  }
  for (let at = 0, block = 0; at < target.length; at += BLOCK_BYTES, block++)
    target.set(seededBlock(seed, state.randomCalls, block).subarray(0, target.length - at), at);
  state.randomCalls += 1;
  return ERRNO.success;
}

/** SHA-256 over the seed, the number of the call and the number of the block: the same bytes wherever the guest is. */
function seededBlock(seed: Uint8Array, call: number, block: number): Uint8Array {
  const counters = new DataView(new ArrayBuffer(16));
  counters.setBigUint64(0, BigInt(call), true);
  counters.setBigUint64(8, BigInt(block), true);
  const digest = createHash("sha256").update(seed).update(new Uint8Array(counters.buffer)).digest();
  return new Uint8Array(digest.buffer, digest.byteOffset, BLOCK_BYTES);
}
