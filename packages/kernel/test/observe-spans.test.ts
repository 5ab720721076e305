import type { LogFields, Logger } from "@glia-os/abi/ports";
import { formatTraceparent, parseTraceparent } from "@glia-os/abi/wire";
import {
  type Call,
  type Handle,
  isCall,
  type Kernel,
  type KernelOptions,
  type TaskId,
} from "@glia-os/kernel";
import { asyncProgram } from "@glia-os/kernel/face";
import { Scheduler } from "@glia-os/kernel/jobs";
import { createSpanRecorder, type SpanRecord, type SpanRecorder } from "@glia-os/kernel/observe";
import {
  createTestKernel,
  runToCompletion,
  runWithMicrotasks,
  SeededRandom,
  VirtualClock,
} from "@glia-os/kernel/testing";
import { expect, test } from "vitest";
import { codeOf } from "./run.ts";
import { turn } from "./run-async.ts";

interface Traced {
  readonly kernel: Kernel;
  readonly clock: VirtualClock;
  readonly spans: SpanRecorder;
  readonly lines: LogFields[];
  named(name: string): SpanRecord;
}

function traced(options: Partial<KernelOptions> = {}): Traced {
  const clock = new VirtualClock(1_000_000);
  const spans = createSpanRecorder({ clock, random: new SeededRandom("spans") });
  const lines: LogFields[] = [];
  const logger = keeper(lines);
  const { kernel } = createTestKernel(1, { clock, spans, logger, ...options });
  const named = (name: string): SpanRecord => {
    const found = spans.ended().filter((span) => span.name === name);
    expect(found, name).toHaveLength(1);
    return found[0]!;
  };
  return { kernel, clock, spans, lines, named };
}

function keeper(lines: LogFields[], bound: LogFields = {}): Logger {
  return {
    log: (_level, message, fields) => void lines.push({ message, ...bound, ...fields }),
    child: (fields) => keeper(lines, { ...bound, ...fields }),
  };
}

test("SP1: a task's span lasts as long as the task and is a part of its parent's; the shell's tasks begin traces", () => {
  const { kernel, clock, spans, named } = traced();
  kernel.spawn(
    function* (sys) {
      yield* sys.sleep(5);
      const child = sys.spawn(
        function* (sys) {
          yield* sys.sleep(20);
        },
        { name: "child" },
      );
      yield* sys.wait(child);
      yield* sys.sleep(5);
    },
    { name: "root" },
  );
  kernel.spawn(function* () {});
  runToCompletion(kernel, clock);
  const [root, child, other] = [named("task root"), named("task child"), named("task")];
  expect(root.parentSpanId).toBeUndefined();
  expect(other.context.traceId).not.toBe(root.context.traceId);
  expect(child.context.traceId).toBe(root.context.traceId);
  expect(child.parentSpanId).toBe(root.context.spanId);
  expect([root.startMs, root.durationMs]).toEqual([1_000_000, 30]);
  expect([child.startMs, child.durationMs]).toEqual([1_000_005, 20]);
  expect(child.attributes).toEqual({
    "glia.task.id": expect.any(Number),
    "glia.task.path": "/0/0",
    "glia.task.exit": "ok",
  });
  expect(spans.ended()).toHaveLength(3);
});

test("SP2: only a failed task's span is an error; each says how its task ended", () => {
  const { kernel, clock, named } = traced();
  kernel.onFailure(() => undefined);
  kernel.spawn(
    function* () {
      throw new RangeError("on purpose");
    },
    { name: "failing" },
  );
  const waiting = (name: string): TaskId =>
    kernel.spawn(
      function* (sys) {
        yield* sys.sleep(1000);
      },
      { name },
    );
  const killed = waiting("killed");
  const cancelled = waiting("cancelled");
  kernel.runSlice();
  kernel.kill(killed);
  kernel.cancel(cancelled);
  runToCompletion(kernel, clock);
  const told = ["failing", "killed", "cancelled"].map((name) => {
    const { status, description, attributes } = named(`task ${name}`);
    return [attributes["glia.task.exit"], status, description];
  });
  expect(told).toEqual([
    ["failed", "error", "on purpose"],
    ["killed", "unset", ""],
    ["cancelled", "unset", ""],
  ]);
});

test("a trace from outside goes on in a task, is read there, and goes on in its children", () => {
  const { kernel, clock, named } = traced();
  const outside = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  let inside: string | undefined;
  kernel.spawn(
    function* (sys) {
      inside = sys.traceparent();
      sys.spawn(function* () {}, { name: "inner" });
    },
    { name: "outer", traceparent: outside },
  );
  runToCompletion(kernel, clock);
  const outer = named("task outer");
  expect(outer.parentSpanId).toBe("b7ad6b7169203331");
  expect(outer.context.traceId).toBe("0af7651916cd43dd8448eb211c80319c");
  expect(inside).toBe(formatTraceparent(outer.context));
  expect(named("task inner").context.traceId).toBe(outer.context.traceId);
});

test("a malformed traceparent is refused when a task is made, tracer or not, and no task is made", () => {
  for (const { kernel } of [traced(), createTestKernel()])
    for (const traceparent of ["", "00-0-0-0", 7 as unknown as string]) {
      expect(codeOf(() => kernel.spawn(function* () {}, { traceparent }))).toBe("kernel.bad-option");
      expect(kernel.liveTasks).toBe(0);
    }
});

test("SP4: a server goes on with the trace of the call, also of an envelope whose sender has ended", () => {
  const { kernel, clock, named } = traced();
  const door = kernel.endpoint();
  kernel.spawn(
    function* (sys, inbox) {
      for (const name of ["answering", "reading"]) {
        const message = yield* sys.receive(inbox as Handle<Call>);
        if (name === "reading") yield* sys.sleep(10);
        sys.spawn(function* () {}, { name, traceparent: sys.traceparent(message)! });
        if (isCall(message) && message.open) sys.reply(message, "done");
      }
    },
    { name: "server", give: [door] },
  );
  kernel.spawn(
    function* (sys, server) {
      yield* sys.call(server, "question");
    },
    { name: "caller", give: [door] },
  );
  kernel.runSlice();
  kernel.spawn(
    function* (sys, server) {
      yield* sys.send(server, "letter");
    },
    { name: "writer", give: [door] },
  );
  runToCompletion(kernel, clock);
  expect(named("task answering").parentSpanId).toBe(named("task caller").context.spanId);
  expect(named("task reading").parentSpanId).toBe(named("task writer").context.spanId);
  expect(named("task reading").startMs).toBeGreaterThan(named("task writer").startMs + 9);
});

test("the attempts of a job are parts of the trace of the task that submits it, or of the one that is named", () => {
  const { kernel, clock, named, spans } = traced();
  const jobs = Scheduler.builder().registerQueue("mail").build(kernel);
  let failures = 1;
  const outside = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  kernel.spawn(
    function* (sys) {
      const retry = { attempts: 2, retryable: () => true };
      const job = jobs.submit("mail", {
        name: "inherited",
        retry,
        run: function* () {
          if (failures-- > 0) throw new RangeError("once");
        },
      });
      jobs.submit("mail", { name: "named", traceparent: outside, run: function* () {} });
      yield* job.wait(sys);
    },
    { name: "submitter" },
  );
  jobs.submit("mail", { name: "of the shell", run: function* () {} });
  expect(codeOf(() => jobs.submit("mail", { traceparent: "nonsense", run: function* () {} }))).toBe(
    "kernel.bad-option",
  );
  runToCompletion(kernel, clock);
  const { context } = named("task submitter");
  const attempts = spans.ended().filter(({ name }) => name === "task inherited");
  expect(attempts.map(({ parentSpanId, status }) => [parentSpanId, status])).toEqual([
    [context.spanId, "error"],
    [context.spanId, "unset"],
  ]);
  expect(named("task named").parentSpanId).toBe("b7ad6b7169203331");
  expect(named("task of the shell").parentSpanId).toBeUndefined();
});

test("without a tracer there is no traceparent and no span", () => {
  const { kernel, clock } = createTestKernel();
  const seen: unknown[] = [];
  const task = kernel.spawn(function* (sys) {
    seen.push(sys.traceparent(), kernel.spanOf(sys.getTid()));
  });
  runToCompletion(kernel, clock);
  expect(seen).toEqual([undefined, undefined]);
  expect(kernel.spanOf(task)).toBeUndefined();
});

test("SP3: asked for, every syscall is a span of its task's: waiting ones as long as the wait", () => {
  const { kernel, clock, spans, named } = traced({ syscallSpans: true });
  const task = kernel.spawn(function* (sys) {
    const box = sys.mailbox<number>();
    sys.trySend(box, 1);
    yield* sys.sleep(40);
    codeOf(() => sys.trySend(999 as never, 1));
  });
  runToCompletion(kernel, clock);
  const sleeping = named("syscall sleep");
  expect([sleeping.durationMs, sleeping.attributes["glia.syscall.argument"]]).toEqual([40, 40]);
  expect(named("syscall mailbox").durationMs).toBe(0);
  const sends = spans.ended().filter(({ name }) => name === "syscall trySend");
  expect(sends.map(({ status }) => status)).toEqual(["unset", "error"]);
  const own = named("task");
  expect(kernel.spanOf(task)).toEqual(own.context);
  expect(new Set(spans.ended().map(({ parentSpanId }) => parentSpanId))).toEqual(
    new Set([undefined, own.context.spanId]),
  );
});

test("SP3: the span of a syscall whose task is killed ends with the task", () => {
  const { kernel, clock, named } = traced({ syscallSpans: true });
  const task = kernel.spawn(function* (sys) {
    yield* sys.waitOn("never");
  });
  kernel.runSlice();
  clock.advance(7);
  kernel.kill(task);
  runToCompletion(kernel, clock);
  expect(named("syscall waitOn").durationMs).toBe(7);
});

test("what is no tracer, no call and no recorder's options is refused", () => {
  for (const spans of [null, 7, {}, { start: 1 }])
    expect(codeOf(() => createTestKernel(1, { spans: spans as never }))).toBe("kernel.bad-option");
  expect(codeOf(() => createSpanRecorder(null as never))).toBe("kernel.bad-option");
  const { kernel, clock } = traced();
  const codes: string[] = [];
  kernel.spawn(function* (sys) {
    for (const value of [null, 7, "text", {}, { from: "me" }, Object.create(null)])
      codes.push(codeOf(() => sys.traceparent(value as never)));
  });
  runToCompletion(kernel, clock);
  expect(codes).toEqual(Array(6).fill("kernel.bad-option"));
});

test("spans of syscalls without a tracer are refused", () => {
  expect(codeOf(() => createTestKernel(1, { syscallSpans: true }))).toBe("kernel.bad-option");
});

test("a listener to syscalls hears them beside the spans", () => {
  const heard: string[] = [];
  const { kernel, clock, named } = traced({
    syscallSpans: true,
    tracer: { syscall: (_, __, outcome) => heard.push(outcome) },
  });
  kernel.spawn(function* (sys) {
    yield* sys.sleep(1);
  });
  runToCompletion(kernel, clock);
  expect(heard).toEqual(["parked"]);
  expect(named("syscall sleep").durationMs).toBe(1);
});

test("TL1: lines of a task, of its children and of the kernel about it carry the task and its trace, which it cannot forge", () => {
  const { kernel, clock, lines, named } = traced();
  kernel.spawn(
    function* (sys) {
      sys.log("info", "outer", { traceId: "forged", spanId: "forged", task: 1 });
      const child = sys.spawn(
        function* (sys) {
          sys.log("info", "inner");
        },
        { name: "inner" },
      );
      yield* sys.wait(child);
    },
    { name: "outer" },
  );
  const stubborn = kernel.spawn(
    function* (sys) {
      try {
        yield* sys.sleep(1000);
      } finally {
        // biome-ignore lint/correctness/noUnsafeFinally: this task does what it must not
        throw new RangeError("while being killed");
      }
    },
    { name: "stubborn" },
  );
  kernel.runSlice();
  kernel.kill(stubborn);
  runToCompletion(kernel, clock);
  expect(lines.map(({ message }) => message)).toEqual([
    "outer",
    "inner",
    "cleaning up an ending task failed",
  ]);
  for (const [i, name] of ["outer", "inner", "stubborn"].entries()) {
    const { context, attributes } = named(`task ${name}`);
    const { task, traceId, spanId } = lines[i]!;
    expect({ task, traceId, spanId }).toEqual({
      task: attributes["glia.task.id"],
      traceId: context.traceId,
      spanId: context.spanId,
    });
  }
});

test("the current task is known in generators, nested generators and starters of effects, and nowhere else", () => {
  const clock = new VirtualClock();
  const spans = createSpanRecorder({ clock, random: new SeededRandom(1) });
  const { kernel } = createTestKernel(1, { clock, spans });
  const seen: (string | undefined)[] = [];
  const note = (): void => void seen.push(kernel.current()?.path);
  function* nested(): Generator<never, void, undefined> {
    note();
  }
  kernel.spawn(function* (sys) {
    yield* nested();
    const current = kernel.current();
    const span = kernel.spanOf(sys.getTid())!;
    expect(current).toMatchObject({ task: sys.getTid(), traceId: span.traceId, spanId: span.spanId });
    yield* sys.external((settle) => {
      note();
      settle.ok(1);
    });
  });
  note();
  runToCompletion(kernel, clock);
  note();
  expect(seen).toEqual([undefined, "/0", "/0", undefined]);
});

test("the current task is known between the awaits of an async function, and nowhere else", async () => {
  const { kernel, clock } = createTestKernel();
  const seen: unknown[] = [];
  const task = kernel.spawn(
    asyncProgram(async (sys) => {
      seen.push(kernel.current()?.task);
      await sys.sleep(3);
      seen.push(kernel.current()?.task);
    }),
  );
  expect(await runWithMicrotasks(kernel, clock, turn, 100)).toBe("ended");
  seen.push(kernel.current());
  expect(seen).toEqual([task, task, undefined]);
});

test("SR3: a child of a recorded span shares its trace; a parent that is none begins a new one", () => {
  const spans = createSpanRecorder({ clock: new VirtualClock(), random: new SeededRandom(1) });
  const root = spans.start("root");
  const child = spans.start("child", {
    parent: root.context,
    kind: "server",
    links: [{ context: root.context }],
  });
  const stray = spans.start("stray", {
    parent: { traceId: "0".repeat(32), spanId: "1".repeat(16), traceFlags: 1 },
  });
  expect(child.context.traceId).toBe(root.context.traceId);
  expect(parseTraceparent(formatTraceparent(stray.context))).toEqual(stray.context);
  expect(stray.context.traceId).not.toBe("0".repeat(32));
  for (const span of [child, root, stray]) span.end();
  expect(spans.ended().map(({ name, kind, parentSpanId }) => [name, kind, parentSpanId])).toEqual([
    ["child", "server", root.context.spanId],
    ["root", "internal", undefined],
    ["stray", "internal", undefined],
  ]);
});

test("SR1: only the newest ended spans are kept, and those dropped are counted", () => {
  const spans = createSpanRecorder({ clock: new VirtualClock(), random: new SeededRandom(1), capacity: 3 });
  for (let i = 0; i < 5; i++) spans.start(String(i)).end();
  expect(spans.ended().map(({ name }) => name)).toEqual(["2", "3", "4"]);
  expect(spans.dropped).toBe(2);
  for (const capacity of [0, 1_048_577, 1.5, Number.NaN])
    expect(
      codeOf(() => createSpanRecorder({ clock: new VirtualClock(), random: new SeededRandom(1), capacity })),
    ).toBe("kernel.bad-option");
});

test("SR2: a span is bounded: 64 attributes, events and links, 16 attributes of each, texts of 1024 characters", () => {
  const spans = createSpanRecorder({ clock: new VirtualClock(), random: new SeededRandom(1) });
  const { context } = spans.start("linked");
  const links = Array.from({ length: 65 }, () => ({ context }));
  const span = spans.start("full", { links });
  for (let i = 0; i < 65; i++) span.set(`name${i}`, i);
  span.set("name0", "replaced");
  const facts = Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`fact${i}`, i]));
  for (let i = 0; i < 65; i++) span.event("event", i === 0 ? facts : undefined);
  span.status("error", "x".repeat(1025));
  span.end();
  const [record] = spans.ended();
  expect(Object.keys(record!.attributes)).toHaveLength(64);
  expect(record!.attributes["name0"]).toBe("replaced");
  expect([record!.events.length, record!.links.length, record!.description.length]).toEqual([64, 64, 1024]);
  expect(Object.keys(record!.events[0]!.attributes)).toHaveLength(16);
  // One attribute, one event, one link, one fact of an event, one text.
  expect(record!.cut).toBe(5);
});

test("a span takes any name and value, and nothing after its end", () => {
  const spans = createSpanRecorder({ clock: new VirtualClock(), random: new SeededRandom(1) });
  const span = spans.start(Symbol("s") as unknown as string, { attributes: { constructor: 1 } });
  span.set("__proto__", "kept");
  span.set("odd", { toString: () => "never called" } as unknown as string);
  span.end();
  span.set("late", 1);
  span.event("late");
  span.status("error");
  span.end();
  const [record, second] = spans.ended();
  expect(second).toBeUndefined();
  expect(Object.entries(record!.attributes)).toEqual([
    ["constructor", 1],
    ["__proto__", "kept"],
    ["odd", "object"],
  ]);
  expect([record!.name, record!.status, record!.events]).toEqual(["symbol", "unset", []]);
});
