/** Guests of `@glia-os/wasm` as the benchmark of many guests runs them: AssemblyScript `echo` of guest-as, and guests that mean harm. */
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { GuestHost } from "@glia-os/abi/ports";
import { assemblySources } from "@glia-os/guest-as";
import {
  checkpointOf,
  createWasmEngine,
  encodeIncrement,
  GuestCopy,
  GuestScheduler,
  type WasmInstance,
  type WasmProgram,
} from "@glia-os/wasm";
import { instrument, type Profile } from "@glia-os/wasm/pipeline";
import { createGuestPool } from "@glia-os/wasm/pool";
import binaryen from "binaryen";
import type { Contestant } from "../../src/suite.ts";
import { compile } from "./compute-guest.ts";

const NS_PER_US = 1e3;
const PAGE_BYTES = 65_536;
const MIB_PAGES = 16;
const HOST: GuestHost = {
  log: () => undefined,
  wallMs: () => 0,
  random: () => undefined,
  reply: () => 0,
};

async function echoBytes(): Promise<Uint8Array> {
  const compiled = await compile(join(assemblySources, "guests"), "echo.ts");
  return (await instrument(compiled, { profile: "cooperative" })).bytes;
}

async function echo(spareInstances = 32): Promise<WasmProgram> {
  return createWasmEngine({ spareInstances }).admit(await echoBytes(), ["glia.v1"]);
}

/** A guest from an admitted module to its first wait, and its end; with memory that earlier guests left, or without. */
export async function spawning(spareInstances: number): Promise<Contestant> {
  const program = await echo(spareInstances);
  return {
    run: (times) => {
      for (let left = times; left > 0; left--) {
        const one = program.instantiate({}, HOST);
        one.step();
        one.dispose();
      }
    },
  };
}

/** Only the part of {@link spawning} until the guest waits. */
export async function spawningAlone(): Promise<Contestant> {
  const program = await echo();
  const samples = 200;
  return {
    value: () => {
      let spent = 0n;
      for (let left = samples; left > 0; left--) {
        const start = process.hrtime.bigint();
        const one = program.instantiate({}, HOST);
        one.step();
        spent += process.hrtime.bigint() - start;
        one.dispose();
      }
      return Number(spent) / samples / NS_PER_US;
    },
  };
}

/** A message to a guest of a scheduler and its reply. */
export async function messaging(bytes: number): Promise<Contestant> {
  let replies = 0;
  const scheduler = new GuestScheduler({ events: { replied: () => (replies += 1) } });
  const guest = scheduler.spawn(await echo());
  const message = new Uint8Array(bytes).fill(7);
  scheduler.turn();
  return {
    run: (times) => {
      const before = replies;
      for (let left = times; left > 0; left--) {
        scheduler.post(guest, message);
        scheduler.turn();
      }
      if (replies - before !== times) throw new TypeError("a message was not answered");
    },
  };
}

/** A message to a guest of a pool, from another thread, and its reply; `at once` messages are under way at a time. */
export async function messagingPool(bytes: number, atOnce: number): Promise<Contestant> {
  const pool = createGuestPool({ workers: 1 });
  await pool.admit("echo", await echoBytes(), ["glia.v1"]);
  const guest = await pool.spawn("echo");
  const message = new Uint8Array(bytes).fill(7);
  return {
    run: async (times) => {
      for (let left = times; left > 0; left -= atOnce)
        await Promise.all(Array.from({ length: Math.min(left, atOnce) }, () => pool.ask(guest, message)));
    },
    close: () => pool.close(),
  };
}

/** What {@link hibernate} came to. */
interface Hibernated {
  readonly scheduler: GuestScheduler;
  readonly stateBytes: number;
}

/** So many guests of one program, each put away after one message. */
function hibernate(program: WasmProgram, guests: number): Hibernated {
  const message = new Uint8Array(64).fill(7);
  const scheduler = new GuestScheduler({ liveGuests: 64 });
  for (let made = 0; made < guests; made++) {
    scheduler.post(scheduler.spawn(program), message);
    while (scheduler.turn()) {}
  }
  scheduler.hibernateIdle(guests);
  const { frozenBytes, live } = scheduler.counts;
  if (live > 0) throw new TypeError("a guest is still in memory");
  return { scheduler, stateBytes: frozenBytes };
}

/** Bytes of the state of such a guest. */
export async function hibernatedState(guests: number): Promise<Contestant> {
  const program = await echo();
  return { value: () => hibernate(program, guests).stateBytes / guests };
}

/** Bytes that the process holds per such guest, in its JavaScript heap and in buffers, after a garbage collection. */
export async function hibernatedMemory(guests: number): Promise<Contestant> {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const program = await echo();
  const held = (): number => {
    collect();
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };
  let last: Hibernated | undefined;
  const value = (): number => {
    const before = held();
    last = hibernate(program, guests);
    const bytes = held() - before;
    if (last.scheduler.counts.guests !== guests) throw new TypeError("a guest is gone");
    last = undefined;
    return bytes / guests;
  };
  value();
  return { value };
}

/** Putting a guest away, or waking it with a message and answering, in microseconds. */
export async function puttingAway(what: "away" | "wake"): Promise<Contestant> {
  const scheduler = new GuestScheduler();
  const guest = scheduler.spawn(await echo());
  const message = new Uint8Array(64).fill(7);
  scheduler.turn();
  const samples = 100;
  const value = (): number => {
    let [away, wake] = [0n, 0n];
    for (let left = samples; left > 0; left--) {
      const start = process.hrtime.bigint();
      scheduler.hibernateIdle(1);
      const middle = process.hrtime.bigint();
      scheduler.post(guest, message);
      scheduler.turn();
      wake += process.hrtime.bigint() - middle;
      away += middle - start;
    }
    return Number(what === "away" ? away : wake) / samples / NS_PER_US;
  };
  value();
  return { value };
}

/** A guest of 1 MiB that waits for messages and keeps none. */
async function mebibyte(): Promise<{ readonly program: WasmProgram; readonly one: WasmInstance }> {
  const bytes = await instrumented(
    `(module ${RECEIVE} (memory ${MIB_PAGES} ${MIB_PAGES})
    (func (export "glia_main") (result i32) (loop $l (drop (call $receive (i32.const 64) (i32.const 64))) (br $l)) (unreachable)))`,
    "cooperative",
  );
  const program = await createWasmEngine().admit(bytes, ["glia.v1"]);
  const one = program.instantiate({}, HOST);
  one.step();
  if (one.memoryBytes !== MIB_PAGES * PAGE_BYTES) throw new TypeError("the guest has not 1 MiB");
  return { program, one };
}

/** What changed in a guest of 1 MiB after one message, found by comparing, as an increment in memory. */
export async function comparing(): Promise<Contestant> {
  const { one } = await mebibyte();
  const base = checkpointOf(one.snapshot());
  const message = new Uint8Array(64);
  return {
    run: (times) => {
      for (let left = times; left > 0; left--) {
        message[0] = left;
        one.step({ value: 64, payload: message });
        encodeIncrement(base, one.snapshot(true));
      }
    },
  };
}

const STEPS = 2000;

/** A copy of such a guest brought up to date after each message, in microseconds beside the message itself. */
export async function following(): Promise<Contestant> {
  const { program, one } = await mebibyte();
  const copy = new GuestCopy(one, await program.tracking());
  const message = new Uint8Array(64);
  const value = (): number => {
    let spent = 0n;
    for (let left = STEPS; left > 0; left--) {
      message[0] = left;
      one.step({ value: 64, payload: message });
      const start = process.hrtime.bigint();
      copy.follow();
      spent += process.hrtime.bigint() - start;
    }
    return Number(spent) / STEPS / NS_PER_US;
  };
  for (let warm = 0; warm < 20; warm++) value();
  return { value };
}

const RECEIVE = `(import "glia.v1" "receive" (func $receive (param i32 i32) (result i32)))`;

/** Guests that never give their thread back by themselves. */
const HOSTILE: readonly string[] = [
  `(module (memory 1 1) (func (export "glia_main") (result i32) (loop $l (br $l)) (unreachable)))`,
  `(module (memory 256 256) (func (export "glia_main") (result i32)
    (loop $l (memory.fill (i32.const 0) (i32.const 7) (i32.const 16777216)) (br $l)) (unreachable)))`,
  `(module (import "glia.v1" "now" (func $now (result i64))) (memory 1 1)
    (func (export "glia_main") (result i32) (loop $l (drop (call $now)) (br $l)) (unreachable)))`,
  `(module (import "glia.v1" "random" (func $random (param i32 i32) (result i32))) (memory 17 17)
    (func (export "glia_main") (result i32)
      (loop $l (drop (call $random (i32.const 0) (i32.const 1048576))) (br $l)) (unreachable)))`,
  `(module (memory 1 2048) (func (export "glia_main") (result i32) (local $at i32)
    (loop $g (br_if $g (i32.ge_s (memory.grow (i32.const 1)) (i32.const 0))))
    (loop $l (i32.store (i32.rem_u (local.get $at) (i32.const 1000000)) (i32.const 1))
      (local.set $at (i32.add (local.get $at) (i32.const 4096))) (br $l)) (unreachable)))`,
];

async function instrumented(text: string, profile: Profile = "preemptive"): Promise<Uint8Array> {
  const module = binaryen.parseText(text);
  try {
    return (await instrument(module.emitBinary(), { profile })).bytes;
  } finally {
    module.dispose();
  }
}

/** The 99th percentile, in milliseconds, of answers from another thread to guests whose thread they share with hostile ones. */
export async function latencyBesideHostile(each: number, asks: number): Promise<Contestant> {
  const pool = createGuestPool({ workers: 1 });
  await pool.admit("echo", await echoBytes(), ["glia.v1"]);
  const guests = await Promise.all([1, 2, 3, 4].map(() => pool.spawn("echo")));
  for (const [at, text] of HOSTILE.entries()) {
    await pool.admit(`hostile-${at}`, await instrumented(text), ["glia.v1"]);
    for (let left = each; left > 0; left--) await pool.spawn(`hostile-${at}`);
  }
  const message = new Uint8Array(64);
  const value = async (): Promise<number> => {
    const times: number[] = [];
    for (let left = asks; left > 0; left--) {
      const start = performance.now();
      await pool.ask(guests[left % guests.length] as number, message);
      times.push(performance.now() - start);
    }
    times.sort((a, b) => a - b);
    return times[Math.floor(times.length * 0.99)] as number;
  };
  await value();
  return { value, close: () => pool.close() };
}
