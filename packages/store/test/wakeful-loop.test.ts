import { expect, it } from "vitest";
import { SKIPPED_MOST, WAKEFUL_MS, WakefulLoop } from "../src/wakeful-loop.ts";

/** A loop whose turns and time the test makes. */
function heldLoop() {
  const state = { nowMs: 0, turns: [] as (() => void)[], turned: 0 };
  const loop = new WakefulLoop({
    nowMs: () => state.nowMs,
    nextTurn: (turn) => {
      state.turns.push(turn);
    },
  });
  /** One turn of the loop; false when it would sleep. */
  const turn = (ms: number): boolean => {
    state.nowMs += ms;
    const next = state.turns.shift();
    next?.();
    return state.turns.length > 0;
  };
  return { loop, turn, isAwake: () => state.turns.length > 0 };
}

const SHORT_MS = WAKEFUL_MS / 10;

it("WL2: a loop stays awake until the message came, and not longer than its time", () => {
  const { loop, turn, isAwake } = heldLoop();
  loop.expect();
  expect(turn(SHORT_MS)).toBe(true);
  loop.came();
  expect(turn(SHORT_MS)).toBe(false);
  loop.expect();
  for (let i = 0; i < 8; i++) expect(turn(SHORT_MS)).toBe(true);
  turn(3 * SHORT_MS);
  expect(isAwake()).toBe(false);
});

it("WL2: reasons while it is awake prolong its time, and make it turn once, not twice", () => {
  const { loop, turn, isAwake } = heldLoop();
  for (let i = 0; i < 50; i++) {
    loop.expect();
    expect(turn(WAKEFUL_MS / 2)).toBe(true);
  }
  turn(WAKEFUL_MS);
  expect(isAwake()).toBe(false);
});

it("WL3: where every message comes too late it is kept awake once in 65 times, and always again after one came in time", () => {
  const { loop, turn, isAwake } = heldLoop();
  let awake = 0;
  for (let i = 0; i < 10_000; i++) {
    loop.expect();
    if (isAwake()) {
      awake += 1;
      turn(2 * WAKEFUL_MS);
    }
    loop.came();
  }
  expect(awake).toBeGreaterThan(10_000 / (SKIPPED_MOST + 1) - 10);
  expect(awake).toBeLessThan(10_000 / (SKIPPED_MOST + 1) + 20);
  while (!isAwake()) loop.expect();
  loop.came();
  turn(SHORT_MS);
  for (let i = 0; i < 100; i++) {
    loop.expect();
    expect(isAwake()).toBe(true);
    turn(SHORT_MS);
    loop.came();
    turn(SHORT_MS);
  }
});
