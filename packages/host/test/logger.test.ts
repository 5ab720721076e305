import type { LogFields } from "@glia-os/abi/ports";
import { createSystemClock, createSystemRandom, createSystemTimers } from "@glia-os/hal";
import {
  createLogger,
  type HostLogger,
  type LoggerOptions,
  type RunningKernel,
  runKernel,
} from "@glia-os/host";
import { createKernel, type Kernel, type Routine, type Sys, type TaskId } from "@glia-os/kernel";
import { asyncProgram } from "@glia-os/kernel/face";
import { createSpanRecorder, type SpanRecord, type SpanRecorder } from "@glia-os/kernel/observe";
import fc from "fast-check";
import { expect, test } from "vitest";

const clock = { monotonicMs: () => 0, wallMs: () => Date.UTC(2026, 0, 2, 3, 4, 5, 678) };

function written(
  options: Partial<LoggerOptions>,
  use: (logger: ReturnType<typeof createLogger>) => void,
): string {
  let text = "";
  use(createLogger({ sink: { write: (chunk) => (text += chunk) }, clock, ...options }));
  return text;
}

test("a JSON line holds time, level, message and the fields of logger and call", () => {
  const text = written({}, (logger) =>
    logger.child({ node: "edge" }).log("warn", "moved", { bytes: 7, to: undefined }),
  );
  expect(JSON.parse(text)).toEqual({
    time: "2026-01-02T03:04:05.678Z",
    level: "warn",
    message: "moved",
    node: "edge",
    bytes: 7,
  });
});

test("a pretty line is plain without colour, and coloured only when asked", () => {
  const say = (logger: ReturnType<typeof createLogger>) =>
    logger.log("error", "went wrong", { why: "no room", n: 3 });
  expect(written({ format: "pretty" }, say)).toBe('03:04:05.678 error went wrong why="no room" n=3\n');
  expect(written({ format: "pretty", color: true }, say)).toBe(
    '03:04:05.678 \u001b[31merror\u001b[0m went wrong why="no room" n=3\n',
  );
});

test("lines below the level are dropped", () => {
  const say = (logger: ReturnType<typeof createLogger>) => {
    for (const level of ["trace", "debug", "info", "warn", "error"] as const) logger.log(level, level);
  };
  expect(written({}, say).split("\n").length - 1).toBe(3);
  expect(written({ level: "error" }, say).split("\n").length - 1).toBe(1);
  expect(written({ level: "trace" }, say).split("\n").length - 1).toBe(5);
});

test("G1: any message and any fields make exactly one line that drives no terminal", () => {
  const anything = fc.dictionary(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }));
  fc.assert(
    fc.property(
      fc.string({ unit: "binary" }),
      anything,
      fc.constantFrom("json", "pretty"),
      (message, fields, format) => {
        const text = written({ format: format as "json" }, (logger) => logger.log("info", message, fields));
        // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
        expect(text).toMatch(/^[^\u0000-\u001f\u007f-\u009f\u2028\u2029]*\n$/);
        if (format === "json") expect(JSON.parse(text)).toMatchObject({ level: "info", message });
      },
    ),
  );
});

test("a field cannot replace the time, the level or the message of a line", () => {
  const line = JSON.parse(
    written({}, (logger) => logger.log("info", "real", { level: "fake", message: "fake" })),
  );
  expect(line).toMatchObject({ level: "info", message: "real", level_: "fake", message_: "fake" });
});

test("G2: what is no plain value is written as text, long text is cut, and a broken sink throws nothing", () => {
  const hostile = {
    toString() {
      throw new RangeError("no text");
    },
  };
  const fields = { big: "x".repeat(10_000), nan: Number.NaN, hostile, list: [1, 2] } as unknown as LogFields;
  const line = JSON.parse(written({}, (logger) => logger.log("info", "odd", fields)));
  expect(line).toMatchObject({ nan: "NaN", hostile: "[no text]", list: "1,2" });
  expect(line.big).toHaveLength(8195);
  const broken = createLogger({
    clock,
    sink: {
      write: () => {
        throw new RangeError("closed");
      },
    },
  });
  expect(() => broken.log("error", "nobody hears")).not.toThrow();
});

interface Followed {
  readonly kernel: Kernel;
  readonly running: RunningKernel;
  readonly logger: HostLogger;
  readonly spans: SpanRecorder;
  lines(): readonly Record<string, unknown>[];
}

function followed(format: "json" | "pretty" = "json"): Followed & { text(): string } {
  let text = "";
  const logger = createLogger({ sink: { write: (chunk) => (text += chunk) }, clock, format });
  const random = createSystemRandom();
  const spans = createSpanRecorder({ clock, random });
  const kernel = createKernel({ clock: createSystemClock(), random, logger, spans });
  const running = runKernel(kernel, { timers: createSystemTimers(), logger });
  const lines = (): readonly Record<string, unknown>[] =>
    text
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  return { kernel, running, logger, spans, lines, text: () => text };
}

test("G3: lines written in a task, in what it calls, in a child task and in an async function carry task and trace", async () => {
  const { kernel, running, logger, lines } = followed();
  const expected: unknown[] = [];
  const note = (name: string, task: TaskId): void => {
    const span = kernel.spanOf(task)!;
    expected.push({
      message: name,
      task,
      path: kernel.pathOf(task),
      traceId: span.traceId,
      spanId: span.spanId,
    });
  };
  function* called(sys: Sys): Routine<void> {
    yield* sys.yield();
    logger.log("info", "called");
    note("called", sys.getTid());
  }
  const root = kernel.spawn(function* (sys) {
    logger.log("info", "in a task");
    note("in a task", sys.getTid());
    yield* called(sys);
    sys.log("info", "by the syscall");
    note("by the syscall", sys.getTid());
    const child = sys.spawn(function* (sys) {
      logger.child({}).log("info", "in a child");
      note("in a child", sys.getTid());
    });
    yield* sys.wait(child);
    const asynchronous = sys.spawn(
      asyncProgram(async (sys) => {
        logger.log("info", "before an await");
        note("before an await", sys.getTid());
        await sys.sleep(1);
        logger.log("info", "after an await");
        note("after an await", sys.getTid());
        sys.log("info", "by the syscall of an async function");
        note("by the syscall of an async function", sys.getTid());
      }),
    );
    yield* sys.wait(asynchronous);
  });
  logger.log("info", "outside");
  expect(await running.exitOf(root)).toMatchObject({ kind: "ok" });
  await running.stop(1000);
  const [outside, ...inside] = lines();
  expect(outside).toEqual({ time: expect.any(String), level: "info", message: "outside" });
  expect(inside.map(({ time: _, level: __, ...rest }) => rest)).toEqual(expected);
  expect(expected).toHaveLength(7);
});

test("G3: lines for people carry task and trace too", async () => {
  const { kernel, running, logger, text } = followed("pretty");
  const task = kernel.spawn(
    function* () {
      logger.log("info", "working", { step: 1 });
    },
    { name: "worker" },
  );
  const { traceId, spanId } = kernel.spanOf(task)!;
  await running.exitOf(task);
  await running.stop(1000);
  expect(text()).toBe(
    `03:04:05.678 info  working step=1 task=${task} path=/0 name=worker traceId=${traceId} spanId=${spanId}\n`,
  );
});

test("G3: a line that names a task itself is about that task, not about the one that runs", async () => {
  const { kernel, running, logger, lines } = followed();
  const task = kernel.spawn(function* () {
    logger.log("info", "about another", { task: 5 });
    logger.child({ task: 6 }).log("info", "about a third");
  });
  await running.exitOf(task);
  await running.stop(1000);
  const seen = lines().map(({ time: _, ...rest }) => rest);
  expect(seen).toEqual([
    { level: "info", message: "about another", task: 5 },
    { level: "info", message: "about a third", task: 6 },
  ]);
});

test("a failure that nobody waits for is logged with the trace of the task", async () => {
  const { kernel, running, spans, lines } = followed();
  kernel.spawn(function* () {
    throw new RangeError("on purpose");
  });
  await running.ended();
  await running.stop(1000);
  const [{ context }] = spans.ended() as [SpanRecord];
  expect(lines()).toMatchObject([
    { level: "error", error: "on purpose", traceId: context.traceId, spanId: context.spanId },
  ]);
});

test("G3: a logger follows a kernel until it is told not to, or the kernel is stopped; each follow is its own", async () => {
  const { kernel, running, logger, lines } = followed();
  const leave = logger.follow(kernel);
  leave();
  leave();
  const say = function* (): Routine<void> {
    logger.log("info", "said");
  };
  await running.exitOf(kernel.spawn(say));
  await running.stop(1000);
  logger.follow({ current: () => undefined });
  const other = { task: 7 as TaskId, path: "/x", name: undefined };
  const end = logger.follow({ current: () => other });
  logger.log("info", "elsewhere");
  end();
  logger.log("info", "nowhere");
  expect(lines().map(({ message, path }) => [message, path])).toEqual([
    ["said", "/0"],
    ["elsewhere", "/x"],
    ["nowhere", undefined],
  ]);
});

test("G2: facts that cannot be read and kernels that are none make no call throw", () => {
  let text = "";
  const logger = createLogger({ sink: { write: (chunk) => (text += chunk) }, clock });
  const trap = Object.defineProperty({}, "fact", {
    enumerable: true,
    get: () => {
      throw new RangeError("a bad fact");
    },
  });
  logger.log("info", "with a trap", trap);
  const end = logger.follow({} as Kernel);
  logger.log("info", "following nothing");
  end();
  logger.log("info", "as before");
  expect(text.match(/"message":"[^"]*"/g)).toEqual(['"message":"as before"']);
});
