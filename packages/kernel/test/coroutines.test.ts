import { type Handle, keyOf, type Routine, receiveFrom, type Sys, signalOf } from "@glia-os/kernel";
import { createTestKernel } from "@glia-os/kernel/testing";
import fc from "fast-check";
import { expect, test } from "vitest";
import { resultOf } from "./run.ts";

function* sumOf(sys: Sys, inbox: Handle<number>, count: number): Routine<number> {
  if (count === 0) return 0;
  const rest = yield* sumOf(sys, inbox, count - 1);
  return rest + (yield* sys.receive(inbox));
}

function* failAt(sys: Sys, depth: number): Routine<string> {
  yield* sys.sleep(1);
  if (depth === 0) throw new RangeError("at the bottom");
  if (depth !== 3) return yield* failAt(sys, depth - 1);
  try {
    return yield* failAt(sys, depth - 1);
  } catch (error) {
    yield* sys.sleep(1);
    return `caught ${(error as Error).message}`;
  }
}

test("a value comes back through generators that wait at every level, and an error is caught at any of them", () => {
  const result = resultOf(function* (sys) {
    const inbox = sys.mailbox<number>();
    for (let i = 1; i <= 50; i++) sys.trySend(inbox, i);
    return [yield* sumOf(sys, inbox, 50), yield* failAt(sys, 6)];
  });
  expect(result).toEqual([1275, "caught at the bottom"]);
});

test("whatever makes a parked task ready, in whatever order, it is in the ready queue once and runs once", () => {
  const event = fc.constantFrom("send", "signal", "wake", "cancel");
  fc.assert(
    fc.property(fc.array(event, { minLength: 1, maxLength: 8 }), (events) => {
      const { kernel } = createTestKernel();
      const box = kernel.mailbox<number>();
      const bell = kernel.notification();
      const id = kernel.spawn(
        function* (sys, inbox: Handle<number>, bell: Handle) {
          yield* sys.select([receiveFrom(inbox), signalOf(bell), keyOf("key")]);
          yield* sys.sleep(1_000);
        },
        { give: [box, bell] },
      );
      kernel.runSlice();
      const before = kernel.dumpState().counters.switches;
      for (const what of events) {
        if (what === "send") kernel.trySend(box, 1);
        else if (what === "signal") kernel.signal(bell);
        else if (what === "wake") kernel.wake("key");
        else kernel.cancel(id);
      }
      expect(kernel.dumpState().ready.normal).toBe(1);
      kernel.runSlice();
      expect(kernel.dumpState().counters.switches).toBe(before + 1);
      expect(kernel.dumpState().ready.normal).toBe(0);
    }),
  );
});
