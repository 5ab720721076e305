import type { Handle, MailboxOptions, Overflow, Sys } from "@glia-os/kernel";
import { createTestKernel, runToCompletion } from "@glia-os/kernel/testing";
import fc from "fast-check";
import { expect, test } from "vitest";
import { codeOf, resultOf, run } from "./run.ts";

function* fill(sys: Sys, box: Handle<number>, count: number) {
  for (let i = 0; i < count; i++) yield* sys.send(box, i);
}

test("messages arrive once, in order, whether the receiver waits or not", () => {
  const got = resultOf(function* (sys) {
    const box = sys.mailbox<number>();
    yield* fill(sys, box, 3);
    const late = sys.spawn(
      function* (sys, out: Handle<number>) {
        yield* sys.sleep(1);
        yield* sys.send(out, 3);
      },
      { give: [box] },
    );
    const got: number[] = [];
    for (let i = 0; i < 4; i++) got.push(yield* sys.receive(box));
    yield* sys.wait(late);
    return [got, sys.tryReceive(box)];
  });
  expect(got).toEqual([[0, 1, 2, 3], undefined]);
});

test("M2: a sender parks at the high mark of 800 and goes on when the low mark of 200 is reached, not before", () => {
  const { kernel, clock } = createTestKernel();
  const box = kernel.mailbox<number>();
  let sent = 0;
  kernel.spawn(
    function* (sys, out: Handle<number>) {
      for (; sent < 2000; sent++) yield* sys.send(out, sent);
    },
    { give: [box] },
  );
  const rest = () => runToCompletion(kernel, clock);
  rest();
  expect(sent).toBe(800);
  for (let i = 0; i < 599; i++) expect(kernel.tryReceive(box)).toBe(i);
  rest();
  expect(sent).toBe(800);
  kernel.tryReceive(box);
  rest();
  expect(sent).toBe(1400);
  expect(kernel.counters().pauses).toBe(2);
});

test("M1: a mailbox takes 1000 messages from senders that do not wait, and then no more", () => {
  const { kernel } = createTestKernel();
  const box = kernel.mailbox<number>();
  const outcomes = Array.from({ length: 1001 }, (_, i) => kernel.trySend(box, i));
  expect(outcomes.slice(0, 799)).toEqual(Array(799).fill("taken"));
  expect(outcomes.slice(799, 1000)).toEqual(Array(201).fill("pressured"));
  expect(outcomes[1000]).toBe("full");
});

test("M3: `refuse` refuses at capacity; `drop-oldest` drops the oldest and counts it", () => {
  const outcome = (overflow: Overflow) =>
    run(function* (sys) {
      const box = sys.mailbox<number>({ capacity: 3, overflow });
      let code = "";
      try {
        yield* fill(sys, box, 5);
      } catch (error) {
        code = (error as { code: string }).code;
      }
      const left: number[] = [];
      for (let m = sys.tryReceive(box); m !== undefined; m = sys.tryReceive(box)) left.push(m);
      return [code, left, sys.trySend(box, 9)];
    });
  expect(outcome("refuse").exit).toMatchObject({ value: ["kernel.mailbox-full", [0, 1, 2], true] });
  const dropping = outcome("drop-oldest");
  expect(dropping.exit).toMatchObject({ value: ["", [2, 3, 4], true] });
  expect(dropping.kernel.counters().dropped).toBe(2);
});

test("a killed sender that waits for room sends nothing", () => {
  const left = resultOf(function* (sys) {
    const box = sys.mailbox<number>({ capacity: 1 });
    const sender = sys.spawn(fill2, { give: [box] });
    function* fill2(sys: Sys, out: Handle<number>) {
      yield* fill(sys, out, 2);
    }
    yield* sys.sleep(1);
    sys.kill(sender);
    yield* sys.wait(sender);
    return [yield* sys.receive(box), sys.tryReceive(box)];
  });
  expect(left).toEqual([0, undefined]);
});

test("when nobody can receive any more, parked senders and later ones are told", () => {
  const { exit } = run(function* (sys) {
    const box = sys.mailbox<number>({ capacity: 1 });
    const out = sys.attenuate(box, 1);
    const child = sys.spawn(fill2, { give: [{ handle: box, rights: 1 }] });
    function* fill2(sys: Sys, out: Handle<number>) {
      yield* fill(sys, out, 2);
    }
    yield* sys.sleep(1);
    sys.drop(box);
    const end = yield* sys.wait(child);
    return [end, codeOf(() => sys.trySend(out, 1))];
  });
  expect(exit).toMatchObject({
    value: [{ kind: "failed", error: { code: "kernel.mailbox-closed" } }, "kernel.mailbox-closed"],
  });
});

test("bounds of a mailbox that make no sense are refused", () => {
  const { kernel } = createTestKernel();
  const bad: MailboxOptions[] = [
    { capacity: 0 },
    { capacity: 1.5 },
    { capacity: 16_777_217 },
    { capacity: Number.NaN },
    { capacity: 10, high: 11 },
    { capacity: 10, high: 0 },
    { capacity: 10, high: 5, low: 5 },
    { capacity: 10, low: -1 },
    { overflow: "explode" as Overflow },
  ];
  for (const options of bad)
    expect(
      codeOf(() => kernel.mailbox(options)),
      JSON.stringify(options),
    ).toBe("kernel.bad-option");
  expect(kernel.dumpState().shell).toEqual([]);
});

test("relief is told once, at once without pressure, and at the low mark after pressure", () => {
  const { kernel } = createTestKernel();
  const box = kernel.mailbox<number>({ capacity: 10 });
  let relieved = 0;
  kernel.onRelief(box, () => relieved++);
  expect(relieved).toBe(1);
  for (let i = 0; i < 8; i++) kernel.trySend(box, i);
  kernel.onRelief(box, () => relieved++);
  for (let i = 0; i < 5; i++) kernel.tryReceive(box);
  expect(relieved).toBe(1);
  kernel.tryReceive(box);
  kernel.tryReceive(box);
  expect(relieved).toBe(2);
});

test("many senders and receivers: nothing is lost or doubled, and each receiver sees each sender in order", () => {
  const shape = fc.record({
    capacity: fc.integer({ min: 1, max: 20 }),
    senders: fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 1, maxLength: 5 }),
    receivers: fc.integer({ min: 1, max: 4 }),
  });
  fc.assert(
    fc.property(shape, ({ capacity, senders, receivers }) => {
      const got: { by: number; who: number; i: number }[] = [];
      const total = senders.reduce((sum, count) => sum + count, 0);
      const { outcome } = run(function* (sys) {
        const box = sys.mailbox<[number, number]>({ capacity });
        const done = sys.notification();
        for (const [who, count] of senders.entries()) {
          sys.spawn(
            function* (sys, out: Handle<[number, number]>) {
              for (let i = 0; i < count; i++) yield* sys.send(out, [who, i]);
            },
            { give: [box] },
          );
        }
        const ids = Array.from({ length: receivers }, (_, by) =>
          sys.spawn(
            function* (sys, inbox: Handle<[number, number]>, done: Handle) {
              for (;;) {
                const [who, i] = yield* sys.receive(inbox);
                got.push({ by, who, i });
                if (got.length === total) sys.signal(done);
              }
            },
            { give: [box, done] },
          ),
        );
        if (total > 0) yield* sys.waitSignal(done);
        for (const id of ids) sys.kill(id);
      });
      expect(outcome).toBe("ended");
      for (const [who, count] of senders.entries()) {
        const numbers = got.filter((item) => item.who === who);
        expect(numbers.map(({ i }) => i).toSorted((a, b) => a - b)).toEqual([...Array(count).keys()]);
        for (let by = 0; by < receivers; by++) {
          const seen = numbers.filter((item) => item.by === by).map(({ i }) => i);
          expect(seen).toEqual(seen.toSorted((a, b) => a - b));
        }
      }
    }),
  );
});
