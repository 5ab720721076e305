/** What ten voters are put through: who among them is faulty, how much agreement is asked for, and what must come of it. */
import type { Threshold } from "@glia-os/cells/orchestration";
import type { Behaviour } from "./voter.ts";

/** One line of the table. */
export interface Scenario {
  readonly name: string;
  /** Faulty voters; the rest of the ten are honest. */
  readonly faulty: Readonly<Partial<Record<Behaviour, number>>>;
  readonly threshold: Threshold;
  /** How often every voter is asked. */
  readonly asks?: number;
  /** Nodes of honest voters that the network does not reach. */
  readonly cutOff?: number;
  /** What must come of it, whatever the seed. */
  readonly expected: "reached" | "impossible" | "timed-out";
}

/** Voters of every scenario. */
export const VOTERS = 10;
/** How long a survey waits, in milliseconds. */
export const TIMEOUT_MS = 200;
/** An envelope takes 1 ms to this many, one way. */
export const ONE_WAY_MS = 20;

/** The table. With ten voters a majority is 6 and a super-majority 7. */
export const SCENARIOS: readonly Scenario[] = [
  { name: "all honest", faulty: {}, threshold: "majority", expected: "reached" },
  { name: "all honest", faulty: {}, threshold: "unanimous", expected: "reached" },
  { name: "three are wrong", faulty: { wrong: 3 }, threshold: "super-majority", expected: "reached" },
  { name: "four are wrong", faulty: { wrong: 4 }, threshold: "majority", expected: "reached" },
  { name: "four are wrong", faulty: { wrong: 4 }, threshold: "super-majority", expected: "impossible" },
  { name: "five are wrong", faulty: { wrong: 5 }, threshold: "majority", expected: "impossible" },
  { name: "three are silent", faulty: { silent: 3 }, threshold: "super-majority", expected: "reached" },
  { name: "four are silent", faulty: { silent: 4 }, threshold: "super-majority", expected: "timed-out" },
  { name: "four crash", faulty: { crashing: 4 }, threshold: "majority", expected: "reached" },
  { name: "five crash", faulty: { crashing: 5 }, threshold: "majority", expected: "impossible" },
  {
    name: "three are two-faced, each asked twice",
    faulty: { "two-faced": 3 },
    threshold: "super-majority",
    asks: 2,
    expected: "reached",
  },
  {
    name: "four are two-faced, each asked twice",
    faulty: { "two-faced": 4 },
    threshold: "super-majority",
    asks: 2,
    expected: "impossible",
  },
  {
    name: "a mixture: wrong, silent, crashing",
    faulty: { wrong: 1, silent: 1, crashing: 1 },
    threshold: "super-majority",
    expected: "reached",
  },
  {
    name: "three honest nodes cut off",
    faulty: {},
    cutOff: 3,
    threshold: "super-majority",
    expected: "reached",
  },
  { name: "five honest nodes cut off", faulty: {}, cutOff: 5, threshold: "majority", expected: "timed-out" },
];
