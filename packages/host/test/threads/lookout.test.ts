import { expect, test } from "vitest";
import { AWAKE_MS, type Looked, Lookout, SKIPPED_MOST } from "../../src/threads/lookout.ts";

/** A thread whose time and turns the test makes. Every look at its clock takes a microsecond. */
function heldThread(mayLook = true) {
  const state = { nowMs: 0, next: [] as (() => void)[], turns: 0 };
  const later = (turn: () => void): void => {
    state.next.push(turn);
  };
  const lookout = new Lookout({
    nowMs: () => (state.nowMs += 0.001),
    soon: later,
    nextTurn: later,
    mayLook,
  });
  /** Turns until the thread sleeps; gives how many that were. */
  const untilAsleep = (): number => {
    let turns = 0;
    for (let turn = state.next.shift(); turn !== undefined; turn = state.next.shift()) {
      turns++;
      turn();
    }
    return turns;
  };
  return { lookout, state, untilAsleep };
}

/** Something that says whether it listens, and expects more whenever something came. */
class Mail implements Looked {
  waiting = 0;
  taken = 0;
  asleep = false;
  /** How many are taken at once. */
  most = Number.POSITIVE_INFINITY;
  readonly #lookout: Lookout;

  constructor(lookout: Lookout) {
    this.#lookout = lookout;
    lookout.add(this);
  }
  get ready(): boolean {
    return this.waiting > 0;
  }
  take(): boolean {
    if (this.waiting === 0) return false;
    const some = Math.min(this.waiting, this.most);
    this.taken += some;
    this.waiting -= some;
    this.#lookout.expect(this.#lookout.nowMs());
    return true;
  }
}

test("LK2: a thread stays awake for its time after the last message, then sleeps and listens", () => {
  const { lookout, state, untilAsleep } = heldThread();
  const mail = new Mail(lookout);
  expect(mail.asleep).toBe(true);
  expect(state.next.length).toBe(0);
  lookout.expect(lookout.nowMs());
  expect([lookout.awake, mail.asleep]).toEqual([true, false]);
  const began = state.nowMs;
  untilAsleep();
  expect([lookout.awake, mail.asleep]).toEqual([false, true]);
  expect(state.nowMs - began).toBeGreaterThanOrEqual(AWAKE_MS);
  expect(state.nowMs - began).toBeLessThan(AWAKE_MS + 0.05);
});

test("LK1: what comes between the last look and the word that it listens is taken", () => {
  const { lookout, untilAsleep } = heldThread();
  const mail = new Mail(lookout);
  let late = true;
  Object.defineProperty(mail, "asleep", {
    get: () => true,
    set: (asleep: boolean) => {
      if (!asleep || !late) return;
      late = false;
      mail.waiting = 1;
    },
  });
  lookout.expect(lookout.nowMs());
  untilAsleep();
  expect([mail.taken, mail.waiting, mail.asleep]).toEqual([1, 0, true]);
});

test("LK3: where nothing comes in time, again and again, it sleeps at once but for one time in so many, until something comes", () => {
  const { lookout, untilAsleep } = heldThread();
  const mail = new Mail(lookout);
  let awake = 0;
  for (let i = 0; i < 10_000; i++) {
    lookout.expect(lookout.nowMs());
    if (lookout.awake) awake++;
    untilAsleep();
  }
  expect(awake).toBeGreaterThan(10_000 / (SKIPPED_MOST + 1) - 10);
  expect(awake).toBeLessThan(10_000 / (SKIPPED_MOST + 1) + 30);
  while (!lookout.awake) lookout.expect(lookout.nowMs());
  mail.waiting = 1;
  untilAsleep();
  expect(mail.taken).toBe(1);
  lookout.expect(lookout.nowMs());
  expect(lookout.awake).toBe(true);
});

test("LK4: where looking on after messages brings none, the loop has its turn first, but for one time in so many, until it brings one", () => {
  const next: (() => void)[] = [];
  let nowMs = 0;
  let soon = 0;
  const lookout = new Lookout({
    nowMs: () => (nowMs += 0.001),
    soon: (look) => {
      soon++;
      next.push(look);
    },
    nextTurn: (turn) => next.push(turn),
    mayLook: true,
  });
  const mail = new Mail(lookout);
  /** One message wakes the thread and another comes after a turn of its loop; how often it looked on after messages. */
  const apart = (): number => {
    soon = 0;
    mail.waiting = 1;
    lookout.woken(mail);
    next.shift()!();
    mail.waiting = 1;
    for (let step = next.shift(); step !== undefined; step = next.shift()) step();
    return soon;
  };
  expect(apart()).toBe(2);
  const looks = Array.from({ length: 1000 }, apart);
  expect(looks.slice(-500).reduce((sum, one) => sum + one, 0)).toBeLessThan(30);
  expect(looks.slice(-100).some((one) => one > 0)).toBe(true);
  expect(mail.taken).toBe(2002);
  lookout.expect(lookout.nowMs());
  for (let answered = 0; answered < 200; answered++) {
    mail.waiting = 1;
    next.shift()!();
  }
  while (next.length > 0) next.shift()!();
  expect(apart()).toBe(2);
});

test("a thread on the only processor never stays awake: it is woken", () => {
  const { lookout, state } = heldThread(false);
  const mail = new Mail(lookout);
  mail.waiting = 1;
  lookout.woken(mail);
  expect([mail.taken, mail.asleep, lookout.awake, state.next.length]).toEqual([1, true, false, 0]);
});

test("LK1: what a thread that never stays awake does not take in its time is taken in later turns", () => {
  const { lookout, state, untilAsleep } = heldThread(false);
  const mail = new Mail(lookout);
  [mail.waiting, mail.most] = [3, 1];
  lookout.woken(mail);
  expect([mail.taken, mail.asleep, state.next.length]).toEqual([1, true, 1]);
  expect(untilAsleep()).toBe(2);
  expect([mail.taken, mail.asleep, lookout.awake]).toEqual([3, true, false]);
});

test("a listener that throws is heard of, and everything else is taken all the same", () => {
  const { lookout, untilAsleep } = heldThread();
  let throws = false;
  lookout.add({
    take: () => {
      if (!throws) return false;
      throws = false;
      throw new RangeError("bad listener");
    },
    ready: false,
    asleep: false,
  });
  const mail = new Mail(lookout);
  throws = true;
  mail.waiting = 1;
  lookout.expect(lookout.nowMs());
  expect(untilAsleep).toThrow("bad listener");
  untilAsleep();
  expect([mail.waiting, mail.asleep]).toEqual([0, true]);
});
