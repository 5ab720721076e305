/** A million timers: on our wheel, and by setTimeout. */
import { TimerWheel } from "@glia-os/kernel/timer-wheel";
import type { Contestant } from "../../src/suite.ts";

const TIMERS = 1_000_000;
/** The deadlines are spread over 100 s after the first hour, so that none fires meanwhile. */
const FIRST_MS = 3_600_000;
const SPREAD_MS = 100_000;
const STEP = 7919;

const deadline = (i: number): number => FIRST_MS + ((i * STEP) % SPREAD_MS);

interface Part {
  readonly insertNs: number;
  readonly cancelNs: number;
}

function timed(insert: (i: number) => void, cancel: (i: number) => void): Part {
  const start = performance.now();
  for (let i = 0; i < TIMERS; i++) insert(i);
  const middle = performance.now();
  for (let i = 0; i < TIMERS; i++) cancel(i);
  const end = performance.now();
  return { insertNs: ((middle - start) * 1e6) / TIMERS, cancelNs: ((end - middle) * 1e6) / TIMERS };
}

function contestant(part: keyof Part, measure: () => Part): Contestant {
  return { value: () => measure()[part] };
}

/** The wheel, kept between samples. */
function wheel(part: keyof Part): () => Contestant {
  return () => {
    const queue = new TimerWheel<{ timerAt: number }>(0);
    const items = Array.from({ length: TIMERS }, () => ({ timerAt: -1 }));
    return contestant(part, () =>
      timed(
        (i) => queue.set(items[i]!, deadline(i)),
        (i) => queue.cancel(items[i]!),
      ),
    );
  };
}

const nothing = (): void => {};

/** setTimeout and clearTimeout of this process. */
function setTimeouts(part: keyof Part): () => Contestant {
  return () => {
    const handles: NodeJS.Timeout[] = new Array(TIMERS);
    return contestant(part, () =>
      timed(
        (i) => {
          handles[i] = setTimeout(nothing, deadline(i));
        },
        (i) => clearTimeout(handles[i]),
      ),
    );
  };
}

/** Insert and cancel of one timer together, `times` of them at once, on the wheel. */
function wheelBoth(): Contestant {
  const queue = new TimerWheel<{ timerAt: number }>(0);
  return {
    run(times) {
      const items = Array.from({ length: times }, () => ({ timerAt: -1 }));
      for (let i = 0; i < times; i++) queue.set(items[i]!, deadline(i));
      for (let i = 0; i < times; i++) queue.cancel(items[i]!);
    },
  };
}

/** For `serve.ts`. */
export const contestants: Readonly<Record<string, () => Contestant>> = {
  "timer-insert": wheel("insertNs"),
  "timer-cancel": wheel("cancelNs"),
  "timer-insert-cancel": wheelBoth,
  "set-timeout-insert": setTimeouts("insertNs"),
  "set-timeout-cancel": setTimeouts("cancelNs"),
};
