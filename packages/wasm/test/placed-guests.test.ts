/** Guests in the threads of a pool as tasks of this thread's kernel (PG1 to PG4 of placed-guest-program.ts, GL1 to GL4, CM1 to CM3). */
import { setImmediate } from "node:timers/promises";
import { errorCodeOf } from "@glia-os/abi/errors";
import { GUEST_NOTES, type Meter } from "@glia-os/abi/ports";
import { ALL_RIGHTS, RIGHTS, type Rights } from "@glia-os/abi/syscalls";
import { GUEST_ERRORS, SYS_MODULE } from "@glia-os/abi/wire";
import {
  Budget,
  type Exit,
  type Handle,
  type Kernel,
  type Routine,
  type SpawnOptions,
} from "@glia-os/kernel";
import { type GuestGift, type PlacedGuestOptions, pack, placedGuestProgram } from "@glia-os/kernel/guests";
import type { Service } from "@glia-os/kernel/services";
import { createTestKernel, type VirtualClock } from "@glia-os/kernel/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CapabilityMirror } from "../src/capabilities/capability-mirror.ts";
import { createWasmEngine } from "../src/index.ts";
import { instrument } from "../src/pipeline/index.ts";
import { createGuestPool, type GuestPool, type GuestPoolOptions } from "../src/pool/index.ts";
import { ask, CALLER, numberIn, RESULT_AT, SHOW } from "./caller-guest.ts";
import { assemble, guest } from "./guest.ts";

const GRANTS = ["glia.v1", SYS_MODULE];
const LOOP = `(module (memory 1) (func (export "glia_main") (result i32) (loop $l (br $l)) (i32.const 0)))`;
/** Counts to 300,000. */
const COUNTS = `(module (memory 1) (func (export "glia_main") (result i32) (local $n i32)
  (loop $l (br_if $l (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const 300000))))
  (local.get $n)))`;
/** Takes message after message and says nothing. */
const MUTE = `(module
  (import "glia.v1" "receive" (func $receive (param i32 i32) (result i32)))
  (memory 1)
  (func (export "glia_main") (result i32)
    (loop $l (drop (call $receive (i32.const 0) (i32.const 100))) (br $l)) (i32.const 0)))`;
/** Writes 5000 lines of one character, then receives. */
const TALKS = `(module
  (import "glia.v1" "log" (func $log (param i32 i32 i32) (result i32)))
  (import "glia.v1" "receive" (func $receive (param i32 i32) (result i32)))
  (memory 1)
  (func (export "glia_main") (result i32) (local $n i32)
    (loop $l
      (drop (call $log (i32.const 2) (i32.const 0) (i32.const 1)))
      (br_if $l (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const 5000))))
    (call $receive (i32.const 0) (i32.const 100))))`;

const programs = new Map<string, Uint8Array>();
const pools: GuestPool[] = [];
let pool: GuestPool;

async function poolWith(options: GuestPoolOptions = {}): Promise<GuestPool> {
  const made = createGuestPool({ workers: 2, watchMs: 20, ...options });
  pools.push(made);
  for (const [name, bytes] of programs) await made.admit(name, bytes, GRANTS);
  return made;
}

beforeAll(async () => {
  programs.set("caller", await guest(CALLER));
  const preemptive = { loop: LOOP, counts: COUNTS, talks: TALKS, mute: MUTE };
  for (const [name, text] of Object.entries(preemptive))
    programs.set(name, (await instrument(assemble(text), { profile: "preemptive" })).bytes);
  pool = await poolWith();
});
afterAll(() => Promise.all(pools.map((one) => one.close())));

interface Given {
  readonly gift: GuestGift;
  readonly handle: Handle;
  readonly rights: Rights;
}

class Stage {
  readonly kernel: Kernel;
  readonly clock: VirtualClock;
  readonly inbox: Handle;
  readonly lines: string[] = [];
  task = 0 as never;

  constructor() {
    const logger = {
      log: (level: string, text: string) => void this.lines.push(`${level} ${text}`),
      child: () => logger,
    };
    ({ kernel: this.kernel, clock: this.clock } = createTestKernel(1, { logger }));
    this.inbox = this.kernel.mailbox();
  }

  start(
    program: string,
    given: readonly Given[] = [],
    options: PlacedGuestOptions = {},
    spawn: SpawnOptions = {},
  ): this {
    const give = [{ handle: this.inbox, rights: RIGHTS.receive }, ...given];
    const capabilities = given.map(({ gift }) => gift);
    const run = placedGuestProgram(pool.place(program), { capabilities, ...options });
    this.task = this.kernel.spawn(run, { give, ...spawn }) as never;
    return this;
  }

  /** Let kernel and threads go on until something is there. */
  async until<Value>(look: () => Value | undefined): Promise<Value> {
    for (;;) {
      this.kernel.runSlice();
      const value = look();
      if (value !== undefined) return value;
      await setImmediate();
    }
  }

  ended(task: never = this.task): Promise<Exit> {
    return this.until(() => this.kernel.exitOf(task));
  }

  async asked(message: unknown): Promise<Uint8Array> {
    const asking = this.kernel.spawn(
      function* (sys, to): Routine<unknown> {
        return yield* sys.call(to as Handle, message, 1_000_000);
      },
      { give: [{ handle: this.inbox, rights: RIGHTS.call }] },
    );
    const exit = await this.ended(asking as never);
    if (exit.kind === "failed") throw exit.error;
    return (exit as { readonly value: Uint8Array }).value;
  }

  async call(...what: Parameters<typeof ask>): Promise<number> {
    return numberIn(await this.asked(ask(...what)));
  }

  async result(length: number): Promise<string> {
    expect(await this.call("result", RESULT_AT, 60_000)).toBe(length);
    return Buffer.from(await this.asked(ask(SHOW, RESULT_AT, length))).toString();
  }
}

function tool(answers: (input: unknown) => unknown): Service {
  return {
    kind: "tool",
    name: "tool",
    perform(input, settle) {
      settle.ok(answers(input));
      return undefined;
    },
  };
}

async function withTool(answers: (input: unknown) => unknown, rights: Rights = ALL_RIGHTS) {
  const stage = new Stage();
  const handle = stage.kernel.service(tool(answers));
  stage.start("caller", [{ gift: { name: "it" }, handle, rights }]);
  return { stage, handle, number: await stage.call("capability", "it") };
}

describe("calls of a guest in another thread", () => {
  it("are syscalls of its task: performed, counted and traced", async () => {
    const { stage, number } = await withTool((input) => ({ got: input }));
    expect(await stage.result(await stage.call("exec", number, "[1,2]"))).toBe('{"got":[1,2]}');
    expect(stage.kernel.syscallCounts()["exec"]).toBe(1);
    expect(stage.kernel.trace().some((one) => "syscall" in one && one.syscall === "exec")).toBe(true);
  });

  it("need the rights of the handles that the task was given, attenuated and revoked as in the kernel", async () => {
    const weak = await withTool(() => 1, RIGHTS.read);
    expect(await weak.stage.call("exec", weak.number, "1")).toBe(GUEST_ERRORS.E_DENIED);
    const { stage, handle, number } = await withTool(() => 1);
    const derived = await stage.call("attenuate", number, RIGHTS.exec);
    expect(await stage.call("rights", derived)).toBe(RIGHTS.exec);
    expect(await stage.call("exec", derived, "1")).toBe(1);
    expect(await stage.call("drop", derived)).toBe(0);
    expect(await stage.call("exec", derived, "1")).toBe(GUEST_ERRORS.E_HANDLE);
    stage.kernel.revoke(handle);
    expect(await stage.call("exec", number, "1")).toBe(GUEST_ERRORS.E_GONE);
    for (const guessed of [handle, stage.inbox, number + 1])
      expect(await stage.call("exec", guessed as number, "1"), String(guessed)).toBe(GUEST_ERRORS.E_HANDLE);
  });

  it("send to other tasks and sleep on the kernel's clock", async () => {
    const stage = new Stage();
    const other = stage.kernel.mailbox<Uint8Array>();
    stage.start("caller", [{ gift: { name: "other" }, handle: other, rights: RIGHTS.send }]);
    const number = await stage.call("capability", "other");
    expect(await stage.call("send", number, "hello", 0, 0)).toBe(0);
    expect(Buffer.from(stage.kernel.tryReceive(other) as Uint8Array).toString()).toBe("hello");
    let woken = false;
    const sleeping = stage.call(101, 60_000).then((result) => {
      woken = true;
      return result;
    });
    await stage.until(() => (stage.kernel.syscallCounts()["sleep"] === 1 ? true : undefined));
    expect(woken).toBe(false);
    stage.clock.advanceTo(stage.clock.monotonicMs() + 60_000);
    expect(await sleeping).toBe(0);
  });

  it("a capability that comes with a message is used once accepted, by number, once", async () => {
    const stage = new Stage();
    const handle = stage.kernel.service(tool(() => 5));
    stage.start("caller");
    const results: number[] = [];
    const giving = stage.kernel.spawn(
      function* (sys, to, its): Routine<void> {
        const message = pack(sys, ask("accept", 0), [{ handle: its as Handle, rights: RIGHTS.exec }]);
        const got = numberIn(yield* sys.call<Uint8Array>(to as Handle, message, 1_000_000));
        const say = (what: Uint8Array) => sys.call<Uint8Array>(to as Handle, what, 1_000_000);
        results.push(numberIn(yield* say(ask("rights", got))), numberIn(yield* say(ask("exec", got, "1"))));
        results.push(numberIn(yield* say(ask("accept", 0))));
      },
      {
        give: [
          { handle: stage.inbox, rights: RIGHTS.call },
          { handle, rights: RIGHTS.exec | RIGHTS.grant },
        ],
      },
    );
    await stage.ended(giving as never);
    expect(results).toEqual([RIGHTS.exec, 1, GUEST_ERRORS.E_GONE]);
  });

  it("names of the kernel are open to it only when it was allowed to look names up", async () => {
    for (const names of [false, true]) {
      const stage = new Stage();
      const handle = stage.kernel.service(tool(() => 5));
      stage.kernel.spawn(
        function* (sys, given): Routine<void> {
          sys.register("adder", given as Handle, RIGHTS.exec);
          yield* sys.sleep(1_000_000);
        },
        { give: [{ handle, rights: RIGHTS.exec | RIGHTS.name }] },
      );
      stage.kernel.runSlice();
      stage.start("caller", [], { names });
      const found = await stage.call("lookup", "adder");
      if (names) expect(await stage.call("exec", found, "1")).toBe(1);
      else expect(found).toBe(GUEST_ERRORS.E_DENIED);
    }
  });
});

describe("the life of its task", () => {
  it("a guest that hibernates in its thread wakes with what it holds, immovable capabilities included", async () => {
    const stage = new Stage();
    const handle = stage.kernel.service(tool(() => 1));
    const gift = { name: "it", kind: "immovable" } as const;
    stage.start("caller", [{ gift, handle, rights: ALL_RIGHTS }]);
    const number = await stage.call("capability", "it");
    const derived = await stage.call("attenuate", number, RIGHTS.exec);
    expect(await pool.hibernateIdle(100)).toBeGreaterThan(0);
    expect(await stage.call("exec", derived, "1")).toBe(1);
    expect(await stage.call("capability", "it")).toBe(number);
  });

  it("goes on from an image, with its call, and refuses one with immovable capabilities", async () => {
    const host = (kind: "immovable" | "rebind-by-name") => ({
      log() {},
      wallMs: () => 0,
      random() {},
      reply: () => 0,
      capabilities: {
        initial: [{ kind, name: "it", target: "adder", rights: RIGHTS.exec }],
        bind: (_: number, row: { readonly rights: number }) => row.rights,
        drop() {},
        revoke() {},
        accept: () => undefined,
      },
    });
    const program = await createWasmEngine().admit(programs.get("caller") as Uint8Array, GRANTS);
    const imageOf = (kind: "immovable" | "rebind-by-name") => {
      const here = program.instantiate({}, host(kind));
      here.step();
      return here.snapshot();
    };
    const stage = new Stage();
    const handle = stage.kernel.service(tool(() => 77));
    const given = [{ gift: { name: "renamed", target: "adder" }, handle, rights: ALL_RIGHTS }];
    stage.start("caller", given, { image: imageOf("rebind-by-name") });
    const number = await stage.call("capability", "it");
    expect(await stage.result(await stage.call("exec", number, "1"))).toBe("77");
    const refused = new Stage();
    const own = { ...given[0]!, handle: refused.kernel.service(tool(() => 77)) };
    refused.start("caller", [own], { image: imageOf("immovable") });
    expect(errorCodeOf(((await refused.ended()) as { error: unknown }).error)).toBe(
      "wasm.capability-unbindable",
    );
  });

  it("a call that the guest does not answer is refused when it takes the next, and when it is killed", async () => {
    const stage = new Stage().start("mute");
    const first = stage.asked("one");
    first.catch(() => undefined);
    const second = stage.asked("two");
    second.catch(() => undefined);
    await expect(first).rejects.toMatchObject({ code: "kernel.guest-no-reply" });
    stage.kernel.kill(stage.task, "enough");
    expect(await stage.ended()).toMatchObject({ kind: "killed" });
    await expect(second).rejects.toMatchObject({ code: "kernel.guest-no-reply" });
  });

  it("ending the task ends the guest in its thread, also one that computes without end", async () => {
    const before = pool.size;
    const stage = new Stage().start("loop");
    await stage.until(() => (pool.size === before + 1 ? true : undefined));
    stage.kernel.kill(stage.task, "enough");
    await stage.ended();
    expect(pool.size).toBe(before);
    const counts = async (): Promise<number> =>
      (await pool.counts()).reduce((sum, { ready }) => sum + ready, 0);
    while ((await counts()) > 0) await setImmediate();
  });

  it("closing the pool fails its tasks, and so does a program that is not admitted", async () => {
    const other = await poolWith({ workers: 1 });
    const stage = new Stage();
    const give = [{ handle: stage.inbox, rights: RIGHTS.receive }];
    const task = stage.kernel.spawn(placedGuestProgram(other.place("mute")), { give });
    await stage.until(() => (other.size === 1 ? true : undefined));
    await other.close();
    expect(await stage.ended(task as never)).toMatchObject({ error: { code: "wasm.pool-closed" } });
    const none = new Stage().start("nobody");
    expect(await none.ended()).toMatchObject({ error: { code: "wasm.program-unknown" } });
  });
});

describe("limits", () => {
  it("fuel: counted by the meter to the unit, and over the limit the task fails", async () => {
    const counts = await createWasmEngine().admit(programs.get("counts") as Uint8Array, []);
    const here = counts.instantiate({}, { log() {}, wallMs: () => 0, random() {}, reply: () => 0 });
    expect(here.step()).toEqual({ kind: "finished", status: 300_000 });
    const counted: number[] = [];
    const meter: Meter = {
      count: (name, value = 1) => void (name === "glia_guest_fuel_total" && counted.push(value)),
      observe() {},
      gauge() {},
    };
    const stage = new Stage().start("counts", [], { meter, leaseFuel: 100_000 });
    expect(await stage.ended()).toEqual({ kind: "ok", value: 300_000 });
    expect(counted.length).toBeGreaterThan(3);
    expect(counted.reduce((sum, one) => sum + one, 0)).toBe(here.fuelUsed);
    const over = new Stage().start("loop", [], { limits: { fuel: 1_000_000 }, leaseFuel: 100_000 });
    expect(errorCodeOf(((await over.ended()) as { readonly error: unknown }).error)).toBe(
      "wasm.fuel-exhausted",
    );
    expect(() => placedGuestProgram(pool.place("loop"), { leaseFuel: 0 })).toThrow(/leaseFuel/);
  });

  it("a used-up lease is a syscall: a budget of syscalls holds back a guest that only computes", async () => {
    const stage = new Stage();
    const budget = new Budget({ periodMs: 1000, syscalls: 10 });
    stage.start("loop", [], { leaseFuel: 10_000 }, { budget });
    await stage.until(() => (stage.kernel.counters().throttled > 0 ? true : undefined));
    expect(stage.kernel.exitOf(stage.task)).toBeUndefined();
    for (let turns = 0; turns < 50; turns++) {
      stage.kernel.runSlice();
      await setImmediate();
    }
    expect(budget.spent.syscalls).toBeLessThan(20);
  });

  it("capabilities: nothing more is bound while 4096 notes wait, and nothing that was not offered", () => {
    let noted = 0;
    const book = {
      get full() {
        return noted >= GUEST_NOTES;
      },
      note: () => void noted++,
    };
    const row = { kind: "rebind-by-name", name: "", target: "it", rights: ALL_RIGHTS } as const;
    const mirror = new CapabilityMirror([{ ...row, rights: RIGHTS.exec }], false, book);
    expect(mirror.bind(1, row, 0)).toBe(RIGHTS.exec);
    expect(mirror.bind(2, { ...row, target: "other" }, 0)).toBeUndefined();
    expect(mirror.accept(0)).toBeUndefined();
    for (let handle = 3; noted < GUEST_NOTES; handle++) mirror.bind(handle, row, 1);
    expect(mirror.bind(9999, row, 1)).toBeUndefined();
    expect(mirror.bind(1, { ...row, rights: RIGHTS.exec }, 0)).toBe(RIGHTS.exec);
    mirror.revoke(1);
    mirror.revoke(1);
    expect(noted).toBe(GUEST_NOTES + 1);
  });

  it("log lines beyond 4096 between two calls are dropped, the guest goes on", async () => {
    const stage = new Stage().start("talks");
    stage.kernel.trySend(stage.inbox, Uint8Array.of(1, 2, 3));
    expect(await stage.ended()).toEqual({ kind: "ok", value: 3 });
    expect(stage.lines).toHaveLength(4096);
  });
});
