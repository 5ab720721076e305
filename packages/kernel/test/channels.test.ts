import { RIGHTS, rightsOf } from "@glia-os/abi/syscalls";
import { after, type Handle, receiveFrom, type Sys } from "@glia-os/kernel";
import { CHANNEL_CAPACITY_MAX, sendTo } from "@glia-os/kernel/ipc";
import { createTestKernel, runToCompletion } from "@glia-os/kernel/testing";
import fc from "fast-check";
import { expect, test } from "vitest";
import { codeOf, resultOf, run } from "./run.ts";

function codeIn(error: unknown): string {
  return (error as { code?: string }).code ?? String(error);
}

test("CH1: a channel takes as many messages as its capacity, and a sender beyond that waits until one is taken", () => {
  const result = resultOf(function* (sys) {
    const channel = sys.channel<number>(2);
    const steps: string[] = [];
    sys.spawn(
      function* (sys, out: Handle<number>) {
        for (let i = 0; i < 4; i++) {
          yield* sys.send(out, i);
          steps.push(`sent ${i}`);
        }
      },
      { give: [channel] },
    );
    yield* sys.sleep(1);
    const before = [...steps];
    const full = sys.trySend(channel, 99);
    const got: (number | undefined)[] = [];
    for (let i = 0; i < 4; i++) got.push(sys.tryReceive(channel));
    yield* sys.sleep(1);
    return [before, full, got, steps.length, sys.tryReceive(channel)];
  });
  expect(result).toEqual([["sent 0", "sent 1"], false, [0, 1, 2, undefined], 4, 3]);
});

test("CH1: with capacity 0 nothing is stored: a sender waits for a receiver, and trySend needs one that waits", () => {
  const result = resultOf(function* (sys) {
    const channel = sys.channel<string>(0);
    const alone = [sys.trySend(channel, "nobody"), sys.tryReceive(channel)];
    const receiver = sys.spawn(
      function* (sys, source: Handle<string>) {
        return yield* sys.receive(source);
      },
      { give: [channel] },
    );
    yield* sys.yield();
    const met = [sys.trySend(channel, "somebody"), sys.trySend(channel, "nobody any more")];
    const sender = sys.spawn(
      function* (sys, target: Handle<string>) {
        yield* sys.send(target, "parked");
        return "sent";
      },
      { give: [channel] },
    );
    yield* sys.yield();
    const taken = sys.tryReceive(channel);
    return [alone, met, taken, yield* sys.wait(receiver), yield* sys.wait(sender)];
  });
  expect(result).toEqual([
    [false, undefined],
    [true, false],
    "parked",
    { kind: "ok", value: "somebody" },
    { kind: "ok", value: "sent" },
  ]);
});

test("CH4: after close what is held can be received, then receiving fails; sending and closing again fail", () => {
  const result = resultOf(function* (sys) {
    const channel = sys.channel<number>(3);
    sys.trySend(channel, 1);
    sys.trySend(channel, 2);
    sys.close(channel);
    const codes = [codeOf(() => sys.trySend(channel, 3)), codeOf(() => sys.close(channel))];
    const got = [yield* sys.receive(channel), sys.tryReceive(channel)];
    codes.push(codeOf(() => sys.tryReceive(channel)));
    for (const operation of [() => sys.receive(channel), () => sys.send(channel, 4)]) {
      try {
        yield* operation() as ReturnType<Sys["yield"]>;
      } catch (error) {
        codes.push(codeIn(error));
      }
    }
    return [codes, got];
  });
  expect(result).toEqual([Array(5).fill("kernel.channel-closed"), [1, 2]]);
});

test("CH3, CH4: closing fails every task that waits, alone or in a select, and the message of a failed send is nowhere", () => {
  const result = resultOf(function* (sys) {
    const empty = sys.channel<number>(1);
    const full = sys.channel<number>(0);
    const give = { give: [empty, full] };
    const waiting = [
      function* (sys: Sys, empty: Handle<number>) {
        return yield* sys.receive(empty);
      },
      function* (sys: Sys, _: Handle<number>, full: Handle<number>) {
        return yield* sys.send(full, 1);
      },
      function* (sys: Sys, empty: Handle<number>) {
        return yield* sys.select([after(1000), receiveFrom(empty)]);
      },
      function* (sys: Sys, _: Handle<number>, full: Handle<number>) {
        return yield* sys.select([after(1000), sendTo(full, 2)]);
      },
    ].map((program) => sys.spawn<unknown>(program, give));
    yield* sys.sleep(1);
    sys.close(empty);
    sys.close(full);
    const ends: unknown[] = [];
    for (const id of waiting) ends.push(yield* sys.wait(id));
    return [ends, sys.now(), codeOf(() => sys.tryReceive(full))];
  });
  const failed = (index: number) => ({
    kind: "failed",
    error: { code: "kernel.channel-closed", index },
  });
  expect(result).toMatchObject([[failed(-1), failed(-1), failed(1), failed(1)], 1, "kernel.channel-closed"]);
});

test("a select on a closed channel fails with the index of its wait, when no wait before it is ready", () => {
  const result = resultOf(function* (sys) {
    const closed = sys.channel<number>(1);
    const open = sys.channel<number>(1);
    sys.close(closed);
    const indices: unknown[] = [];
    for (const wait of [receiveFrom(closed), sendTo(closed, 1)]) {
      try {
        yield* sys.select([receiveFrom(open), wait]);
      } catch (error) {
        indices.push((error as { index: number }).index);
      }
    }
    sys.trySend(open, 7);
    return [indices, yield* sys.select([receiveFrom(open), receiveFrom(closed)])];
  });
  expect(result).toEqual([
    [1, 1],
    [0, 7],
  ]);
});

test("two selects that each offer to send and to receive meet once, and nothing else is consumed", () => {
  const result = resultOf(function* (sys) {
    const channel = sys.channel<string>(0);
    const both = function* (sys: Sys, channel: Handle<string>) {
      const name = `from ${sys.getTid()}`;
      const [index, value] = yield* sys.select([sendTo(channel, name), receiveFrom(channel)]);
      return index === 0 ? ["sent", name] : ["received", value];
    };
    const ids = [both, both].map((program) => sys.spawn<unknown>(program, { give: [channel] }));
    const ends: unknown[] = [];
    for (const id of ids) ends.push(yield* sys.wait(id));
    return [ends, sys.tryReceive(channel), sys.trySend(channel, "late"), ids];
  });
  const [ends, left, late, ids] = result as [{ value: string[] }[], unknown, boolean, number[]];
  expect(ends.map(({ value }) => value[0]).sort()).toEqual(["received", "sent"]);
  expect(new Set(ends.map(({ value }) => value[1])).size).toBe(1);
  expect([left, late, ids.length]).toEqual([undefined, false, 2]);
});

test("a waiting sender or receiver that is killed, or whose select chose something else, leaves the channel", () => {
  const result = resultOf(function* (sys) {
    const channel = sys.channel<number>(0);
    const sender = sys.spawn(
      function* (sys, out: Handle<number>) {
        yield* sys.send(out, 1);
      },
      { give: [channel] },
    );
    yield* sys.yield();
    sys.kill(sender);
    yield* sys.wait(sender);
    const selector = sys.spawn(
      function* (sys, out: Handle<number>) {
        yield* sys.select([sendTo(out, 2), receiveFrom(out), after(1)]);
      },
      { give: [channel] },
    );
    yield* sys.wait(selector);
    return [sys.tryReceive(channel), sys.trySend(channel, 3)];
  });
  expect(result).toEqual([undefined, false]);
});

test("rights: send, receive and close each need their own, and losing the last receiver closes the channel", () => {
  const result = resultOf(function* (sys) {
    const channel = sys.channel<number>(4);
    const out = sys.attenuate(channel, RIGHTS.send);
    const inbox = sys.attenuate(channel, RIGHTS.receive);
    const codes = [
      codeOf(() => sys.tryReceive(out)),
      codeOf(() => sys.trySend(inbox, 1)),
      codeOf(() => sys.close(inbox)),
    ];
    sys.trySend(out, 1);
    sys.drop(inbox);
    const before = sys.trySend(out, 2);
    sys.drop(channel);
    return [codes, before, codeOf(() => sys.trySend(out, 3))];
  });
  expect(result).toEqual([Array(3).fill("kernel.missing-right"), true, "kernel.channel-closed"]);
});

test("C5: a receiver or select whose right to a channel is revoked is told, and gets no message", () => {
  const result = resultOf(function* (sys) {
    const channel = sys.channel<string>(1);
    const lent = sys.attenuate(channel, rightsOf("receive", "grant", "revoke"));
    const ids = [
      function* (sys: Sys, source: Handle<string>) {
        return yield* sys.receive(source);
      },
      function* (sys: Sys, source: Handle<string>) {
        return yield* sys.select([receiveFrom(source), after(1000)]);
      },
    ].map((program) => sys.spawn<unknown>(program, { give: [lent] }));
    yield* sys.sleep(1);
    sys.revoke(lent);
    sys.trySend(channel, "mine");
    const ends: unknown[] = [];
    for (const id of ids) ends.push(yield* sys.wait(id));
    return [ends, sys.tryReceive(channel)];
  });
  const told = { kind: "failed", error: { code: "kernel.dead-handle" } };
  expect(result).toMatchObject([[told, told], "mine"]);
});

test("bad capacities, and handles of other kinds, are refused and make nothing", () => {
  const { exit, kernel } = run(function* (sys) {
    const bad = [-1, 0.5, Number.NaN, CHANNEL_CAPACITY_MAX + 1, "1" as unknown as number];
    const codes = bad.map((capacity) => codeOf(() => sys.channel(capacity)));
    const bell = sys.notification();
    const box = sys.mailbox();
    const kinds = [
      codeOf(() => sys.close(bell)),
      codeOf(() => sys.close(box)),
      codeOf(() => sys.trySend(bell, 1)),
    ];
    for (const wait of [sendTo(bell, 1), sendTo(box, 1), receiveFrom(bell), sendTo(0 as Handle, 1)]) {
      try {
        yield* sys.select([wait]);
      } catch (error) {
        kinds.push(codeIn(error));
      }
    }
    return [codes, kinds];
  });
  expect(exit).toMatchObject({
    value: [
      Array(5).fill("kernel.bad-option"),
      [...Array(6).fill("kernel.wrong-object"), "kernel.dead-handle"],
    ],
  });
  expect(kernel.liveTasks).toBe(0);
});

test("a largest channel takes no memory before messages come", () => {
  const size = resultOf(function* (sys) {
    const channel = sys.channel<number>(CHANNEL_CAPACITY_MAX);
    for (let i = 0; i < 100; i++) sys.trySend(channel, i);
    let last: number | undefined;
    for (let i = 0; i < 100; i++) last = sys.tryReceive(channel);
    return last;
  });
  expect(size).toBe(99);
});

test("many senders and receivers, plain and selecting: every message arrives once and each sender's in order", () => {
  const shape = fc.record({
    capacity: fc.integer({ min: 0, max: 5 }),
    senders: fc.array(fc.record({ count: fc.integer({ min: 0, max: 20 }), selects: fc.boolean() }), {
      minLength: 1,
      maxLength: 4,
    }),
    receivers: fc.array(fc.boolean(), { minLength: 1, maxLength: 4 }),
  });
  fc.assert(
    fc.property(shape, ({ capacity, senders, receivers }) => {
      const got: { by: number; who: number; i: number }[] = [];
      const { kernel, clock } = createTestKernel();
      kernel.spawn(function* (sys) {
        const channel = sys.channel<readonly [number, number]>(capacity);
        const producers = senders.map(({ count, selects }, who) =>
          sys.spawn(
            function* (sys, out: Handle<readonly [number, number]>) {
              for (let i = 0; i < count; i++) {
                if (selects) yield* sys.select([sendTo(out, [who, i] as const)]);
                else yield* sys.send(out, [who, i]);
              }
            },
            { give: [channel] },
          ),
        );
        receivers.map((selects, by) =>
          sys.spawn(
            function* (sys, source: Handle<readonly [number, number]>) {
              for (;;) {
                const [who, i] = selects
                  ? (yield* sys.select([receiveFrom(source)]))[1]
                  : yield* sys.receive(source);
                got.push({ by, who, i });
              }
            },
            { give: [channel] },
          ),
        );
        for (const id of producers) yield* sys.wait(id);
        sys.close(channel);
      });
      expect(runToCompletion(kernel, clock, 10_000)).toBe("ended");
      for (const [who, { count }] of senders.entries()) {
        const numbers = got.filter((item) => item.who === who);
        expect(numbers.map(({ i }) => i).toSorted((a, b) => a - b)).toEqual([...Array(count).keys()]);
        for (let by = 0; by < receivers.length; by++) {
          const seen = numbers.filter((item) => item.by === by).map(({ i }) => i);
          expect(seen).toEqual(seen.toSorted((a, b) => a - b));
        }
      }
    }),
  );
});
