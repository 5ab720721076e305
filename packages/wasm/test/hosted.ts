/** Guests for tests of many guests, and a scheduler whose events are kept. */
import type { WasmProgram } from "../src/index.ts";
import { createWasmEngine, type Profile } from "../src/index.ts";
import { instrument } from "../src/pipeline/index.ts";
import { type GuestEnd, GuestScheduler, type SchedulerOptions } from "../src/scheduler/index.ts";
import { assemble } from "./guest.ts";

const CALLS = `
  (import "glia.v1" "receive" (func $receive (param i32 i32) (result i32)))
  (import "glia.v1" "receive_within" (func $receive_within (param i32 i32 i64) (result i32)))
  (import "glia.v1" "reply" (func $reply (param i32 i32) (result i32)))
  (import "glia.v1" "sleep" (func $sleep (param i64) (result i32)))
  (import "glia.v1" "yield" (func $yield (result i32)))
  (import "glia.v1" "now" (func $now (result i64)))
  (import "glia.v1" "random" (func $random (param i32 i32) (result i32)))
  (import "glia.v1" "log" (func $log (param i32 i32 i32) (result i32)))
  (memory (export "memory") 1 16)`;

/** The body of a guest: what its entry does, with an i32 local $n. */
function main(body: string, rest = ""): string {
  return `(module ${CALLS} ${rest} (func (export "glia_main") (result i32) (local $n i32) ${body}))`;
}

/** A guest of {@link GUESTS}. */
export type GuestName =
  | "echo"
  | "sum"
  | "spin"
  | "silent"
  | "chatty"
  | "greedy"
  | "patient"
  | "sleeper"
  | "endless"
  | "polite"
  | "hungry"
  | "wordy"
  | "deep"
  | "filling";

/** Guests as text. */
export const GUESTS: Readonly<Record<GuestName, string>> = {
  /** Replies with what it gets. */
  echo: main(`(loop $again
    (drop (call $reply (i32.const 1024) (call $receive (i32.const 1024) (i32.const 4096))))
    (br $again)) (unreachable)`),
  /** Adds up the u32 it gets, in a global and in pages all over its memory, and replies with the sum. */
  sum: main(
    `(loop $again
      (drop (call $receive (i32.const 64) (i32.const 4)))
      (global.set $sum (i32.add (global.get $sum) (i32.load (i32.const 64))))
      (i32.store (i32.add (i32.const 8192) (i32.and (global.get $sum) (i32.const 0x7ffc))) (global.get $sum))
      (i32.store (i32.const 128) (global.get $sum))
      (drop (call $reply (i32.const 128) (i32.const 4)))
      (br $again)) (unreachable)`,
    "(global $sum (mut i32) (i32.const 0))",
  ),
  /** Never waits. */
  spin: main(
    `(loop $again (i32.store (i32.const 0) (i32.add (i32.load (i32.const 0)) (i32.const 1))) (br $again)) (unreachable)`,
  ),
  /** Receives and does not reply. */
  silent: main(
    `(loop $again (drop (call $receive (i32.const 64) (i32.const 64))) (br $again)) (unreachable)`,
  ),
  /** Asks for the time without end. */
  chatty: main(`(loop $again (drop (call $now)) (br $again)) (unreachable)`),
  /** Asks for random numbers without end. */
  greedy: main(
    `(loop $again (drop (call $random (i32.const 0) (i32.const 65536))) (br $again)) (unreachable)`,
  ),
  /** Waits for a message for 50 ms, ten times, then ends with the number of messages. */
  patient: main(
    `(loop $again
    (if (i32.ge_s (call $receive_within (i32.const 64) (i32.const 64) (i64.const 50)) (i32.const 0))
      (then (global.set $got (i32.add (global.get $got) (i32.const 1)))))
    (br_if $again (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const 10))))
    (global.get $got)`,
    "(global $got (mut i32) (i32.const 0))",
  ),
  /** Sleeps 1000 ms and ends with 3. */
  sleeper: main(`(drop (call $sleep (i64.const 1000))) (i32.const 3)`),
  /** Sleeps for longer than there is, and ends with the answer. */
  endless: main(`(call $sleep (i64.const -5))`),
  /** Yields ten times and ends. */
  polite: main(`(loop $again (drop (call $yield))
    (br_if $again (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const 10)))) (i32.const 0)`),
  /** Grows until it may not, touching every page, and ends with the pages it has. */
  hungry: main(`(loop $again
    (if (i32.ge_s (memory.grow (i32.const 1)) (i32.const 0))
      (then (i32.store (i32.sub (i32.mul (memory.size) (i32.const 65536)) (i32.const 4)) (i32.const 1)) (br $again))))
    (memory.size)`),
  /** Logs lines of 64 bytes until it may not, and ends with their number. */
  wordy: main(`(loop $again
    (if (i32.eqz (call $log (i32.const 2) (i32.const 0) (i32.const 64)))
      (then (local.set $n (i32.add (local.get $n) (i32.const 1))) (br $again))))
    (local.get $n)`),
  /** Calls itself without end. */
  deep: main(
    `(call $down (i32.const 0))`,
    `(func $down (param i32) (result i32)
    (i32.add (call $down (i32.add (local.get 0) (i32.const 1))) (i32.load (i32.const 0))))`,
  ),
  /** Fills all its memory again and again. */
  filling: main(
    `(loop $again (memory.fill (i32.const 0) (i32.const 7) (i32.const 65536)) (br $again)) (unreachable)`,
  ),
};

/** Admit a guest of {@link GUESTS}. */
export async function hosted(name: GuestName, profile: Profile = "preemptive"): Promise<WasmProgram> {
  const { bytes } = await instrument(assemble(GUESTS[name]), { profile });
  return createWasmEngine().admit(bytes, ["glia.v1"]);
}

/** A scheduler that keeps what happens, with a clock that stands still. */
export class Recorded {
  nowMs: number = 0;
  readonly replies: { readonly guest: number; readonly token: number; readonly payload: Uint8Array }[] = [];
  readonly unanswered: number[] = [];
  readonly ended: Map<number, GuestEnd> = new Map();
  readonly logs: string[] = [];
  readonly scheduler: GuestScheduler;

  constructor(options: SchedulerOptions = {}) {
    this.scheduler = new GuestScheduler({
      sliceFuel: 10_000,
      nowMs: () => this.nowMs,
      wallMs: () => 1_000,
      random: (target) => target.fill(5),
      ...options,
      events: {
        replied: (guest, token, payload) => this.replies.push({ guest, token, payload }),
        unanswered: (_, token) => this.unanswered.push(token),
        logged: (_, __, text) => this.logs.push(text),
        ended: (guest, end) => this.ended.set(guest, end),
        ...options.events,
      },
    });
  }

  /** Turns until nothing is in line, at most `most`; how many. */
  settle(most = 1_000_000): number {
    let turns = 0;
    while (turns < most && this.scheduler.turn()) turns += 1;
    return turns;
  }

  /** The clock forward to the next thing that is due, and turns. False when nothing is due. */
  skip(): boolean {
    const next = this.scheduler.nextDueMs;
    if (next === undefined) return false;
    this.nowMs = Math.max(this.nowMs, next);
    this.settle();
    return true;
  }

  failure(guest: number): unknown {
    const end = this.ended.get(guest);
    return end?.kind === "failed" ? end.error : undefined;
  }
}
