/** Many guests in one thread: turns, waits, messages and ends (GS1, GS3 to GS6 of scheduler.ts). */
import type { HostModule, PendingCall } from "@glia-os/abi/ports";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import {
  createWasmEngine,
  FuelExhaustedError,
  type GuestEnd,
  GuestScheduler,
  NotPendingError,
  PayloadTooBigError,
  StackExhaustedError,
  type WasmProgram,
} from "../src/index.ts";
import { instrument } from "../src/pipeline/index.ts";
import { DeadlineHeap } from "../src/scheduler/deadline-heap.ts";
import {
  BadGuestOptionError,
  BadMessageError,
  GuestMailboxFullError,
  GuestOverdueError,
  GuestUnknownError,
  TooManyGuestsError,
} from "../src/scheduler/index.ts";
import { type Seat, seat } from "../src/scheduler/member-list.ts";
import { Quantum, turnMs } from "../src/scheduler/quantum.ts";
import { TurnRing } from "../src/scheduler/turn-ring.ts";
import { assemble, u32 } from "./guest.ts";
import { GUESTS, type GuestName, hosted, Recorded } from "./hosted.ts";

const programs = new Map<GuestName, WasmProgram>();
const of = (name: GuestName): WasmProgram => programs.get(name) as WasmProgram;

beforeAll(async () => {
  for (const name of Object.keys(GUESTS) as GuestName[]) programs.set(name, await hosted(name));
});

interface Member {
  readonly name: number;
  readonly weight: number;
  readonly seat: Seat<Member>;
}

describe("turns", () => {
  it("in each round every member that stays ready gets as many as its weight, and nobody two in a row while others have some left (T1, T2)", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 16 }), { minLength: 2, maxLength: 12 }), (weights) => {
        const ring = new TurnRing<Member>();
        const members = weights.map((weight, name) => ({ name, weight, seat: seat<Member>() }));
        for (const member of members) ring.push(member);
        const total = weights.reduce((sum, weight) => sum + weight, 0);
        for (let round = 0; round < 3; round++) {
          const left = [...weights];
          for (let turn = 0, before = -1; turn < total; turn++) {
            const member = ring.take() as Member;
            const others = left.some((turns, name) => turns > 0 && name !== member.name);
            if (turn > 0 && others) expect(member.name).not.toBe(before);
            before = member.name;
            left[member.name] = (left[member.name] as number) - 1;
            ring.push(member);
          }
          expect(left.every((turns) => turns === 0)).toBe(true);
        }
      }),
    );
  });

  it("waking often gives no member more than its weight in a round (T3)", () => {
    const ring = new TurnRing<Member>();
    const [busy, waking] = [1, 2].map((name) => ({ name, weight: 1, seat: seat<Member>() })) as [
      Member,
      Member,
    ];
    const turns = { 1: 0, 2: 0 } as Record<number, number>;
    ring.push(busy);
    for (let step = 0; step < 100; step++) {
      ring.push(waking);
      ring.remove(waking);
      ring.push(waking);
      const member = ring.take() as Member;
      turns[member.name] = (turns[member.name] as number) + 1;
      ring.push(busy);
    }
    expect(Math.abs((turns[1] as number) - (turns[2] as number))).toBeLessThanOrEqual(1);
  });

  it("a waiting guest is answered within one round, however many guests never wait (GS1)", () => {
    const run = new Recorded();
    for (let hogs = 0; hogs < 20; hogs++) run.scheduler.spawn(of("spin"));
    const echo = run.scheduler.spawn(of("echo"));
    run.settle(100);
    for (let token = 1; token <= 5; token++) {
      run.scheduler.post(echo, u32(token), token);
      let turns = 0;
      while (run.replies.length < token && turns < 100) turns += run.settle(1);
      expect(turns).toBeLessThanOrEqual(2 * 21);
      expect(run.replies.at(-1)).toEqual({ guest: echo, token, payload: u32(token) });
    }
  });

  it("guests that never wait use fuel in the ratio of their weights", () => {
    const run = new Recorded();
    const light = run.scheduler.spawn(of("spin"));
    const heavy = run.scheduler.spawn(of("spin"), { weight: 5 });
    run.settle(6 * 50);
    const count = (guest: number): number =>
      new DataView((run.scheduler.image(guest).sections["memory"] as Uint8Array).buffer).getInt32(0, true);
    expect(count(heavy) / count(light)).toBeCloseTo(5, 2);
  });

  it("are short for many ready guests, never below 0.1 ms, and learn a program's speed (Q1, Q2)", () => {
    expect([1, 10, 20, 100, 10_000].map(turnMs)).toEqual([1, 1, 0.5, 0.1, 0.1]);
    const quantum = new Quantum();
    const first = quantum.slice(1);
    for (let turn = 0; turn < 40; turn++) quantum.learn(quantum.slice(1), quantum.slice(1) / 8_000_000);
    expect(quantum.slice(1) / 8_000_000).toBeCloseTo(1, 1);
    expect(quantum.slice(200) / 800_000).toBeCloseTo(1, 1);
    quantum.learn(1_000_000, 50);
    expect(quantum.slice(1)).toBe(20_000);
    quantum.learn(20_000, 0.001);
    expect(quantum.slice(1)).toBe(20_000);
    expect(first).toBe(250_000);
  });
});

describe("waits", () => {
  it("sleep, receive_within and yield end when they should, by the scheduler's clock", () => {
    const run = new Recorded();
    const sleeper = run.scheduler.spawn(of("sleeper"));
    const patient = run.scheduler.spawn(of("patient"));
    const polite = run.scheduler.spawn(of("polite"));
    run.settle();
    expect(run.ended.get(polite)).toEqual({ kind: "finished", status: 0 });
    expect(run.scheduler.nextDueMs).toBe(50);
    run.scheduler.post(patient, u32(1));
    run.settle();
    expect(run.scheduler.nextDueMs).toBe(50);
    while (!run.ended.has(patient)) expect(run.skip()).toBe(true);
    expect(run.nowMs).toBe(9 * 50);
    expect(run.ended.get(patient)).toEqual({ kind: "finished", status: 1 });
    run.nowMs = 999;
    expect(run.settle()).toBe(0);
    run.nowMs = 1000;
    expect(run.settle()).toBe(1);
    expect(run.ended.get(sleeper)).toEqual({ kind: "finished", status: 3 });
    expect(run.scheduler.nextDueMs).toBeUndefined();
  });

  it("a duration out of range is answered with E_RANGE", () => {
    const run = new Recorded();
    const guest = run.scheduler.spawn(of("endless"));
    run.settle();
    expect(run.ended.get(guest)).toEqual({ kind: "finished", status: -4 });
  });

  it("deadlines come in order, and the heap forgets those that no longer hold (DH1)", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat({ max: 100 }), fc.boolean()), { maxLength: 300 }), (entries) => {
        const heap = new DeadlineHeap<{ readonly holds: boolean }>(({ item }) => item.holds);
        for (const [atMs, holds] of entries) heap.add(atMs, { holds }, 10);
        const seen: number[] = [];
        for (let due = heap.take(1000); due !== undefined; due = heap.take(1000)) seen.push(due.atMs);
        expect(seen).toEqual(entries.flatMap(([atMs, holds]) => (holds ? [atMs] : [])).sort((a, b) => a - b));
      }),
    );
    const heap = new DeadlineHeap<{ holds: boolean }>(({ item }) => item.holds);
    for (let at = 0; at < 10_000; at++) heap.add(at, { holds: at === 0 }, 1);
    expect(heap.size).toBeLessThanOrEqual(2 + 64 + 1);
  });
});

describe("messages", () => {
  it("are answered or reported as not answered, each once, in order (GS4)", () => {
    const run = new Recorded();
    const [echo, silent] = [run.scheduler.spawn(of("echo")), run.scheduler.spawn(of("silent"))];
    for (let token = 1; token <= 40; token++)
      run.scheduler.post(token % 2 === 0 ? echo : silent, u32(token), token);
    run.settle();
    expect(run.replies.map(({ token }) => token)).toEqual(Array.from({ length: 20 }, (_, at) => 2 * at + 2));
    expect(run.unanswered).toEqual(Array.from({ length: 19 }, (_, at) => 2 * at + 1));
    run.scheduler.post(silent, u32(41), 41);
    run.scheduler.stop(silent);
    expect(run.unanswered.slice(-2)).toEqual([39, 41]);
    expect(run.ended.get(silent)).toEqual({ kind: "stopped" });
  });

  it("one that does not fit the guest's buffer stays first in line", () => {
    const run = new Recorded();
    const sum = run.scheduler.spawn(of("sum"));
    run.scheduler.post(sum, new Uint8Array(100), 1);
    expect(run.settle(50)).toBe(50);
    expect([run.replies, run.unanswered]).toEqual([[], []]);
    run.scheduler.stop(sum);
    expect(run.unanswered).toEqual([1]);
  });

  it("are refused when they are too long, too many, or for nobody, and nothing changes", () => {
    const run = new Recorded();
    const guest = run.scheduler.spawn(of("silent"), { mailbox: 3, limits: { messageBytes: 10 } });
    for (let token = 1; token <= 3; token++) run.scheduler.post(guest, new Uint8Array(10), token);
    expect(() => run.scheduler.post(guest, new Uint8Array(11))).toThrow(PayloadTooBigError);
    expect(() => run.scheduler.post(guest, new Uint8Array(1))).toThrow(GuestMailboxFullError);
    expect(() => run.scheduler.post(99, new Uint8Array(1))).toThrow(GuestUnknownError);
    expect(() => run.scheduler.stop(99)).toThrow(GuestUnknownError);
    expect(() => run.scheduler.image(guest)).toThrow(NotPendingError);
    for (const rubbish of ["text", null, undefined, {}, new ArrayBuffer(4)])
      expect(() => run.scheduler.post(guest, rubbish as Uint8Array)).toThrow(BadMessageError);
    run.settle();
    expect(run.unanswered).toEqual([1, 2]);
  });
});

describe("limits of one guest end or hold back that guest alone (GS3, GS5):", () => {
  /** Beside the guest, one that answers; it must answer after the guest met its limit. */
  function beside(
    name: GuestName,
    options: Parameters<Recorded["scheduler"]["spawn"]>[1],
  ): {
    readonly run: Recorded;
    readonly guest: number;
    readonly stillAnswers: () => void;
  } {
    const run = new Recorded();
    const guest = run.scheduler.spawn(of(name), options);
    const echo = run.scheduler.spawn(of("echo"));
    const stillAnswers = (): void => {
      run.scheduler.post(echo, u32(9), 9);
      run.settle(200);
      expect(run.replies.at(-1)).toEqual({ guest: echo, token: 9, payload: u32(9) });
    };
    return { run, guest, stillAnswers };
  }

  it("fuel of a life", () => {
    const { run, guest, stillAnswers } = beside("spin", { limits: { fuel: 100_000 } });
    run.settle();
    expect(run.failure(guest)).toBeInstanceOf(FuelExhaustedError);
    stillAnswers();
  });

  it("wall time of a life, while it runs, waits, sleeps or hibernates", () => {
    for (const name of ["spin", "silent", "sleeper"] as const) {
      const { run, guest, stillAnswers } = beside(name, { lifeMs: 500 });
      run.settle(20);
      run.scheduler.hibernateIdle(10);
      run.nowMs = 499;
      run.settle(20);
      expect(run.ended.has(guest)).toBe(false);
      run.nowMs = 500;
      run.settle(20);
      expect(run.failure(guest)).toBeInstanceOf(GuestOverdueError);
      stillAnswers();
    }
  });

  it("pages of memory", () => {
    const { run, guest, stillAnswers } = beside("hungry", { limits: { memoryPages: 7 } });
    run.settle();
    expect(run.ended.get(guest)).toEqual({ kind: "finished", status: 7 });
    stillAnswers();
  });

  it("bytes of output", () => {
    const { run, guest, stillAnswers } = beside("wordy", { limits: { logBytes: 640 } });
    run.settle();
    expect(run.ended.get(guest)).toEqual({ kind: "finished", status: 10 });
    expect(run.logs).toHaveLength(10);
    stillAnswers();
  });

  it("depth of the native stack", () => {
    const { run, guest, stillAnswers } = beside("deep", undefined);
    run.settle();
    expect(run.failure(guest)).toBeInstanceOf(StackExhaustedError);
    stillAnswers();
  });

  it("host calls per second: the guest rests until it is within its rate, and goes on", () => {
    const { run, guest, stillAnswers } = beside("chatty", { hostCallsPerSecond: 100 });
    const calls = (): number => run.scheduler.counts.turns;
    run.settle(1000);
    expect(calls()).toBeLessThan(50);
    expect(run.ended.has(guest)).toBe(false);
    stillAnswers();
    const first = run.scheduler.nextDueMs as number;
    expect(first).toBeGreaterThan(0);
    run.nowMs = first - 1;
    expect(run.settle()).toBe(0);
    run.nowMs = first;
    expect(run.settle()).toBeGreaterThan(0);
    expect(run.scheduler.nextDueMs).toBeGreaterThan(first);
  });

  it("how many there may be, and the ranges of what is asked for", () => {
    const run = new Recorded({ guests: 2 });
    run.scheduler.spawn(of("echo"));
    const second = run.scheduler.spawn(of("echo"));
    expect(() => run.scheduler.spawn(of("echo"))).toThrow(TooManyGuestsError);
    run.scheduler.stop(second);
    run.scheduler.spawn(of("echo"));
    for (const options of [
      { weight: 0 },
      { weight: 17 },
      { weight: 1.5 },
      { mailbox: 0 },
      { lifeMs: 0 },
      { hostCallsPerSecond: Number.NaN },
    ])
      expect(() => new Recorded().scheduler.spawn(of("echo"), options)).toThrow(BadGuestOptionError);
    for (const options of [{ guests: 0 }, { liveGuests: 8001 }, { sliceFuel: -1 }])
      expect(() => new Recorded(options)).toThrow(BadGuestOptionError);
  });
});

describe("events", () => {
  it("may post, spawn and stop, also the guest whose turn it is; a turn inside a turn is refused", () => {
    const run: Recorded = new Recorded({
      events: {
        replied: (guest) => {
          expect(run.scheduler.turn()).toBe(false);
          if (guest === 1) run.scheduler.post(2, u32(1));
          run.scheduler.stop(guest);
        },
      },
    });
    run.scheduler.spawn(of("echo"));
    run.scheduler.spawn(of("echo"));
    run.scheduler.post(1, u32(1));
    run.settle();
    expect([...run.ended]).toEqual([
      [1, { kind: "stopped" }],
      [2, { kind: "stopped" }],
    ]);
    expect(run.scheduler.counts).toMatchObject({ guests: 0, live: 0, ready: 0 });
  });
});

describe("a guest restored in a call of a host module", () => {
  it("is asked for again here, and goes on with this answer and no other", async () => {
    const waiting = {
      name: "test.v1",
      version: 1,
      functions: { ask: { params: ["i32"], result: "i32", suspends: true } },
      open: () => ({
        calls: { ask: (which: number | bigint) => ({ op: "test.v1/ask", args: [Number(which)] }) },
        save: () => new Uint8Array(),
      }),
    } satisfies HostModule;
    const text = `(module (import "test.v1" "ask" (func $ask (param i32) (result i32))) (memory 1)
      (func (export "glia_main") (result i32) (call $ask (i32.const 7))))`;
    const { bytes } = await instrument(assemble(text), { suspending: ["test.v1/ask"] });
    const program = await createWasmEngine({ hostModules: [waiting] }).admit(bytes, ["test.v1"]);
    const ends: GuestEnd[] = [];
    const events = { ended: (_: number, end: GuestEnd) => void ends.push(end) };
    const here = new GuestScheduler({ answer: () => new Promise(() => {}) });
    const leaving = here.spawn(program);
    while (here.turn()) {}
    const asked: PendingCall[] = [];
    const answer = (_: number, call: PendingCall) => {
      asked.push(call);
      return { value: 42 };
    };
    const there = new GuestScheduler({ answer, events });
    there.restore(program, here.image(leaving));
    while (there.turn()) {}
    expect(asked).toMatchObject([{ op: "test.v1/ask", args: [7] }]);
    expect(ends).toEqual([{ kind: "finished", status: 42 }]);
  });
});
