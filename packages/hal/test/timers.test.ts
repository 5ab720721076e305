import { execFileSync } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BadDelayError, createSystemClock, createSystemTimers, TooManyTimersError } from "../src/clock.ts";
import { clockContract, timersContract } from "../src/testing/index.ts";

/**
 * A host whose timeouts fire when the test lets time pass; `earlyMs` before they are due, as real ones may.
 */
function makeHost(earlyMs = 0) {
  let nowMs = 1000;
  const timeouts = new Map<number, { dueMs: number; fire: () => void }>();
  const delays: number[] = [];
  let nextId = 1;
  const set = (fire: () => void, delayMs: number) => {
    delays.push(delayMs);
    timeouts.set(nextId, { dueMs: nowMs + delayMs, fire });
    return nextId++;
  };
  const pass = async (ms: number) => {
    const end = nowMs + ms;
    for (;;) {
      const due = [...timeouts].filter(([, timeout]) => timeout.dueMs - earlyMs <= end);
      due.sort(([, a], [, b]) => a.dueMs - b.dueMs);
      const [id, timeout] = due[0] ?? [0, undefined];
      if (timeout === undefined) break;
      timeouts.delete(id);
      nowMs = Math.max(nowMs, timeout.dueMs - earlyMs);
      timeout.fire();
    }
    nowMs = Math.max(nowMs, end);
  };
  const clear = (id: unknown) => timeouts.delete(id as number);
  const clock = { monotonicMs: () => nowMs, wallMs: () => nowMs };
  return { clock, timeouts: { set, clear }, pass, delays, armed: () => timeouts.size };
}

describe("the system clock", () => {
  for (const contract of clockContract(() => createSystemClock())) it(contract.title, contract.run);

  it("wall time is the system's date", () => {
    const before = Date.now();
    const wall = createSystemClock().wallMs();
    expect(wall).toBeGreaterThanOrEqual(before);
    expect(wall).toBeLessThanOrEqual(Date.now());
  });
});

describe("system timers on the real event loop", () => {
  const real = () => {
    const clock = createSystemClock();
    return { timers: createSystemTimers(), clock, pass: (ms: number) => sleep(ms) };
  };
  for (const contract of timersContract(real)) it(contract.title, contract.run);
});

describe("system timers on a host that fires early", () => {
  const early = () => {
    const { clock, timeouts, pass } = makeHost(0.75);
    return { timers: createSystemTimers({ clock, timeouts }), clock, pass };
  };
  for (const contract of timersContract(early)) it(contract.title, contract.run);
});

describe("system timers", () => {
  it("never fire before their delay, whatever the delay and however early the host is (T1)", async () => {
    const delay = fc.oneof(fc.double({ min: 0, max: 5000, noNaN: true }), fc.nat(5000));
    await fc.assert(
      fc.asyncProperty(
        fc.array(delay, { maxLength: 20 }),
        fc.double({ min: 0, max: 0.99, noNaN: true }),
        async (list, earlyMs) => {
          const host = makeHost(earlyMs);
          const timers = createSystemTimers({ clock: host.clock, timeouts: host.timeouts });
          const start = host.clock.monotonicMs();
          let fired = 0;
          for (const ms of list) {
            timers.schedule(ms, () => {
              fired += 1;
              expect(host.clock.monotonicMs()).toBeGreaterThanOrEqual(start + ms);
            });
          }
          await host.pass(6000);
          expect(fired).toBe(list.length);
          expect(timers.pending).toBe(0);
        },
      ),
    );
  });

  it("sleep a delay of 60 days in pieces the host can take (T2)", async () => {
    const host = makeHost();
    const timers = createSystemTimers({ clock: host.clock, timeouts: host.timeouts });
    const days = 24 * 60 * 60 * 1000;
    let fired = 0;
    timers.schedule(60 * days, () => (fired += 1));
    await host.pass(60 * days - 1);
    expect(fired).toBe(0);
    await host.pass(1);
    expect(fired).toBe(1);
    expect(Math.max(...host.delays)).toBeLessThanOrEqual(2 ** 31 - 1);
  });

  it("refuse the timer over the limit, and take it after one was cancelled (T3)", () => {
    const host = makeHost();
    const timers = createSystemTimers({ clock: host.clock, timeouts: host.timeouts, maxPending: 2 });
    const first = timers.schedule(1, () => {});
    timers.schedule(1, () => {});
    expect(() => timers.schedule(1, () => {})).toThrow(TooManyTimersError);
    expect(timers.pending).toBe(2);
    first.cancel();
    timers.schedule(1, () => {});
    expect(timers.pending).toBe(2);
  });

  it.each([0, -1, Number.NaN])("a limit of %d is one timer, not none", (maxPending) => {
    const host = makeHost();
    const timers = createSystemTimers({ clock: host.clock, timeouts: host.timeouts, maxPending });
    timers.schedule(1, () => {});
    expect(() => timers.schedule(1, () => {})).toThrow(TooManyTimersError);
  });

  it("a cancelled timer leaves nothing behind in the host", async () => {
    const host = makeHost();
    const timers = createSystemTimers({ clock: host.clock, timeouts: host.timeouts });
    for (let n = 0; n < 5; n += 1) timers.schedule(n, () => {});
    expect(timers.cancelAll()).toBe(5);
    expect([timers.pending, host.armed()]).toEqual([0, 0]);
    expect(timers.cancelAll()).toBe(0);
  });

  it("a timer may set and cancel timers while it fires", async () => {
    const host = makeHost();
    const timers = createSystemTimers({ clock: host.clock, timeouts: host.timeouts });
    const fired: string[] = [];
    const victim = timers.schedule(6, () => fired.push("victim"));
    timers.schedule(5, () => {
      fired.push("first");
      victim.cancel();
      timers.schedule(5, () => fired.push("second"));
    });
    await host.pass(100);
    expect(fired).toEqual(["first", "second"]);
  });

  it("a refused delay is named in a typed error", () => {
    expect(() => createSystemTimers().schedule(-3, () => {})).toThrow(BadDelayError);
    expect(() => createSystemTimers().schedule(-3, () => {})).toThrow("-3 ms");
  });

  it.each([
    [false, "ended"],
    [true, "fired ended"],
  ])("with keepAlive %s a pending timer does or does not hold the process (T4)", (keepAlive, output) => {
    const program = `
      import { createSystemTimers } from ${JSON.stringify(new URL("../src/clock.ts", import.meta.url).href)};
      createSystemTimers({ keepAlive: ${keepAlive} }).schedule(150, () => process.stdout.write("fired "));
      process.on("exit", () => process.stdout.write("ended"));`;
    const args = ["--conditions=@glia-os/source", "--input-type=module", "--eval", program];
    expect(execFileSync(process.execPath, args, { encoding: "utf8" })).toBe(output);
  });
});
