/** Whole nodes, from the transport port up, on simulated machines. */
import { describe, expect, it } from "vitest";
import { SOAK } from "./members.ts";
import { meshViolation, simulateMesh } from "./mesh-nodes.ts";

describe("whole nodes on simulated machines", () => {
  it("MN1 to MN3: nodes crash, come back, are cut off and lose what they send, and are one mesh again that answers", {
    timeout: SOAK ? 7_200_000 : 60_000,
  }, async () => {
    const seeds = SOAK ? 3000 : 4;
    const found: string[] = [];
    for (let seed = 1; seed <= seeds; seed++) {
      const what = await meshViolation(seed);
      if (what !== undefined) found.push(`seed ${seed}: ${what}`);
    }
    console.log(`whole nodes: ${seeds} seeds, ${found.length} failed`);
    expect(found).toEqual([]);
  });

  it("the same seed gives the same trace, and another seed another", async () => {
    const hash = async (seed: number): Promise<string> =>
      (await simulateMesh({ seed, scenario: "churn", nodes: 5, durationMs: 100_000 })).traceHash;
    const [first, again, other] = [await hash(3), await hash(3), await hash(4)];
    expect(again).toBe(first);
    expect(other).not.toBe(first);
  });

  it("MN1 is named when a node is cut off for good", async () => {
    const lost = await simulateMesh({
      seed: 1,
      nodes: 3,
      durationMs: 400_000,
      faults: [],
      network: { loss: 1, breaks: 1 },
    });
    expect(lost.violation?.what).toMatch(/^MN1/);
  });
});
