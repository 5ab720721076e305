/** What every `Clock` and `Timers` must do. */
import assert from "node:assert/strict";
import type { Clock, Timers } from "@glia-os/abi/ports";
import type { ContractCase } from "./contract-case.ts";

/** Readings compared in a row. */
const READINGS = 10_000;

/** The contract of `Clock`. */
export function clockContract(make: () => Clock): readonly ContractCase[] {
  return [
    {
      title: "monotonic time never goes back",
      run: async () => {
        const clock = make();
        let previous = clock.monotonicMs();
        for (let n = 0; n < READINGS; n += 1) {
          const now = clock.monotonicMs();
          assert.ok(now >= previous, `${now} came after ${previous}`);
          previous = now;
        }
      },
    },
    {
      title: "both readings are finite numbers of milliseconds",
      run: async () => {
        const clock = make();
        assert.ok(Number.isFinite(clock.monotonicMs()));
        assert.ok(Number.isFinite(clock.wallMs()));
      },
    },
  ];
}

/** Timers under test with the means to let time pass. */
export interface TimersUnderTest {
  readonly timers: Timers;
  /** The clock the timers go by. */
  readonly clock: Clock;
  /** Let at least this much time pass and every due timer fire. */
  readonly pass: (ms: number) => Promise<void>;
}

/** The contract of `Timers`. */
export function timersContract(make: () => TimersUnderTest): readonly ContractCase[] {
  return [
    {
      title: "a timer fires once and not before its delay",
      run: async () => {
        const { timers, clock, pass } = make();
        const start = clock.monotonicMs();
        const fired: number[] = [];
        timers.schedule(12.5, () => fired.push(clock.monotonicMs() - start));
        await pass(60);
        assert.equal(fired.length, 1);
        assert.ok(fired[0]! >= 12.5, `fired after ${fired[0]} ms`);
      },
    },
    {
      title: "a timer never fires inside the call that sets it",
      run: async () => {
        const { timers, pass } = make();
        let fired = 0;
        timers.schedule(0, () => {
          fired += 1;
        });
        assert.equal(fired, 0);
        await pass(20);
        assert.equal(fired, 1);
      },
    },
    {
      title: "a cancelled timer does not fire, and cancelling again has no effect",
      run: async () => {
        const { timers, pass } = make();
        let fired = 0;
        const timer = timers.schedule(5, () => {
          fired += 1;
        });
        timer.cancel();
        timer.cancel();
        await pass(40);
        timer.cancel();
        assert.equal(fired, 0);
      },
    },
    {
      title: "timers with distinct delays fire in the order of their delays",
      run: async () => {
        const { timers, pass } = make();
        const order: string[] = [];
        timers.schedule(40, () => order.push("late"));
        timers.schedule(5, () => order.push("early"));
        await pass(100);
        assert.deepEqual(order, ["early", "late"]);
      },
    },
    {
      title: "a delay that is negative or not finite is refused and sets nothing",
      run: async () => {
        const { timers, pass } = make();
        let fired = 0;
        for (const delay of [-1, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
          assert.throws(() => timers.schedule(delay, () => (fired += 1)));
        }
        await pass(20);
        assert.equal(fired, 0);
      },
    },
  ];
}
