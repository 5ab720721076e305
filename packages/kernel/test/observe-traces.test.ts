import { errorCodeOf } from "@glia-os/abi/errors";
import type { Logger } from "@glia-os/abi/ports";
import type { Exit, Handle, Kernel, TaskId } from "@glia-os/kernel";
import { chromeTrace, decodeTrace, OBSERVERS_MOST } from "@glia-os/kernel/observe";
import { createTestKernel, runToCompletion } from "@glia-os/kernel/testing";
import fc from "fast-check";
import { expect, test } from "vitest";
import { codeOf } from "./run.ts";

/** A kernel that ran a while. */
function ran(traceRecords = 64): {
  readonly kernel: Kernel;
  readonly sleeper: TaskId;
  readonly asker: TaskId;
} {
  const { kernel, clock } = createTestKernel(1, { traceRecords });
  clock.advance(5_000_000_000.25);
  const box: Handle<number> = kernel.mailbox();
  const sleeper = kernel.spawn(
    function* (sys, inbox) {
      yield* sys.sleep(2.5);
      yield* sys.send(inbox, 1);
    },
    { give: [box] },
  );
  const asker = kernel.spawn(
    function* (sys, inbox) {
      codeOf(() => sys.trySend(77 as never, 1));
      yield* sys.receive(inbox);
      sys.now();
    },
    { give: [box] },
  );
  runToCompletion(kernel, clock);
  return { kernel, sleeper, asker };
}

test("R1, TI2: the image of the ring holds what happened, and when each slice began to the microsecond", () => {
  const { kernel, sleeper, asker } = ran();
  const { total, records } = decodeTrace(kernel.traceImage());
  expect(total).toBe(records.length);
  const low = (task: TaskId): number => task % 2 ** 32;
  expect(
    records.map((record) =>
      record.kind === "slice" ? record.atMs : [record.task, record.syscall, record.outcome],
    ),
  ).toEqual([
    5_000_000_000.25,
    [low(sleeper), "sleep", "parked"],
    [low(asker), "trySend", "refused"],
    [low(asker), "receive", "parked"],
    5_000_000_002.75,
    [low(sleeper), "send", "done"],
    [low(asker), "now", "done"],
  ]);
  expect(kernel.trace()).toEqual(records.filter(({ kind }) => kind === "syscall"));
});

test("R3: slices without syscalls leave one mark, not many", () => {
  const { kernel, clock } = createTestKernel(1, { traceRecords: 8 });
  for (let i = 0; i < 100; i++) {
    clock.advance(1);
    kernel.runSlice();
  }
  const { total, records } = decodeTrace(kernel.traceImage());
  expect([total, records]).toEqual([1, [{ kind: "slice", slice: 100, atMs: 100 }]]);
});

test("R2: the image of a full ring holds its newest records, whatever its size and how often it wrapped", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 5 }), fc.array(fc.nat(20), { maxLength: 20 }), (power, rounds) => {
      const { kernel } = createTestKernel(1, { traceRecords: 2 ** power });
      const { kernel: large } = createTestKernel(1, { traceRecords: 1024 });
      for (const one of [kernel, large]) {
        for (const calls of rounds) {
          one.spawn(function* (sys) {
            for (let i = 0; i < calls; i++) sys.mailbox();
          });
          one.runSlice();
        }
      }
      const { total, records } = decodeTrace(kernel.traceImage());
      const all = decodeTrace(large.traceImage());
      expect(total).toBe(all.total);
      expect(records).toEqual(all.records.slice(-Math.min(total, 2 ** power) || all.records.length));
    }),
  );
});

test("TI3: bytes that are no image are refused as malformed, whatever they are", () => {
  const image = ran().kernel.traceImage();
  const edits = fc
    .array(fc.tuple(fc.nat(image.length - 1), fc.integer({ min: 0, max: 255 })), {
      minLength: 1,
      maxLength: 4,
    })
    .map((changes) => {
      const copy = image.slice();
      for (const [at, byte] of changes) copy[at] = byte;
      return copy;
    });
  const cuts = fc.nat(image.length - 1).map((length) => image.slice(0, length));
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 100 }), edits, cuts), (bytes) => {
      let caught: unknown;
      try {
        const { total, records } = decodeTrace(bytes);
        expect(records.length).toBeLessThanOrEqual(total);
      } catch (error) {
        caught = error;
      }
      expect([undefined, "abi.malformed"]).toContain(errorCodeOf(caught));
      if (bytes.length !== image.length) expect(errorCodeOf(caught)).toBe("abi.malformed");
    }),
    { numRuns: 1000 },
  );
});

test.each([
  ["the magic", 0, 0],
  ["the version", 4, 2],
  ["the size of a record", 5, 8],
  ["what is reserved", 6, 1],
  ["the number of records", 16, 99],
  ["the number of records far beyond the limit", 19, 255],
  ["the total", 15, 255],
  ["the outcome of a record", 24 + 16 + 1, 3],
  ["the head of a mark", 25, 1],
])("TI3: an image with %s changed is refused", (_, at, byte) => {
  const image = ran().kernel.traceImage();
  image[at] = byte;
  expect(codeOf(() => decodeTrace(image))).toBe("abi.malformed");
});

test.each([undefined, null, 7, "GLTR", [1], { length: 24 }])("TI3: %j is no image", (value) => {
  expect(codeOf(() => decodeTrace(value as never))).toBe("abi.malformed");
});

test("decoding reads bytes that lie inside a larger buffer", () => {
  const image = ran().kernel.traceImage();
  const larger = new Uint8Array(image.length + 7);
  larger.set(image, 3);
  expect(decodeTrace(larger.subarray(3, 3 + image.length))).toEqual(decodeTrace(image));
});

test("CT1, CT2: a trace for Chrome has a row per task, a bar per wait and instants in the exact order", () => {
  const { kernel, sleeper, asker } = ran();
  const { traceEvents, otherData } = chromeTrace(decodeTrace(kernel.traceImage()), (task) =>
    task === sleeper % 2 ** 32 ? "sleeper" : undefined,
  );
  expect(otherData).toEqual({ resolution: "one slice", lost: 0, untimed: 0 });
  const rows = traceEvents.filter(({ ph }) => ph === "M").map(({ args }) => args?.["name"]);
  expect(rows).toEqual(["glia kernel", "shell", "sleeper", `task ${asker % 2 ** 32}`]);
  const bars = traceEvents.filter(({ ph }) => ph === "X");
  expect(bars.map(({ name, dur }) => [name, Math.round(dur!)])).toEqual([
    ["sleep", 2500],
    ["receive", 2500],
  ]);
  const times = traceEvents.filter(({ ph }) => ph !== "M").map(({ ts }) => ts);
  expect(times).toEqual([...times].sort((a, b) => a - b));
  expect(traceEvents.find(({ cat }) => cat === "refused")?.name).toBe("trySend");
  expect(JSON.parse(JSON.stringify({ traceEvents }))).toEqual({ traceEvents });
});

test("CT2: records whose slice began before the ring are left out and counted, not dated", () => {
  const { kernel } = createTestKernel(1, { traceRecords: 4 });
  kernel.spawn(function* (sys) {
    for (let i = 0; i < 9; i++) sys.mailbox();
  });
  kernel.runSlice();
  const { traceEvents, otherData } = chromeTrace(decodeTrace(kernel.traceImage()));
  expect(otherData).toMatchObject({ lost: 6, untimed: 4 });
  expect(traceEvents.every(({ ph }) => ph === "M")).toBe(true);
});

test("OB1: listeners hear of the begin, the moves and the end of tasks from when they are added until they leave", () => {
  const { kernel, clock } = createTestKernel();
  const heard: string[] = [];
  const leave = kernel.observe({
    spawned: (_, parent, name, traceparent) => heard.push(`spawned ${name} ${parent} ${traceparent}`),
    ended: (task, exit: Exit) => heard.push(`ended ${exit.kind} ${kernel.nameOf(task)?.name}`),
    transition: (_, from, to) => heard.push(`${from}>${to}`),
  });
  const ends: string[] = [];
  const leaveToo = kernel.observe({ ended: () => ends.push("end") });
  kernel.spawn(function* () {}, { name: "first" });
  runToCompletion(kernel, clock);
  expect(heard).toEqual(["spawned first 0 undefined", "ready>running", "running>finished", "ended ok first"]);
  leave();
  leave();
  kernel.spawn(function* () {});
  runToCompletion(kernel, clock);
  expect([heard.length, ends.length]).toEqual([4, 2]);
  leaveToo();
  kernel.spawn(function* () {});
  runToCompletion(kernel, clock);
  expect([heard.length, ends.length]).toEqual([4, 2]);
});

test("OB1: a task that could not be made is not told of", () => {
  const { kernel } = createTestKernel(1, { taskLimit: 1 });
  let told = 0;
  kernel.observe({ spawned: () => told++ });
  expect(codeOf(() => kernel.spawn((() => 5) as never))).toBe("kernel.not-a-program");
  kernel.spawn(function* () {});
  expect(codeOf(() => kernel.spawn(function* () {}))).toBe("kernel.too-many-tasks");
  expect(told).toBe(1);
});

test("OB3: what a listener throws is logged and harms no task, no spawner and no other listener", () => {
  const lines: string[] = [];
  const logger: Logger = {
    log: (_, message, fields) => void lines.push(`${message}: ${fields?.["error"]}`),
    child: () => logger,
  };
  const { kernel, clock } = createTestKernel(1, { logger });
  const fail = (): never => {
    throw new RangeError("a bad listener");
  };
  const heard: string[] = [];
  kernel.observe({ spawned: fail, ended: fail });
  kernel.observe({ spawned: () => heard.push("spawned"), ended: () => heard.push("ended") });
  const root = kernel.spawn(function* (sys) {
    return (yield* sys.wait(sys.spawn(function* () {}))).kind;
  });
  runToCompletion(kernel, clock);
  expect(kernel.exitOf(root)).toEqual({ kind: "ok", value: "ok" });
  expect(heard).toEqual(["spawned", "spawned", "ended", "ended"]);
  expect(lines).toEqual(Array(4).fill("a listener to tasks failed: RangeError: a bad listener"));
});

test.each([undefined, null, 7, "text", { spawned: 1 }, { transition: null }])(
  "%j is no listener",
  (value) => {
    expect(codeOf(() => createTestKernel().kernel.observe(value as never))).toBe("kernel.bad-option");
  },
);

test("a listener may leave while it is told", () => {
  const { kernel, clock } = createTestKernel();
  let heard = 0;
  const leave = kernel.observe({ spawned: () => leave() });
  kernel.observe({ spawned: () => heard++ });
  kernel.spawn(function* () {});
  kernel.spawn(function* () {});
  runToCompletion(kernel, clock);
  expect(heard).toBe(2);
});

test("the same listener may listen twice, and each function ends one of the two", () => {
  const { kernel } = createTestKernel();
  let heard = 0;
  const listener = { spawned: () => heard++ };
  const leave = [kernel.observe(listener), kernel.observe(listener)];
  kernel.spawn(function* () {});
  leave[0]!();
  kernel.spawn(function* () {});
  expect(heard).toBe(3);
});

test(`one listener more than ${OBSERVERS_MOST} is refused, and there is room again when one has left`, () => {
  const { kernel } = createTestKernel();
  const leave = Array.from({ length: OBSERVERS_MOST }, () => kernel.observe({}));
  expect(codeOf(() => kernel.observe({}))).toBe("kernel.bad-option");
  leave[0]!();
  expect(codeOf(() => kernel.observe({}))).toBe("nothing was thrown");
});
