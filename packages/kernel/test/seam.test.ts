import type { Meter } from "@glia-os/abi/ports";
import { type Handle, MemoryJournal } from "@glia-os/kernel";
import { createTestKernel, runToCompletion } from "@glia-os/kernel/testing";
import { expect, test } from "vitest";
import { codeOf, run } from "./run.ts";

/** A meter that adds up. */
class AddingMeter implements Meter {
  readonly counts = new Map<string, number>();

  count(name: string, value = 1, labels: Readonly<Record<string, string>> = {}): void {
    const key = [name, ...Object.values(labels)].join(" ");
    this.counts.set(key, (this.counts.get(key) ?? 0) + value);
  }

  observe(): void {}
  gauge(): void {}
}

test("A1: a refused call is traced as refused, counted as refused and not counted as made", () => {
  const { kernel } = run(function* (sys) {
    const nothing = sys.attenuate(sys.mailbox(), 0);
    codeOf(() => sys.trySend(nothing, 1));
  });
  expect(kernel.counters().refused).toBe(1);
  expect(kernel.syscallCounts()).toMatchObject({ trySend: 0, mailbox: 1, attenuate: 1 });
  expect(kernel.trace().map(({ syscall, outcome }) => `${syscall} ${outcome}`)).toEqual([
    "mailbox done",
    "attenuate done",
    "trySend refused",
  ]);
});

test("A2: the meter gets every count once, in differences per slice", () => {
  const meter = new AddingMeter();
  const { kernel } = run(
    function* (sys) {
      const bad = sys.spawn(function* () {
        throw new RangeError("on purpose");
      });
      for (let i = 0; i < 5; i++) yield* sys.sleep(1);
      yield* sys.wait(bad);
    },
    { meter },
  );
  expect(Object.fromEntries(meter.counts)).toEqual({
    "mayfly_syscall_counts spawn": 1,
    "mayfly_syscall_counts sleep": 5,
    "mayfly_syscall_counts wait": 1,
    "mayfly_tasks_total failed": 1,
    "mayfly_tasks_total finished": 1,
  });
  expect(kernel.counters()).toMatchObject({ spawned: 2, finished: 1, failed: 1, cancelled: 0, killed: 0 });
});

test("J1: what a program could not compute itself is journaled with its outcome; local calls are not", () => {
  const journal = new MemoryJournal(64);
  const { kernel } = run(
    function* (sys) {
      const box = sys.mailbox<string>();
      yield* sys.send(box, "hello");
      yield* sys.receive(box);
      sys.now();
      yield* sys.sleep(3);
      try {
        yield* sys.external((settle) => void settle.fail("refused"));
      } catch {}
      sys.tryReceive(box);
    },
    { journal },
  );
  const names = ["receive", "now", "external", "external", "tryReceive"];
  const entries = journal.entries();
  expect(entries.map(({ kind, value }) => [kind, value])).toEqual([
    ["outcome", "hello"],
    ["outcome", 0],
    ["intent", undefined],
    ["failure", "refused"],
    ["outcome", undefined],
  ]);
  expect(entries.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5]);
  expect(Object.keys(kernel.syscallCounts())).toEqual(expect.arrayContaining(names));
});

test("J1: the outcome of a syscall that parked is journaled when its task gets it", () => {
  const journal = new MemoryJournal(8);
  const { kernel, clock } = createTestKernel(1, { journal });
  const box = kernel.mailbox<string>();
  kernel.spawn(
    function* (sys, inbox: Handle<string>) {
      yield* sys.receive(inbox);
    },
    { give: [box] },
  );
  kernel.runSlice();
  expect(journal.entries()).toEqual([]);
  kernel.trySend(box, "late");
  runToCompletion(kernel, clock);
  expect(journal.entries()).toMatchObject([{ kind: "outcome", value: "late" }]);
});

test("J2, R2: journal and trace keep the newest records and never grow", () => {
  const journal = new MemoryJournal(4);
  const { kernel } = run(
    function* (sys) {
      for (let i = 0; i < 10; i++) sys.now();
      const box = sys.mailbox<number>();
      for (let i = 0; i < 6; i++) sys.trySend(box, i);
      for (let i = 0; i < 6; i++) sys.tryReceive(box);
    },
    { journal, traceRecords: 8 },
  );
  expect(journal.entries().map(({ seq, value }) => [seq, value])).toEqual([
    [13, 2],
    [14, 3],
    [15, 4],
    [16, 5],
  ]);
  const trace = kernel.trace();
  expect(trace.map(({ syscall }) => syscall)).toEqual([
    ...Array(2).fill("trySend"),
    ...Array(6).fill("tryReceive"),
  ]);
});

test("R1: a trace record names the task, the argument and the slice", () => {
  const { kernel } = run(function* (sys) {
    sys.getTid();
    yield* sys.sleep(7);
    sys.getTid();
  });
  const [first, sleep, last] = kernel.trace();
  expect(first).toMatchObject({ syscall: "getTid", outcome: "done", slice: 1 });
  expect(sleep).toMatchObject({ syscall: "sleep", outcome: "parked", argument: 7, slice: 1 });
  expect(last?.slice).toBeGreaterThan(1);
  expect(new Set([first, sleep, last].map((record) => record?.task)).size).toBe(1);
});

test("trace rings of a size that is no power of two are refused", () => {
  for (const traceRecords of [0, 3, 1.5, 2 ** 21, Number.NaN])
    expect(codeOf(() => createTestKernel(1, { traceRecords }))).toBe("kernel.bad-option");
});
