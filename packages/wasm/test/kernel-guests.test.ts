/** Guests as tasks of the kernel: their host calls are its syscalls, under the same rights, budgets, ends and bounds. */
import type { FileOperation, HttpRequest, Logger } from "@glia-os/abi/ports";
import { ALL_RIGHTS, RIGHTS, type Rights } from "@glia-os/abi/syscalls";
import { GUEST_ERRORS, SYS_MODULE } from "@glia-os/abi/wire";
import {
  Budget,
  type Exit,
  type Handle,
  type Kernel,
  type Routine,
  type SpawnOptions,
  type Sys,
} from "@glia-os/kernel";
import { type GuestGift, type GuestProgramOptions, guestProgram, Parcel, pack } from "@glia-os/kernel/guests";
import { withDeadline } from "@glia-os/kernel/retry";
import type { Service, ServiceKind } from "@glia-os/kernel/services";
import { startSupervisor } from "@glia-os/kernel/supervision";
import { createTestKernel, runToCompletion, type VirtualClock } from "@glia-os/kernel/testing";
import { describe, expect, it } from "vitest";
import { createWasmEngine, type WasmProgram } from "../src/index.ts";
import { instrument } from "../src/pipeline/index.ts";
import { ask, CALLER, numberIn, RESULT_AT, SHOW } from "./caller-guest.ts";
import { assemble, guest } from "./guest.ts";

const GRANTS = ["glia.v1", SYS_MODULE];
const engine = createWasmEngine();
const caller: Promise<WasmProgram> = guest(CALLER).then((bytes) => engine.admit(bytes, GRANTS));

/** Counts for ever, without a host call. */
const LOOP = `(module (memory 1) (func (export "glia_main") (result i32) (loop $l (br $l)) (i32.const 0)))`;
/** Echoes every message. */
const ECHO = `(module
  (import "glia.v1" "receive" (func $receive (param i32 i32) (result i32)))
  (import "glia.v1" "reply" (func $reply (param i32 i32) (result i32)))
  (memory 1)
  (func (export "glia_main") (result i32)
    (loop $l (drop (call $reply (i32.const 0) (call $receive (i32.const 0) (i32.const 1000)))) (br $l))
    (i32.const 0)))`;

const admitted = async (text: string, profile: "cooperative" | "preemptive" = "cooperative") =>
  engine.admit((await instrument(assemble(text), { profile })).bytes, GRANTS);

/** A kernel with a guest in it, and its mailbox in the hands of the shell. */
class Stage {
  readonly kernel: Kernel;
  readonly clock: VirtualClock;
  readonly inbox: Handle;
  task = 0 as never;

  constructor() {
    ({ kernel: this.kernel, clock: this.clock } = createTestKernel());
    this.inbox = this.kernel.mailbox({ capacity: 4, high: 4, low: 1, overflow: "refuse" });
  }

  /** Spawn a guest with these capabilities. */
  start(
    program: WasmProgram,
    given: readonly { readonly gift: GuestGift; readonly handle: Handle; readonly rights: Rights }[] = [],
    options: GuestProgramOptions = {},
    spawn: SpawnOptions = {},
  ): this {
    const capabilities = given.map(({ gift }) => gift);
    const give = [
      { handle: this.inbox, rights: RIGHTS.receive },
      ...given.map(({ handle, rights }) => ({ handle, rights })),
    ];
    this.task = this.kernel.spawn(guestProgram(program, { capabilities, ...options }), {
      give,
      ...spawn,
    }) as never;
    return this;
  }

  rest(): this {
    runToCompletion(this.kernel, this.clock, 10_000);
    return this;
  }

  /** What the guest answers to a message. */
  asked(message: unknown): Uint8Array {
    return this.askedOr(message) as Uint8Array;
  }

  /** The same, or the code of the error. */
  askedOr(message: unknown): Uint8Array | string {
    const { kernel, inbox } = this;
    const asking = kernel.spawn(
      function* (sys, target): Routine<unknown> {
        return yield* sys.call(target as Handle, message, 1000);
      },
      { give: [{ handle: inbox, rights: RIGHTS.call }] },
    );
    this.rest();
    const exit = kernel.exitOf(asking) as Exit;
    return exit.kind === "ok"
      ? (exit.value as Uint8Array)
      : exit.kind === "failed"
        ? (exit.error as { code: string }).code
        : exit.kind;
  }

  /** The number a call of the guest gives. */
  call(...what: Parameters<typeof ask>): number {
    return numberIn(this.asked(ask(...what)));
  }

  /** The result of the last call, as text. */
  result(length: number): string {
    expect(this.call("result", RESULT_AT, 60_000)).toBe(length);
    return Buffer.from(this.asked(ask(SHOW, RESULT_AT, length))).toString();
  }

  get exit(): Exit | undefined {
    return this.kernel.exitOf(this.task);
  }
}

/** A service that answers at once. */
function service(kind: ServiceKind, answers: (request: never) => unknown): Service {
  return {
    kind,
    name: kind,
    perform(request, settle) {
      try {
        settle.ok(answers(request as never));
      } catch (error) {
        settle.fail(error);
      }
      return undefined;
    },
  };
}

/** A stage whose guest has one service. */
async function serving(kind: ServiceKind, answers: (request: never) => unknown, rights: Rights = ALL_RIGHTS) {
  const stage = new Stage();
  const handle = stage.kernel.service(service(kind, answers));
  stage.start(await caller, [{ gift: { name: "it" }, handle, rights }]);
  return { stage, handle, number: stage.call("capability", "it") };
}

describe("services", () => {
  it("fetch: head and body go out, status, headers and body come back, and the kernel counts and traces it", async () => {
    const seen: HttpRequest[] = [];
    const { stage, number } = await serving("http", (request: HttpRequest) => {
      seen.push(request);
      return { status: 201, headers: { a: "b" }, body: Uint8Array.of(104, 105) };
    });
    const length = stage.call(
      "fetch",
      number,
      '{"url":"https://x/","method":"POST","headers":{"n":"v"}}',
      "body",
    );
    expect(seen).toMatchObject([{ url: "https://x/", method: "POST", headers: { n: "v" } }]);
    expect(Buffer.from(seen[0]?.body as Uint8Array).toString()).toBe("body");
    const head = '{"status":201,"headers":{"a":"b"}}';
    expect(length).toBe(4 + head.length + 2);
    expect(stage.result(length).slice(4)).toBe(`${head}hi`);
    expect(stage.kernel.syscallCounts()["fetch"]).toBe(1);
    expect(stage.kernel.trace().filter((one) => "syscall" in one && one.syscall === "fetch")).not.toEqual([]);
  });

  it("files: read, list and write, each with its right", async () => {
    const files = (asked: FileOperation): unknown =>
      asked.operation === "read"
        ? Buffer.from(`${asked.path} ${asked.limitBytes}`)
        : asked.operation === "list"
          ? ["é"]
          : undefined;
    const { stage, number } = await serving("files", files);
    expect(stage.result(stage.call("file_read", number, "/a", 100))).toBe("/a 100");
    expect(stage.result(stage.call("file_list", number, "/"))).toBe('["é"]');
    expect(stage.call("file_write", number, "/a", "content")).toBe(0);
    const readOnly = await serving("files", files, RIGHTS.read);
    expect(readOnly.stage.call("file_write", readOnly.number, "/a", "content")).toBe(GUEST_ERRORS.E_DENIED);
    expect(readOnly.stage.call("file_list", readOnly.number, "/")).toBeGreaterThan(0);
  });

  it("exec, model and approve carry JSON and text both ways", async () => {
    const tool = await serving("tool", (input: unknown) => ({ got: input }));
    expect(tool.stage.result(tool.stage.call("exec", tool.number, "[1,2]"))).toBe('{"got":[1,2]}');
    const model = await serving("model", ({ prompt }: { prompt: string }) => ({ said: prompt }));
    expect(model.stage.result(model.stage.call("model", model.number, '{"prompt":"x"}'))).toBe(
      '{"said":"x"}',
    );
    const approver = await serving("approver", (question: string) => ({
      approved: question === "ünd?",
      by: "me",
    }));
    expect(approver.stage.result(approver.stage.call("approve", approver.number, "ünd?"))).toBe(
      '{"approved":true,"by":"me"}',
    );
  });

  it("requests that are none are refused and nobody is asked; failures and long results are answers", async () => {
    let asked = 0;
    const { stage, number } = await serving("tool", (input: unknown) => {
      asked++;
      if (input === "fail") throw new RangeError("out of luck");
      return "x".repeat(1_048_600);
    });
    expect(stage.call("exec", number, "{")).toBe(GUEST_ERRORS.E_RANGE);
    expect(stage.call("exec", number, Uint8Array.of(0x22, 0xc3, 0x22))).toBe(GUEST_ERRORS.E_RANGE);
    expect(stage.call("fetch", number, '{"url":"x"}', "")).toBe(GUEST_ERRORS.E_DENIED);
    expect(asked).toBe(0);
    expect(stage.call("exec", number, '"fail"')).toBe(GUEST_ERRORS.E_FAILED);
    expect(stage.result(41)).toBe('{"code":"failed","message":"out of luck"}');
    expect(stage.call("exec", number, "1")).toBe(GUEST_ERRORS.E_FAILED);
    expect(stage.result(106)).toContain('"code":"kernel.guest-result-too-long"');
  });

  it("a right that is revoked outside is gone at the next call, and for what was derived from it", async () => {
    const { stage, handle, number } = await serving("tool", () => 1);
    const derived = stage.call("attenuate", number, RIGHTS.exec);
    expect(stage.call("exec", derived, "1")).toBe(1);
    stage.kernel.revoke(handle);
    expect(stage.call("exec", number, "1")).toBe(GUEST_ERRORS.E_GONE);
    expect(stage.call("exec", derived, "1")).toBe(GUEST_ERRORS.E_GONE);
  });

  it("a handle the guest was not given reaches nothing of the kernel, its own numbers included", async () => {
    const { stage, handle, number } = await serving("tool", () => 1);
    for (const guessed of [handle, stage.inbox, number + 1, number - 1, 1])
      expect(stage.call("exec", guessed as number, "1"), String(guessed)).toBe(GUEST_ERRORS.E_HANDLE);
    expect(stage.kernel.syscallCounts()["exec"]).toBe(0);
  });
});

describe("messages", () => {
  it("go to tasks and come from them, with replies and time limits", async () => {
    const stage = new Stage();
    const other = stage.kernel.mailbox<Uint8Array>({ capacity: 1, high: 1, low: 0, overflow: "refuse" });
    stage.start(await caller, [
      { gift: { name: "other" }, handle: other, rights: RIGHTS.send | RIGHTS.call },
    ]);
    const number = stage.call("capability", "other");
    expect(stage.call("send", number, "hello", 0, 0)).toBe(0);
    expect(stage.call("send", number, "too many", 0, 0)).toBe(GUEST_ERRORS.E_LIMIT);
    expect(Buffer.from(stage.kernel.tryReceive(other) as Uint8Array).toString()).toBe("hello");
    expect(stage.call("call", number, "?", 50)).toBe(GUEST_ERRORS.E_TIMEOUT);
    stage.kernel.tryReceive(other);
    stage.kernel.spawn(
      function* (sys, inbox) {
        for (const reply of ["text", 7]) {
          const message = (yield* sys.receive(inbox as Handle)) as never;
          sys.reply(message, reply);
        }
      },
      { give: [{ handle: other, rights: RIGHTS.receive }] },
    );
    expect(stage.result(stage.call("call", number, "?", 50))).toBe("text");
    expect(stage.call("call", number, "?", 50)).toBe(GUEST_ERRORS.E_FAILED);
    stage.kernel.drop(other);
    expect(stage.call("send", number, "x", 0, 0)).toBe(GUEST_ERRORS.E_GONE);
  });

  it("carry capabilities to a guest and from it, with the rights that the sender allows", async () => {
    const stage = new Stage();
    const tool = stage.kernel.service(service("tool", () => 5));
    const other = stage.kernel.mailbox();
    const start = await caller;
    stage.start(start, [
      { gift: { name: "tool" }, handle: tool, rights: RIGHTS.exec | RIGHTS.grant },
      { gift: { name: "other" }, handle: other, rights: RIGHTS.send },
    ]);
    const [held, target] = [stage.call("capability", "tool"), stage.call("capability", "other")];
    const weak = stage.call("attenuate", held, RIGHTS.exec);
    const grants = (handle: number, rights: Rights): Uint8Array =>
      new Uint8Array(Uint32Array.of(handle, rights).buffer);
    const sending = (handle: number, rights: Rights): number =>
      // The pairs lie behind the text; the count replaces their length in bytes.
      numberIn(stage.asked(counted(ask("send", target, "take this", grants(handle, rights)))));
    expect(sending(weak, ALL_RIGHTS)).toBe(GUEST_ERRORS.E_DENIED);
    expect(sending(12, ALL_RIGHTS)).toBe(GUEST_ERRORS.E_HANDLE);
    expect(sending(held, RIGHTS.exec)).toBe(0);
    const parcel = stage.kernel.tryReceive(other) as Parcel;
    expect(parcel).toBeInstanceOf(Parcel);
    const second = new Stage();
    expect(second.kernel.liveTasks).toBe(0);
    // Another guest of the same kernel gets it on: packed by a task that accepted it.
    const inbox = stage.kernel.mailbox();
    const receiver = stage.kernel.spawn(guestProgram(start, {}), {
      give: [{ handle: inbox, rights: RIGHTS.receive }],
    });
    const results: number[] = [];
    stage.kernel.spawn(
      function* (sys: Sys, to?: Handle, its?: Handle): Routine<void> {
        const own = parcel.accept(sys, 0);
        expect(() => parcel.accept(sys, 0)).toThrow();
        expect(yield* sys.exec(own, 1)).toBe(5);
        expect(() => pack(sys, ask("accept", 0), [{ handle: own, rights: ALL_RIGHTS }])).toThrow();
        const again = pack(sys, ask("accept", 0), [{ handle: its as Handle, rights: RIGHTS.exec }]);
        const got = numberIn(yield* sys.call<Uint8Array>(to as Handle, again, 100));
        const used = numberIn(yield* sys.call<Uint8Array>(to as Handle, ask("exec", got, "1"), 100));
        const more = numberIn(yield* sys.call<Uint8Array>(to as Handle, ask("accept", 0), 100));
        results.push(used, more);
      },
      {
        give: [
          { handle: inbox, rights: RIGHTS.call },
          { handle: tool, rights: RIGHTS.exec | RIGHTS.grant },
        ],
      },
    );
    stage.rest();
    expect(stage.kernel.exitOf(receiver)).toBeUndefined();
    expect(results).toEqual([1, GUEST_ERRORS.E_GONE]);
  });

  it("a name of the kernel is open to a guest only when it was allowed to look names up", async () => {
    for (const names of [false, true]) {
      const stage = new Stage();
      const tool = stage.kernel.service(service("tool", () => 5));
      stage.kernel.spawn(
        function* (sys, handle) {
          sys.register("adder", handle as Handle, RIGHTS.exec);
          yield* sys.sleep(1_000_000);
        },
        { give: [{ handle: tool, rights: RIGHTS.exec | RIGHTS.name }] },
      );
      stage.kernel.runSlice();
      stage.start(await caller, [], { names });
      stage.kernel.runSlice();
      const inbox = stage.inbox;
      const asking = stage.kernel.spawn(
        function* (sys, to): Routine<readonly number[]> {
          const found = numberIn(yield* sys.call<Uint8Array>(to as Handle, ask("lookup", "adder"), 100));
          const used = numberIn(yield* sys.call<Uint8Array>(to as Handle, ask("exec", found, "1"), 100));
          const none = numberIn(yield* sys.call<Uint8Array>(to as Handle, ask("lookup", "nobody"), 100));
          return [Math.sign(found), used, none];
        },
        { give: [{ handle: inbox, rights: RIGHTS.call }] },
      );
      for (let slices = 0; slices < 100; slices++) stage.kernel.runSlice();
      const { E_DENIED, E_HANDLE, E_GONE } = GUEST_ERRORS;
      expect(stage.kernel.exitOf(asking)).toEqual({
        kind: "ok",
        value: names ? [1, 1, E_GONE] : [-1, E_HANDLE, E_DENIED],
      });
      expect(E_DENIED).toBeLessThan(0);
    }
  });

  it("too long, or neither bytes nor text, are refused; one that is not answered is refused when the next is taken or the guest ends", async () => {
    const stage = new Stage().start(await admitted(ECHO), [], { limits: { messageBytes: 100 } });
    expect(stage.askedOr(new Uint8Array(101))).toBe("kernel.guest-message");
    expect(stage.askedOr({ no: "bytes" })).toBe("kernel.guest-message");
    expect(Buffer.from(stage.asked("text")).toString()).toBe("text");
    expect(stage.asked(Uint8Array.of(1, 2))).toEqual(Uint8Array.of(1, 2));
    const mute = ECHO.replace("call $reply (i32.const 0)", "i32.add (i32.const 0)");
    const silent = new Stage().start(await admitted(mute));
    const asking = silent.kernel.spawn(
      function* (sys, to): Routine<unknown> {
        return yield* sys.call(to as Handle, "one", 1_000_000);
      },
      { give: [{ handle: silent.inbox, rights: RIGHTS.call }] },
    );
    silent.kernel.runSlice();
    silent.kernel.trySend(silent.inbox, "two");
    silent.kernel.runSlice();
    silent.kernel.runSlice();
    expect(silent.kernel.exitOf(asking)).toMatchObject({ error: { code: "kernel.guest-no-reply" } });
  });

  it("beyond what its mailbox holds are the kernel's to refuse", async () => {
    const stage = new Stage().start(await caller);
    stage.rest();
    const outcomes = Array.from({ length: 6 }, () => stage.kernel.trySend(stage.inbox, ask("rights", 1)));
    // One is handed to the guest that waits, four fill the mailbox.
    expect(outcomes.filter((outcome) => outcome === "full")).toHaveLength(1);
    stage.rest();
    expect(stage.call("rights", 1)).toBe(GUEST_ERRORS.E_HANDLE);
  });
});

/** `send` with the count of pairs in place of their length in bytes. */
function counted(message: Uint8Array): Uint8Array {
  new DataView(message.buffer, message.byteOffset).setInt32(20, 1, true);
  return message;
}

describe("the life of a guest's task", () => {
  it("killing, cancelling and deadlines end a guest that computes without end, and give its memory back", async () => {
    const loop = await admitted(LOOP, "preemptive");
    for (const how of ["kill", "cancel"] as const) {
      const stage = new Stage().start(loop, [], { sliceFuel: 10_000 }, { quantum: 1 });
      stage.kernel.runSlice(20);
      expect(stage.exit).toBeUndefined();
      stage.kernel[how](stage.task, "enough");
      stage.rest();
      expect(stage.exit).toMatchObject({ kind: how === "kill" ? "killed" : "cancelled", reason: "enough" });
    }
    const stage = new Stage();
    const root = stage.kernel.spawn(function* (sys): Routine<unknown> {
      const inbox = sys.mailbox();
      return yield* withDeadline(sys, 50, guestProgram(loop, { sliceFuel: 10_000 }), {
        give: [inbox],
        quantum: 1,
      });
    });
    for (let slices = 0; stage.kernel.exitOf(root) === undefined && slices < 1000; slices++) {
      stage.kernel.runSlice(10);
      stage.clock.advanceTo(stage.clock.monotonicMs() + 1);
    }
    expect(stage.kernel.exitOf(root)).toMatchObject({ error: { code: "kernel.deadline-exceeded" } });
    expect(stage.kernel.liveTasks).toBe(0);
  });

  it("two that compute without end share the kernel with one that answers", async () => {
    const loop = await admitted(LOOP, "preemptive");
    const stage = new Stage().start(await admitted(ECHO));
    for (let busy = 0; busy < 2; busy++)
      stage.kernel.spawn(guestProgram(loop, { sliceFuel: 10_000 }), {
        give: [stage.kernel.mailbox()],
        quantum: 1,
      });
    const asking = stage.kernel.spawn(
      function* (sys, to): Routine<number> {
        for (let asked = 0; asked < 20; asked++) yield* sys.call(to as Handle, "hello", 1_000_000);
        return 20;
      },
      { give: [{ handle: stage.inbox, rights: RIGHTS.call }] },
    );
    for (let slices = 0; slices < 50; slices++) stage.kernel.runSlice(10);
    expect(stage.kernel.exitOf(asking)).toEqual({ kind: "ok", value: 20 });
  });

  it("a supervisor restarts one that fails, from its start, and dumps and exits name it", async () => {
    const failing = await admitted(
      ECHO.replace(
        "(loop $l",
        "(drop (call $receive (i32.const 0) (i32.const 9))) (if (i32.load8_u (i32.const 0)) (then (unreachable))) (loop $l",
      ),
    );
    const stage = new Stage();
    stage.kernel.spawn(
      function* (sys, inbox): Routine<void> {
        sys.register("box", inbox as Handle, RIGHTS.receive | RIGHTS.grant);
        yield* startSupervisor(sys, {
          children: [
            {
              id: "echo",
              *start(its) {
                return its.spawn(guestProgram(failing), { give: [its.lookup("box")], name: "echo" });
              },
            },
          ],
        });
        yield* sys.sleep(1_000_000);
      },
      { give: [{ handle: stage.inbox, rights: RIGHTS.receive | RIGHTS.grant | RIGHTS.name }] },
    );
    for (let slices = 0; slices < 20; slices++) stage.kernel.runSlice();
    expect(stage.kernel.dumpState().tasks.some(({ name }) => name === "echo")).toBe(true);
    stage.kernel.trySend(stage.inbox, Uint8Array.of(1));
    for (let slices = 0; slices < 20; slices++) stage.kernel.runSlice();
    stage.kernel.trySend(stage.inbox, Uint8Array.of(0));
    const asking = stage.kernel.spawn(
      function* (sys, to): Routine<unknown> {
        return yield* sys.call(to as Handle, "again", 1000);
      },
      { give: [{ handle: stage.inbox, rights: RIGHTS.call }] },
    );
    for (let slices = 0; slices < 20; slices++) stage.kernel.runSlice();
    expect(stage.kernel.exitOf(asking)).toMatchObject({
      kind: "ok",
      value: new Uint8Array(Buffer.from("again")),
    });
    expect(stage.kernel.counters().failed).toBe(1);
  });

  it("goes on from an image, with its capabilities bound by name to what this task was given", async () => {
    const host = {
      log() {},
      wallMs: () => 0,
      random() {},
      reply: () => 0,
      capabilities: {
        initial: [{ kind: "rebind-by-name", name: "it", target: "adder", rights: RIGHTS.exec }],
        bind: (_: number, row: { rights: number }) => row.rights,
        drop() {},
        revoke() {},
        accept: () => undefined,
      },
    } as const;
    const program = await caller;
    const here = program.instantiate({}, host);
    here.step();
    const image = here.snapshot();
    const stage = new Stage();
    const tool = stage.kernel.service(service("tool", () => 77));
    const gift = { name: "renamed", target: "adder" };
    stage.start(program, [{ gift, handle: tool, rights: ALL_RIGHTS }], { image });
    expect(stage.result(stage.call("exec", stage.call("capability", "it"), "1"))).toBe("77");
    const without = new Stage().start(program, [], { image });
    without.rest();
    expect(without.exit).toMatchObject({ kind: "failed", error: { code: "wasm.capability-unbindable" } });
  });
});

describe("limits", () => {
  it("fuel and memory end the guest's task alone, with the engine's error", async () => {
    const loop = await admitted(LOOP, "preemptive");
    const stage = new Stage().start(loop, [], { limits: { fuel: 100_000 }, sliceFuel: 10_000 });
    stage.rest();
    expect(stage.exit).toMatchObject({ kind: "failed", error: { code: "wasm.fuel-exhausted" } });
    const small = new Stage().start(await caller, [], { limits: { memoryPages: 1 } });
    small.rest();
    expect(small.exit).toMatchObject({ kind: "failed", error: { code: "wasm.memory-limit" } });
    const sliced = new Stage();
    expect(() => sliced.start(loop, [], { sliceFuel: 0 })).toThrow(/sliceFuel/);
  });

  it("host calls count against the budget of the task: over it, the task is throttled", async () => {
    const stage = new Stage();
    const budget = new Budget({ periodMs: 1000, syscalls: 10 });
    stage.start(await caller, [], {}, { budget });
    let answered = 0;
    stage.kernel.spawn(
      function* (sys, to): Routine<void> {
        for (; answered < 50; answered++) yield* sys.call(to as Handle, ask("rights", 1), 1_000_000);
      },
      { give: [{ handle: stage.inbox, rights: RIGHTS.call }] },
    );
    for (let slices = 0; slices < 100; slices++) stage.kernel.runSlice();
    expect(answered).toBeLessThan(12);
    expect(stage.kernel.counters().throttled).toBeGreaterThan(0);
    stage.rest();
    expect(answered).toBe(50);
    expect(stage.clock.monotonicMs()).toBeGreaterThan(5000);
  });

  it("log lines are the kernel's, up to the guest's budget of output", async () => {
    const lines: string[] = [];
    const logger: Logger = {
      log: (level, text) => void lines.push(`${level} ${text}`),
      child: () => logger,
    };
    const { kernel, clock } = createTestKernel(1, { logger });
    const logging = ECHO.replace(
      "(memory 1)",
      `(import "glia.v1" "log" (func $log (param i32 i32 i32) (result i32))) (memory 1)`,
    )
      .replace("(i32.const 0)))`", "(i32.const 0)))")
      .replace("(loop $l", "(loop $l (drop (call $log (i32.const 3) (i32.const 0) (i32.const 5)))");
    const inbox = kernel.mailbox();
    const task = kernel.spawn(guestProgram(await admitted(logging), { limits: { logBytes: 12 } }), {
      give: [{ handle: inbox, rights: RIGHTS.receive }],
    });
    for (let sent = 0; sent < 5; sent++) {
      kernel.trySend(inbox, "hello");
      runToCompletion(kernel, clock, 1000);
    }
    expect(lines).toEqual(["warn \0\0\0\0\0", "warn hello"]);
    expect(kernel.exitOf(task)).toBeUndefined();
  });
});
