import { availableParallelism } from "node:os";
import { CpuBudget, createProcessEngine, createThreadedEngine, effectiveProcessors } from "@glia-os/host";
import { contractJobsModule } from "@glia-os/host/testing";
import fc from "fast-check";
import { expect, test } from "vitest";

test("C1: whatever members take and give in any order, never more hold a place than there are processors", () => {
  const step = fc.record({ member: fc.nat({ max: 9 }), action: fc.constantFrom("take", "give", "die") });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 12 }), fc.array(step, { maxLength: 200 }), (processors, steps) => {
      const budget = new CpuBudget(processors);
      const places = Array.from({ length: 10 }, () => budget.join());
      const holders = new Set<number>();
      for (const { member, action } of steps) {
        const place = places[member]!;
        if (action === "take") {
          const free = holders.has(member) || holders.size < processors;
          expect(place.tryTake()).toBe(free);
          if (free) holders.add(member);
        } else {
          if (action === "give") place.give();
          else budget.left(place);
          holders.delete(member);
        }
        expect(budget.running).toBe(holders.size);
      }
    }),
  );
});

test("C2: who waits is woken when a place is given back, and when its holder dies", async () => {
  const budget = new CpuBudget(1);
  const [first, second, third] = [budget.join(), budget.join(), budget.join()];
  expect(first.tryTake()).toBe(true);
  const order: string[] = [];
  const waiting = [
    second.taken().then(() => order.push("second")),
    third.taken().then(() => order.push("third")),
  ];
  await Promise.resolve();
  expect(order).toEqual([]);
  first.give();
  await waiting[0];
  budget.left(second);
  await waiting[1];
  expect(order).toEqual(["second", "third"]);
});

test("C3: a 33rd member is refused, and taken when another left for good", () => {
  const budget = new CpuBudget(4);
  const places = Array.from({ length: 32 }, () => budget.join());
  expect(() => budget.join()).toThrowError(expect.objectContaining({ code: "host.budget-full" }));
  budget.leave(places[31]!);
  expect(budget.join().id).toBe(31);
  for (const processors of [0, 1.5, 4097])
    expect(() => new CpuBudget(processors)).toThrowError(
      expect.objectContaining({ code: "host.bad-option" }),
    );
});

test("C1: a thread engine and a process engine over one budget never run more jobs at once than it has processors", async () => {
  const budget = new CpuBudget(1);
  const threads = createThreadedEngine({ module: contractJobsModule, workers: 2, budget });
  const processes = createProcessEngine({ module: contractJobsModule, workers: 2, budget });
  let most = 0;
  let going = true;
  const watch = (): void => {
    most = Math.max(most, budget.running);
    if (going) setImmediate(watch);
  };
  watch();
  const job = (payload: number) => ({
    id: `${payload}`,
    origin: "test",
    lineage: [],
    entry: "double",
    payload,
  });
  const results = await Promise.all(
    Array.from({ length: 400 }, (_, i) => (i % 2 === 0 ? threads : processes).run(job(i))),
  );
  going = false;
  expect(results).toEqual(Array.from({ length: 400 }, (_, i) => 2 * i));
  expect(most).toBe(1);
  await Promise.all([threads.close(), processes.close()]);
  expect(budget.running).toBe(0);
});

test("the effective number of processors is at least one and at most what the system offers", async () => {
  const processors = await effectiveProcessors();
  expect(Number.isInteger(processors)).toBe(true);
  expect(processors).toBeGreaterThanOrEqual(1);
  expect(processors).toBeLessThanOrEqual(availableParallelism());
  expect(new CpuBudget(processors).processors).toBe(processors);
});
