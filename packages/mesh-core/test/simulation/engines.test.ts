import { expect, it } from "vitest";
import { simulateMembers } from "./members.ts";

it("a run of members has the same trace whatever its options that only look are, and is a function of its list of faults", () => {
  const options = { scenario: "chaos", nodes: 10, seed: 5, durationMs: 120_000 };
  const drawn = simulateMembers(options).run;
  const seldomChecked = simulateMembers({ ...options, checkEveryMs: 60_000 }).run;
  const listed = simulateMembers({ ...options, faults: JSON.parse(JSON.stringify(drawn.faults)) }).run;
  expect([seldomChecked.traceHash, listed.traceHash]).toEqual([drawn.traceHash, drawn.traceHash]);
});
