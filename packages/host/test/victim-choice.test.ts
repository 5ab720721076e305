import fc from "fast-check";
import { expect, test } from "vitest";
import { VictimChoice } from "../src/engines/victim-choice.ts";

const seed = Number(process.env["GLIA_SEED"] ?? Date.now() % 2 ** 31);
console.log(`seed ${seed}: repeat with GLIA_SEED=${seed}`);

function round(choice: VictimChoice): number[] {
  choice.begin();
  const order: number[] = [];
  for (let victim = choice.next(); victim >= 0; victim = choice.next()) order.push(victim);
  return order;
}

const pool = fc
  .integer({ min: 1, max: 32 })
  .chain((workers) => fc.tuple(fc.constant(workers), fc.nat(workers - 1)));
const draws = fc.infiniteStream(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }));

test("V1: a round offers every other worker once, whatever is drawn and whoever paid before", () => {
  fc.assert(
    fc.property(pool, draws, fc.array(fc.nat(40), { maxLength: 8 }), ([workers, self], stream, events) => {
      const choice = new VictimChoice(workers, self, (n) => Math.floor(stream.next().value! * n));
      const others = Array.from({ length: workers }, (_, i) => i).filter((worker) => worker !== self);
      for (const event of events) {
        const order = round(choice);
        expect([...order].sort((a, b) => a - b)).toEqual(others);
        if (event < order.length) choice.paid(order[event]!);
        else choice.missed();
      }
    }),
    { seed, numRuns: 500 },
  );
});

test("V2: who paid comes first, until it had nothing in two rounds", () => {
  fc.assert(
    fc.property(fc.integer({ min: 3, max: 32 }), draws, (workers, stream) => {
      const choice = new VictimChoice(workers, 0, (n) => Math.floor(stream.next().value! * n));
      const victim = round(choice).at(-1)!;
      choice.paid(victim);
      expect(round(choice)[0]).toBe(victim);
      choice.missed();
      expect(round(choice)[0]).toBe(victim);
      choice.missed();
      // Not preferred any more: the draws alone decide who comes first.
      const lasting = new VictimChoice(workers, 0, () => 0);
      lasting.paid(workers - 1);
      lasting.missed();
      lasting.missed();
      expect(round(lasting)[0]).toBe(1);
    }),
    { seed, numRuns: 100 },
  );
});

test("V3: without a preference every worker comes first for one value of the draw, and as many orders come up as there are steps", () => {
  for (const workers of [2, 3, 5, 9, 17, 32]) {
    const self = workers >> 1;
    const firsts = new Set<number>();
    const orders = new Set<string>();
    for (let start = 0; start < workers - 1; start++)
      for (let step = 0; step < workers; step++) {
        const pending = [start, step];
        const choice = new VictimChoice(workers, self, (n) => pending.shift()! % n);
        const order = round(choice);
        firsts.add(order[0]!);
        orders.add(order.join());
      }
    expect(firsts.size).toBe(workers - 1);
    if (workers > 3) expect(orders.size).toBeGreaterThan(workers - 1);
  }
});
