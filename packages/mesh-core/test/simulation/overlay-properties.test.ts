/** The properties of routed envelopes, of the registry, of peer exchange, of certificates and of moves, over seeds. A failure names its seed. Some here, thousands in the long tier. */
import { describe, expect, it } from "vitest";
import { certificatesViolation } from "./certificates-run.ts";
import { diversityViolation } from "./diversity-run.ts";
import { exchangeViolation } from "./exchange-run.ts";
import { SOAK } from "./members.ts";
import { movesViolation } from "./moves-run.ts";
import { registryViolation } from "./registry-run.ts";
import { routedViolation } from "./routed-run.ts";

type Violation = (seed: number) => Promise<string | undefined>;

/** Runs seeds 1 to `seeds`; what does not hold, each with its seed. */
async function failures(name: string, violation: Violation, seeds: number): Promise<string[]> {
  const found: string[] = [];
  for (let seed = 1; seed <= seeds; seed++) {
    const what = await violation(seed);
    // Virtual time runs on promises alone: the test process shows here that it goes on.
    await new Promise((done) => setImmediate(done));
    if (what !== undefined) found.push(`seed ${seed}: ${what}`);
  }
  console.log(`${name}: ${seeds} seeds, ${found.length} failed`);
  return found;
}

describe("over seeds", { timeout: SOAK ? 7_200_000 : 120_000 }, () => {
  it("EN1 to EN4: envelopes over relays that repeat and change them are delivered once, unchanged, in 16 hops at most", async () => {
    expect(await failures("envelopes", routedViolation, SOAK ? 5000 : 40)).toEqual([]);
  });

  it("R1 to R5: the registry says what was committed, finds the living, forgets the dead and believes no forger", async () => {
    expect(await failures("registry", registryViolation, SOAK ? 3000 : 4)).toEqual([]);
  });

  it("K6: a node that was cut off for half a minute finds the registry again, though all its contacts had fallen silent", async () => {
    expect(await registryViolation(1260)).toBe(undefined);
  });

  it("R6: a network with many ids and few addresses gets its share of every bucket and table and no more", async () => {
    expect(await failures("diversity", diversityViolation, SOAK ? 3000 : 3)).toEqual([]);
  });

  it("PE1 to PE4: peer exchange keeps what members signed, the newest of it, and shows it to all", async () => {
    expect(await failures("peer exchange", exchangeViolation, SOAK ? 3000 : 6)).toEqual([]);
  });

  it("CE1 to CE5: certificates are renewed in time, end when they must, and survive a new cluster key and removals", async () => {
    expect(await failures("certificates", certificatesViolation, SOAK ? 2000 : 3)).toEqual([]);
  });

  it("G1 to G5, G7, G8: moves under crashes, cuts and each other leave one owner, its state and every message", async () => {
    expect(await failures("moves", movesViolation, SOAK ? 5000 : 15)).toEqual([]);
  });
});
