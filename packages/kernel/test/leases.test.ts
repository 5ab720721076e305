import { RIGHTS } from "@glia-os/abi/syscalls";
import { after, type Handle, type MailboxOptions, type Sys } from "@glia-os/kernel";
import { type DeadLetter, type Lease, leaseOf, receiveLease } from "@glia-os/kernel/ipc";
import { createTestKernel, runToCompletion } from "@glia-os/kernel/testing";
import fc from "fast-check";
import { expect, test } from "vitest";
import { codeOf, resultOf, run } from "./run.ts";

test("an acknowledged message is gone; a nacked one comes back first, with its count", () => {
  const result = resultOf(function* (sys) {
    const box = sys.mailbox<string>({ leases: {} });
    sys.trySend(box, "a");
    sys.trySend(box, "b");
    const seen: unknown[] = [];
    for (const answer of ["nack", "ack", "ack"] as const) {
      const lease = yield* receiveLease(sys, box);
      seen.push([lease.message, lease.deliveries, lease.open]);
      sys[answer](lease);
      seen.push(lease.open);
    }
    const [index] = yield* sys.select([leaseOf(box), after(5)]);
    return [seen, index];
  });
  expect(result).toEqual([[["a", 1, true], false, ["a", 2, true], false, ["b", 1, true], false], 1]);
});

test("L2: a lease ends at its deadline, and the message goes to who waits", () => {
  const result = resultOf(function* (sys) {
    const box = sys.mailbox<string>({ leases: {} });
    const other = sys.spawn(
      function* (sys, source: Handle<string>) {
        yield* sys.sleep(1);
        const lease = yield* receiveLease(sys, source, 1000);
        return [lease.message, lease.deliveries, sys.now(), lease.deadlineMs];
      },
      { give: [box] },
    );
    sys.trySend(box, "slow work");
    const lease = yield* receiveLease(sys, box, 100);
    const end = yield* sys.wait(other);
    return [end, codeOf(() => sys.ack(lease)), codeOf(() => sys.nack(lease)), lease.open];
  });
  expect(result).toEqual([
    { kind: "ok", value: ["slow work", 2, 100, 1100] },
    "kernel.lease-ended",
    "kernel.lease-ended",
    false,
  ]);
});

test("a renewed lease lives on from the moment it was renewed", () => {
  const result = resultOf(function* (sys) {
    const box = sys.mailbox<string>({ leases: {} });
    sys.trySend(box, "long work");
    const lease = yield* receiveLease(sys, box, 100);
    yield* sys.sleep(90);
    sys.renew(lease, 100);
    yield* sys.sleep(99);
    const open = lease.open;
    sys.renew(lease, 10);
    yield* sys.sleep(11);
    return [open, lease.open, lease.deadlineMs, codeOf(() => sys.renew(lease, 10))];
  });
  expect(result).toEqual([true, false, 199, "kernel.lease-ended"]);
});

test("L2: the leases of a task that ends, or whose right is revoked, are delivered again at once", () => {
  const result = resultOf(function* (sys) {
    const box = sys.mailbox<string>({ leases: {} });
    const lent = sys.attenuate(box, RIGHTS.receive | RIGHTS.revoke | RIGHTS.grant);
    const holder = function* (sys: Sys, source: Handle<string>) {
      yield* receiveLease(sys, source, 10_000);
      yield* sys.sleep(10_000);
    };
    const ended = sys.spawn(holder, { give: [box] });
    sys.spawn(holder, { give: [lent] });
    sys.trySend(box, "of the first");
    sys.trySend(box, "of the second");
    yield* sys.sleep(1);
    sys.kill(ended);
    yield* sys.wait(ended);
    const first = yield* receiveLease(sys, box);
    sys.revoke(lent);
    const second = yield* receiveLease(sys, box);
    return [first.message, first.deliveries, second.message, second.deliveries, sys.now()];
  });
  expect(result).toEqual(["of the first", 2, "of the second", 2, 1]);
});

test("L3: after the deliveries agreed on a message is a dead letter, with its count and reason", () => {
  const result = resultOf(function* (sys) {
    const dead = sys.mailbox<DeadLetter<string>>();
    const box = sys.mailbox<string>({ leases: { deliveries: 2, deadLetters: dead } });
    sys.trySend(box, "poison");
    sys.trySend(box, "slow");
    sys.nack(yield* receiveLease(sys, box));
    sys.nack(yield* receiveLease(sys, box));
    for (let i = 0; i < 2; i++) {
      yield* receiveLease(sys, box, 10);
      yield* sys.sleep(11);
    }
    const [none] = yield* sys.select([leaseOf(box), after(1)]);
    return [sys.tryReceive(dead), sys.tryReceive(dead), sys.tryReceive(dead), none];
  });
  expect(result).toEqual([
    { message: "poison", deliveries: 2, reason: "nacked" },
    { message: "slow", deliveries: 2, reason: "expired" },
    undefined,
    1,
  ]);
});

test("L3: when there is no room for a dead letter the message is delivered again, until there is", () => {
  const result = resultOf(function* (sys) {
    const dead = sys.mailbox<DeadLetter<number>>({ capacity: 1, overflow: "refuse" });
    const box = sys.mailbox<number>({ leases: { deliveries: 1, deadLetters: dead } });
    for (const message of [1, 2]) sys.trySend(box, message);
    sys.nack(yield* receiveLease(sys, box));
    sys.nack(yield* receiveLease(sys, box));
    const again = yield* receiveLease(sys, box);
    const first = sys.tryReceive(dead);
    sys.nack(again);
    return [first, [again.message, again.deliveries], sys.tryReceive(dead)];
  });
  expect(result).toEqual([
    { message: 1, deliveries: 1, reason: "nacked" },
    [2, 2],
    { message: 2, deliveries: 2, reason: "nacked" },
  ]);
});

test("L4: leased messages count: senders park at the high mark, and go on only when enough was acknowledged", () => {
  const result = resultOf(function* (sys) {
    const box = sys.mailbox<number>({ capacity: 10, high: 8, low: 2, leases: {} });
    let sent = 0;
    sys.spawn(
      function* (sys, out: Handle<number>) {
        for (; sent < 20; sent++) yield* sys.send(out, sent);
      },
      { give: [box] },
    );
    yield* sys.sleep(1);
    const atHigh = sent;
    const room = [sys.trySend(box, 100), sys.trySend(box, 101), sys.trySend(box, 102)];
    const leases: Lease[] = [];
    for (let i = 0; i < 8; i++) leases.push(yield* receiveLease(sys, box));
    yield* sys.sleep(1);
    const allLeased = sent;
    for (const lease of leases.splice(0, 7)) sys.ack(lease);
    yield* sys.sleep(1);
    const above = sent;
    sys.ack(leases[0]!);
    yield* sys.sleep(1);
    return [atHigh, room, allLeased, above, sent];
  });
  expect(result).toEqual([8, [true, true, false], 8, 8, 14]);
});

test("L5: when nobody can receive any more, what is left becomes dead letters and waiting senders are told", () => {
  const { exit } = run(function* (sys) {
    const dead = sys.mailbox<DeadLetter<number>>();
    const box = sys.mailbox<number>({ capacity: 2, high: 2, low: 0, leases: { deadLetters: dead } });
    const out = sys.attenuate(box, RIGHTS.send | RIGHTS.grant);
    sys.trySend(box, 1);
    sys.trySend(box, 2);
    const sender = sys.spawn(
      function* (sys, out: Handle<number>) {
        yield* sys.send(out, 3);
      },
      { give: [out] },
    );
    const lease = yield* receiveLease(sys, box);
    yield* sys.sleep(1);
    sys.drop(box);
    const letters = [sys.tryReceive(dead), sys.tryReceive(dead), sys.tryReceive(dead)];
    const codes = [codeOf(() => sys.trySend(out, 4)), codeOf(() => sys.ack(lease))];
    return [letters, codes, yield* sys.wait(sender)];
  });
  expect(exit).toMatchObject({
    value: [
      [{ message: 1, deliveries: 1 }, { message: 2, deliveries: 0, reason: "closed" }, undefined],
      ["kernel.mailbox-closed", "kernel.lease-ended"],
      { kind: "failed", error: { code: "kernel.mailbox-closed" } },
    ],
  });
});

test("L5: without a mailbox for dead letters what is left is counted as dropped", () => {
  const { kernel } = run(function* (sys) {
    const box = sys.mailbox<number>({ leases: {} });
    for (let i = 0; i < 3; i++) sys.trySend(box, i);
    sys.drop(box);
  });
  expect(kernel.counters().dropped).toBe(3);
});

test("options that make no sense are refused, and so is receiving without a lease", () => {
  const result = resultOf(function* (sys) {
    const lossy = sys.mailbox({ overflow: "drop-oldest" });
    const mute = sys.attenuate(sys.mailbox(), 0);
    const bell = sys.notification();
    const options: MailboxOptions[] = [
      { overflow: "drop-oldest", leases: {} },
      { leases: { deliveries: 0 } },
      { leases: { deliveries: 1.5 } },
      { capacity: 0, leases: {} },
      { leases: { deadLetters: lossy } },
      { leases: { deadLetters: mute } },
      { leases: { deadLetters: bell } },
      { leases: { deadLetters: 7 as Handle } },
    ];
    const codes = options.map((bad) => codeOf(() => sys.mailbox(bad)));
    const box = sys.mailbox<number>({ leases: {} });
    sys.trySend(box, 1);
    codes.push(codeOf(() => sys.tryReceive(box)));
    for (const wait of [leaseOf(box, 0), leaseOf(box, Number.NaN), leaseOf(box, -1), leaseOf(lossy)]) {
      try {
        yield* sys.select([wait]);
      } catch (error) {
        codes.push((error as { code: string }).code);
      }
    }
    const lease = yield* receiveLease(sys, box);
    codes.push(codeOf(() => sys.renew(lease, 0)));
    codes.push(codeOf(() => sys.ack({ ...lease } as Lease)));
    sys.ack(lease);
    codes.push(codeOf(() => sys.ack(lease)));
    return codes;
  });
  expect(result).toEqual([
    ...Array(5).fill("kernel.bad-option"),
    "kernel.missing-right",
    "kernel.wrong-object",
    "kernel.dead-handle",
    "kernel.wrong-object",
    ...Array(3).fill("kernel.bad-duration"),
    "kernel.wrong-object",
    "kernel.bad-duration",
    "kernel.not-a-lease",
    "kernel.lease-ended",
  ]);
});

/** What a worker does with one lease. */
type Deed = "ack" | "nack" | "let it expire" | "end" | "drop the handle";
const deeds: readonly Deed[] = ["ack", "nack", "let it expire", "end", "drop the handle"];

test("L1: whatever workers do, every message is acknowledged once or a dead letter once, and none is lost", () => {
  const shape = fc.record({
    messages: fc.integer({ min: 1, max: 25 }),
    workers: fc.integer({ min: 1, max: 4 }),
    capacity: fc.integer({ min: 1, max: 12 }),
    graves: fc.integer({ min: 1, max: 4 }),
    deliveries: fc.integer({ min: 1, max: 3 }),
    script: fc.array(fc.constantFrom(...deeds), { minLength: 1, maxLength: 80 }),
  });
  fc.assert(
    fc.property(shape, ({ messages, workers, capacity, graves, deliveries, script }) => {
      const acked: number[] = [];
      const buried: number[] = [];
      const { kernel, clock } = createTestKernel();
      kernel.spawn(function* (sys) {
        const dead = sys.mailbox<DeadLetter<number>>({ capacity: graves, overflow: "refuse" });
        const box = sys.mailbox<number>({ capacity, leases: { deliveries, deadLetters: dead } });
        const undertaker = sys.spawn(
          function* (sys, source: Handle<DeadLetter<number>>) {
            for (;;) {
              buried.push((yield* sys.receive(source)).message);
              yield* sys.sleep(7);
            }
          },
          { give: [dead] },
        );
        const sender = sys.spawn(
          function* (sys, out: Handle<number>) {
            for (let i = 0; i < messages; i++) yield* sys.send(out, i);
          },
          { give: [box] },
        );
        let step = 0;
        const worker = function* (sys: Sys, source: Handle<number>) {
          for (;;) {
            const lease = yield* receiveLease(sys, source, 10);
            const deed = script[step++] ?? "ack";
            if (deed === "ack") {
              sys.ack(lease);
              acked.push(lease.message);
            } else if (deed === "nack") sys.nack(lease);
            else if (deed === "let it expire") yield* sys.sleep(15);
            else if (deed === "end") return;
            else {
              sys.drop(source);
              return yield* sys.sleep(3);
            }
          }
        };
        // A worker that ended is replaced until every message is accounted for.
        let ids = Array.from({ length: workers }, () => sys.spawn(worker, { give: [box] }));
        while (acked.length + buried.length < messages) {
          yield* sys.sleep(5);
          const alive = kernel.dumpState().tasks.map(({ id }) => id);
          ids = ids.map((id) => (alive.includes(id) ? id : sys.spawn(worker, { give: [box] })));
        }
        yield* sys.wait(sender);
        yield* sys.sleep(50);
        for (const id of [...ids, undertaker]) sys.kill(id);
      });
      expect(runToCompletion(kernel, clock, 100_000)).toBe("ended");
      expect([...acked, ...buried].toSorted((a, b) => a - b)).toEqual([...Array(messages).keys()]);
    }),
    { numRuns: 200 },
  );
});
