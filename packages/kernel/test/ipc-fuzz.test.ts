/** Random programs over channels and endpoints, with kills, cancellations and revocations at random moments. */
import { ALL_RIGHTS } from "@glia-os/abi/syscalls";
import { after, type Handle, receiveFrom, type Sys, type TaskId } from "@glia-os/kernel";
import { type Envelope, sendTo } from "@glia-os/kernel/ipc";
import { createTestKernel, runToCompletion } from "@glia-os/kernel/testing";
import fc from "fast-check";
import { expect, test } from "vitest";

type Deed = "send" | "receive" | "select to send" | "select to receive" | "try both" | "call" | "sleep";
const DEEDS: readonly Deed[] = [
  "send",
  "receive",
  "select to send",
  "select to receive",
  "try both",
  "call",
  "sleep",
];

interface Tally {
  readonly sent: number[];
  readonly received: number[];
}

/** One program: its deeds in order, again and again. Every message is a number of its own. */
function* actor(
  sys: Sys,
  handle: Handle,
  deeds: readonly Deed[],
  calls: boolean,
  next: () => number,
  tally: Tally,
) {
  const got = (value: unknown) => {
    const message = calls ? (value as Envelope).message : value;
    tally.received.push(message as number);
    if (calls && (value as Envelope).open) sys.reply(value as Envelope, message);
  };
  for (const deed of deeds) {
    const n = next();
    if (deed === "send") {
      yield* sys.send(handle, n);
      tally.sent.push(n);
    } else if (deed === "receive") got(yield* sys.receive(handle));
    else if (deed === "select to send") {
      const [index] = yield* sys.select([sendTo(handle, n), after(3)]);
      if (index === 0) tally.sent.push(n);
    } else if (deed === "select to receive") {
      const [index, value] = yield* sys.select([receiveFrom(handle), after(3)]);
      if (index === 0) got(value);
    } else if (deed === "try both") {
      if (sys.trySend(handle, n)) tally.sent.push(n);
      const value = sys.tryReceive(handle);
      if (value !== undefined) got(value);
    } else if (deed === "call" && calls) {
      tally.sent.push(n);
      yield* sys.call(handle, n, 5);
    } else yield* sys.sleep(1);
  }
}

const shape = fc.record({
  capacity: fc.integer({ min: -1, max: 2 }),
  actors: fc.array(fc.array(fc.constantFrom(...DEEDS), { minLength: 1, maxLength: 8 }), {
    minLength: 1,
    maxLength: 6,
  }),
  acts: fc.array(
    fc.record({
      at: fc.integer({ min: 0, max: 12 }),
      who: fc.nat(5),
      what: fc.constantFrom("kill", "cancel", "revoke"),
    }),
    { maxLength: 4 },
  ),
});

test("whatever tasks do on a channel or endpoint, and whenever they are ended: nothing is received twice or from nowhere, and nobody waits for what is there", () => {
  fc.assert(
    fc.property(shape, ({ capacity, actors, acts }) => {
      const { kernel, clock } = createTestKernel();
      const calls = capacity < 0;
      const whole = calls ? kernel.endpoint() : kernel.channel<number>(capacity);
      let count = 0;
      const tally: Tally = { sent: [], received: [] };
      const ids: TaskId[] = [];
      const lent: Handle[] = [];
      for (const deeds of actors) {
        const id = kernel.spawn(function* (sys) {
          const handle = yield* sys.waitOn<Handle>(`start ${ids.indexOf(sys.getTid())}`);
          yield* actor(sys, handle, deeds, calls, () => ++count, tally);
        });
        ids.push(id);
      }
      kernel.onFailure(() => {});
      kernel.runSlice();
      for (const [i, id] of ids.entries()) {
        lent.push(kernel.grant(id, whole, ALL_RIGHTS));
        kernel.wake(`start ${i}`, lent[i]);
      }
      for (let step = 0; step <= 12; step++) {
        kernel.runSlice();
        for (const { at, who, what } of acts) {
          const id = ids[who % ids.length]!;
          if (at !== step) continue;
          if (what === "revoke") kernel.revoke(whole);
          else kernel[what](id);
        }
        clock.advance(1);
      }
      runToCompletion(kernel, clock, 10_000);
      // Received once, and only what was sent: by a send that was reported, or by a task that was ended before it could report.
      expect(new Set(tally.received).size).toBe(tally.received.length);
      expect(Math.max(0, ...tally.received)).toBeLessThanOrEqual(count);
      const { tasks, shell } = kernel.dumpState();
      const waiting = (call: string) =>
        tasks.filter(({ waitsIn, handles }) => waitsIn === call && handles.length > 0);
      const held = shell[0]?.messages ?? 0;
      expect(held).toBeLessThanOrEqual(Math.max(0, capacity));
      if (waiting("receive").length > 0) expect([waiting("send").length, held]).toEqual([0, 0]);
      if (waiting("send").length > 0) expect(held).toBe(Math.max(0, capacity));
      if (calls && shell[0]?.state === "idle")
        expect([waiting("send").length, waiting("receive").length]).toEqual([0, 0]);
      // What was reported as sent is received, held, or lost with a receiver that was ended between taking it and running.
      const missing = tally.sent.filter((n) => !tally.received.includes(n)).length;
      if (acts.length === 0 && !calls) expect(missing).toBe(held);
    }),
    { numRuns: 500 },
  );
});
