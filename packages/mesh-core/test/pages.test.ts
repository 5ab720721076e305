/** The two ends of fetching pages: pages-served.ts (PS1 to PS3) and page-follower.ts (PF1 to PF3). */
import { errorCodeOf } from "@glia-os/abi/errors";
import type { NodeId } from "@glia-os/abi/ids";
import { beforeEach, describe, expect, it } from "vitest";
import type { Caller } from "../src/mesh-types.ts";
import type { IncomingPages, PagesAnswer } from "../src/migration/cells-port.ts";
import { PAGE_CALLS_MAX, pagesAnswer, readPages, readPagesAnswer } from "../src/migration/messages.ts";
import { FETCH_SILENT_MS, PageFollower } from "../src/migration/page-follower.ts";
import { PagesServed, SERVE_SILENT_MS } from "../src/migration/pages-served.ts";
import { VirtualTime } from "../src/testing/index.ts";

const MOVE = new Uint8Array(16).fill(7);
const THERE = "0a".repeat(32) as NodeId;
const STRANGER = "0b".repeat(32) as NodeId;
const from = (node: NodeId): Caller => ({ node }) as Caller;
const NOTHING = new Uint8Array();
const codeOf = (work: Promise<unknown>): Promise<string | undefined> =>
  work.then(
    () => undefined,
    (error: unknown) => errorCodeOf(error),
  );

let time: VirtualTime;
beforeEach(() => {
  time = new VirtualTime();
});

describe("a source", () => {
  let served: PagesServed;
  let asked: number[];
  let done: boolean;
  let released: string[];
  beforeEach(() => {
    asked = [];
    released = [];
    done = false;
    served = new PagesServed({
      clock: time,
      timers: time,
      cells: {
        begin: async () => undefined,
        incoming: () => undefined,
        serve: async (_, said): Promise<PagesAnswer> => {
          asked.push(said[0] ?? 0);
          return { bytes: Uint8Array.of(asked.length), done };
        },
        release: async (move) => void released.push(move),
      },
    });
    served.open(MOVE, THERE);
  });
  const call = (number: number, over = false, node = THERE): Promise<number | undefined> =>
    served
      .answer(from(node), { move: MOVE, number, said: Uint8Array.of(number), over })
      .then((body) => readPagesAnswer(body)[0]);

  it("PS1: answers calls in the order of their numbers, whatever order they come in, and a repeated one as before", async () => {
    const [third, second] = [call(3), call(2)];
    await time.advance(1);
    expect(asked).toEqual([]);
    expect(await call(1)).toBe(1);
    expect(await Promise.all([second, third])).toEqual([2, 3]);
    expect(asked).toEqual([1, 2, 3]);
    expect(await call(2)).toBe(2);
    expect(asked).toEqual([1, 2, 3]);
  });

  it("PS1: refuses numbers that are too far ahead, and those whose answers are forgotten", async () => {
    expect(await codeOf(call(PAGE_CALLS_MAX + 1))).toBe("mesh.chunk-corrupt");
    for (let n = 1; n <= PAGE_CALLS_MAX + 1; n++) await call(n);
    expect(await codeOf(call(1))).toBe("mesh.chunk-corrupt");
  });

  it("PS2: answers nobody but the destination of the move, and no other move", async () => {
    expect(await codeOf(call(1, false, STRANGER))).toBe("mesh.migration-refused");
    await served.close(MOVE);
    expect(await codeOf(call(1))).toBe("mesh.migration-refused");
    expect(released).toHaveLength(1);
  });

  it("is done when the destination has everything, and says how much that was", async () => {
    const finished = served.finished(MOVE);
    expect(served.owed).toBe(1);
    await call(1);
    done = true;
    await call(2, true);
    expect(await finished).toBe(2);
    expect(served.owed).toBe(0);
  });

  it("is told when the destination gives the agent up", async () => {
    const finished = codeOf(served.finished(MOVE));
    await call(1, true);
    expect(await finished).toBe("mesh.pages-left");
  });

  it("PS3: lets go of a destination that says nothing, not earlier and not later than it says", async () => {
    const finished = codeOf(served.finished(MOVE));
    await time.advance(SERVE_SILENT_MS - 1000);
    await call(1);
    await time.advance(SERVE_SILENT_MS - 1000);
    expect(served.owed).toBe(1);
    await time.advance(2000);
    expect(await finished).toBe("mesh.pages-left");
  });

  it("who waited for what is owed and gave up is not told any more", async () => {
    let told = 0;
    const schedule = time.schedule.bind(time);
    time.schedule = (delayMs, run) => {
      const timer = schedule(delayMs, run);
      const cancel = (): void => {
        if (delayMs === 777) told++;
        timer.cancel();
      };
      return { cancel };
    };
    void codeOf(served.finished(MOVE));
    const early = served.settled(777);
    await time.advance(778);
    expect(await early).toBe(false);
    const late = served.settled(777);
    done = true;
    await call(1);
    expect([await late, told]).toEqual([true, 1]);
  });

  it("a node that goes waits for what it owes, within a time", async () => {
    void codeOf(served.finished(MOVE));
    const early = served.settled(1000);
    await time.advance(1001);
    expect(await early).toBe(false);
    const late = served.settled(10_000);
    done = true;
    await call(1);
    expect(await late).toBe(true);
    expect(await served.settled(1)).toBe(true);
  });
});

describe("a destination", () => {
  let said: Uint8Array;
  let taken: number[];
  let lost: string[];
  let last: number;
  let calls: { readonly number: number; readonly over: boolean; answer(value: number): void }[];
  let pages: IncomingPages;
  let follower: PageFollower;
  let over: boolean;
  beforeEach(() => {
    [said, taken, lost, calls, last, over] = [NOTHING, [], [], [], 9, false];
    const whole = Promise.withResolvers<void>();
    pages = {
      whole: whole.promise,
      onSaid: undefined,
      said: () => {
        const now = said;
        said = NOTHING;
        return now;
      },
      take: async (bytes) => {
        taken.push(bytes[0] ?? 0);
        return bytes[0] === last;
      },
      lose: (why) => void lost.push(why),
    };
    follower = new PageFollower({
      move: MOVE,
      from: THERE,
      pages,
      clock: time,
      timers: time,
      call: (_, __, body) => {
        const { number, over: isLast } = readPages(body);
        const { promise, resolve } = Promise.withResolvers<Uint8Array>();
        calls.push({ number, over: isLast, answer: (value) => resolve(pagesAnswer(Uint8Array.of(value))) });
        return promise;
      },
      onOver: () => {
        over = true;
      },
    });
    follower.start();
  });

  it("PF1: has one call under way, a second one while a page is waited for, and never a third", async () => {
    expect(calls.map(({ number }) => number)).toEqual([1]);
    pages.onSaid?.();
    expect(calls).toHaveLength(1);
    said = Uint8Array.of(1);
    pages.onSaid?.();
    said = Uint8Array.of(2);
    pages.onSaid?.();
    expect(calls.map(({ number }) => number)).toEqual([1, 2]);
  });

  it("PF1: takes answers in the order of their calls", async () => {
    said = Uint8Array.of(1);
    pages.onSaid?.();
    calls[1]?.answer(2);
    await time.advance(1);
    expect(taken).toEqual([]);
    calls[0]?.answer(1);
    await time.advance(1);
    expect(taken).toEqual([1, 2]);
  });

  it("PF3: tells the source in a last call that it is needed no more", async () => {
    calls[0]?.answer(last);
    await time.advance(1);
    expect(calls.at(-1)).toMatchObject({ number: 2, over: true });
    calls.at(-1)?.answer(0);
    await time.advance(1);
    expect([over, lost]).toEqual([true, []]);
  });
});

it("PF2: a source that cannot be reached is given up after its time, and what is refused at once", async () => {
  const { PeerUnreachableError, MigrationRefusedError } = await import("../src/errors.ts");
  for (const [error, atMs] of [
    [new PeerUnreachableError(THERE), FETCH_SILENT_MS],
    [new MigrationRefusedError("", "no"), 0],
  ] as const) {
    const lost: number[] = [];
    const began = time.monotonicMs();
    let tries = 0;
    new PageFollower({
      move: MOVE,
      from: THERE,
      pages: {
        whole: new Promise(() => undefined),
        onSaid: undefined,
        said: () => NOTHING,
        take: async () => false,
        lose: () => void lost.push(time.monotonicMs() - began),
      },
      clock: time,
      timers: time,
      call: async () => {
        tries++;
        throw error;
      },
      onOver: () => undefined,
    }).start();
    await time.advance(FETCH_SILENT_MS * 2);
    expect(lost).toHaveLength(1);
    expect(lost[0]).toBeGreaterThanOrEqual(atMs);
    expect(lost[0]).toBeLessThanOrEqual(atMs + 500);
    expect(tries).toBeLessThan(100);
  }
});
