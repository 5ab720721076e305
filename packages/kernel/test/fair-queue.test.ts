import { FairQueue, type Flow } from "@glia-os/kernel/fair-share";
import fc from "fast-check";
import { expect, test } from "vitest";
import { codeOf } from "./run.ts";

const weight = fc.oneof(fc.integer({ min: 1, max: 10 }), fc.double({ min: 0.01, max: 100, noNaN: true }));
const cost = fc.oneof(
  fc.constant(1),
  fc.integer({ min: 1, max: 50 }),
  fc.double({ min: 0.01, max: 1000, noNaN: true }),
);
const action = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("push" as const),
      flow: fc.nat(5),
      costs: fc.array(cost, { minLength: 1, maxLength: 30 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant("shift" as const), times: fc.integer({ min: 1, max: 40 }) }),
  },
);

/** The difference of two flows' served work by weight, over the time both have been backlogged. */
class Pair {
  #difference = 0;
  #least = 0;
  #most = 0;

  restart(): void {
    this.#difference = this.#least = this.#most = 0;
  }

  serve(share: number): void {
    this.#difference += share;
    this.#least = Math.min(this.#least, this.#difference);
    this.#most = Math.max(this.#most, this.#difference);
  }

  /** The greatest difference over any part of that time. */
  get spread(): number {
    return this.#most - this.#least;
  }
}

test("F1: while two flows are backlogged, |S1/w1 - S2/w2| <= l1/w1 + l2/w2 over any stretch of service", () => {
  fc.assert(
    fc.property(
      fc.array(weight, { minLength: 6, maxLength: 6 }),
      fc.array(action, { maxLength: 60 }),
      (weights, actions) => {
        const queue = new FairQueue<number>();
        const flows = weights.map((w) => queue.flow({ weight: w, capacity: 100_000 }));
        const greatest = weights.map(() => 0);
        const pairs = flows.map(() => flows.map(() => new Pair()));
        for (const step of actions) {
          if (step.kind === "push") {
            for (const c of step.costs) {
              queue.push(flows[step.flow]!, 0, c);
              greatest[step.flow] = Math.max(greatest[step.flow]!, c);
            }
            continue;
          }
          for (let i = 0; i < step.times; i++) {
            const backlogged = flows.map(({ depth }) => depth > 0);
            const served = queue.shift();
            if (served === undefined) break;
            const a = flows.indexOf(served.flow);
            for (let b = 0; b < flows.length; b++) {
              for (const pair of [pairs[a]![b]!, pairs[b]![a]!]) if (!backlogged[b]) pair.restart();
              if (a === b || !backlogged[b]) continue;
              pairs[a]![b]!.serve(served.cost / weights[a]!);
              pairs[b]![a]!.serve(-served.cost / weights[a]!);
              const bound = greatest[a]! / weights[a]! + greatest[b]! / weights[b]!;
              expect(pairs[a]![b]!.spread).toBeLessThanOrEqual(bound * (1 + 1e-9));
            }
          }
          for (const [i, { depth }] of flows.entries())
            if (depth === 0)
              for (let j = 0; j < flows.length; j++)
                for (const pair of [pairs[i]![j]!, pairs[j]![i]!]) pair.restart();
        }
      },
    ),
    { numRuns: 300 },
  );
});

function serve(queue: FairQueue<string>, times: number): string[] {
  return Array.from({ length: times }, () => queue.shift()!.item);
}

function fill(queue: FairQueue<string>, flow: Flow<string>, name: string, count: number): void {
  for (let i = 0; i < count; i++) queue.push(flow, name);
}

const share = (served: readonly string[], name: string) => served.filter((item) => item === name).length;

test("F2: a newcomer starts at the virtual time: it neither starves the others nor is starved", () => {
  const queue = new FairQueue<string>();
  const old = queue.flow({ capacity: 5000 });
  fill(queue, old, "old", 5000);
  serve(queue, 3000);
  const newcomer = queue.flow();
  fill(queue, newcomer, "new", 1000);
  const served = serve(queue, 20);
  expect(share(served, "new")).toBe(10);
});

test("F2: a flow that was idle for long does not catch up on what it did not ask for", () => {
  const queue = new FairQueue<string>();
  const [a, b] = [queue.flow({ capacity: 5000 }), queue.flow()];
  queue.push(b, "b");
  fill(queue, a, "a", 5000);
  serve(queue, 3000);
  fill(queue, b, "b", 100);
  expect(share(serve(queue, 20), "b")).toBe(10);
});

test("F3: a flow that was held goes on at the virtual time, and is not served while held", () => {
  const queue = new FairQueue<string>();
  const [a, b] = [queue.flow({ capacity: 5000 }), queue.flow()];
  fill(queue, a, "a", 5000);
  fill(queue, b, "b", 100);
  queue.hold(b);
  expect(share(serve(queue, 3000), "b")).toBe(0);
  queue.release(b);
  expect(share(serve(queue, 20), "b")).toBe(10);
});

test("at the end of a busy time debts end: who was served much last time does not wait for who was served little", () => {
  const queue = new FairQueue<string>();
  const [a, b] = [queue.flow(), queue.flow()];
  queue.push(a, "a", 100);
  queue.push(b, "b", 1);
  serve(queue, 2);
  fill(queue, a, "a", 50);
  fill(queue, b, "b", 50);
  expect(share(serve(queue, 20), "a")).toBe(10);
});

test("weights 1, 2 and 4 share 700 items as 100, 200 and 400", () => {
  const queue = new FairQueue<string>();
  for (const [name, w] of [
    ["a", 1],
    ["b", 2],
    ["c", 4],
  ] as const)
    fill(queue, queue.flow({ weight: w }), name, 700);
  const served = serve(queue, 700);
  expect([share(served, "a"), share(served, "b"), share(served, "c")]).toEqual([100, 200, 400]);
});

test("F5: a flow pays for what its items really took", () => {
  const queue = new FairQueue<string>();
  const [a, b] = [queue.flow(), queue.flow()];
  fill(queue, a, "a", 500);
  fill(queue, b, "b", 500);
  const served: string[] = [];
  for (let i = 0; i < 400; i++) {
    const { flow, item } = queue.shift()!;
    served.push(item);
    if (flow === a) queue.charge(a, 2);
  }
  expect(Math.abs(share(served, "a") - 100)).toBeLessThanOrEqual(2);
});

test("shares stay right after virtual time was moved back many times", () => {
  const queue = new FairQueue<string>();
  const [a, b] = [
    queue.flow({ weight: 0.001, capacity: 2000 }),
    queue.flow({ weight: 0.002, capacity: 2000 }),
  ];
  for (let i = 0; i < 2000; i++) {
    queue.push(a, "a", 100_000);
    queue.push(b, "b", 100_000);
  }
  const served = serve(queue, 1500);
  expect(Math.abs(share(served, "a") - 500)).toBeLessThanOrEqual(2);
});

test("moving virtual time back changes no order: shares in hundreds of millions are served as shares in ones", () => {
  const order = (unit: number, weightUnit: number) => {
    const queue = new FairQueue<string>();
    const served: string[] = [];
    for (const [name, w, cost] of [
      ["a", 1, 3],
      ["b", 2, 1],
      ["c", 4, 7],
    ] as const) {
      const flow = queue.flow({ weight: w * weightUnit });
      for (let i = 0; i < 300; i++) queue.push(flow, name, cost * unit);
    }
    for (let i = 0; i < 500; i++) served.push(queue.shift()!.item);
    return served;
  };
  // Powers of two, so that both are exact.
  expect(order(8192, 1 / 512)).toEqual(order(1, 1));
});

test("F4: inside a flow, first in first out, and what was taken out does not come", () => {
  const queue = new FairQueue<number>();
  const flow = queue.flow();
  for (let i = 0; i < 10; i++) queue.push(flow, i);
  queue.shift();
  expect([queue.remove(flow, 5), queue.remove(flow, 5), queue.remove(flow, 0)]).toEqual([true, false, false]);
  expect(Array.from({ length: 8 }, () => queue.shift()?.item)).toEqual([1, 2, 3, 4, 6, 7, 8, 9]);
  expect([queue.size, queue.servable, queue.shift()]).toEqual([0, false, undefined]);
});

test("a full flow takes nothing more, and a dropped flow gives its items back", () => {
  const queue = new FairQueue<string>();
  const flow = queue.flow({ capacity: 2 });
  expect([queue.push(flow, "a"), queue.push(flow, "b"), queue.push(flow, "c")]).toEqual([true, true, false]);
  expect([queue.drop(flow), queue.size, queue.servable]).toEqual([["a", "b"], 0, false]);
  expect(codeOf(() => queue.push(flow, "d"))).toBe("kernel.bad-option");
});

test("bad weights, costs, capacities and foreign flows are refused and change nothing", () => {
  const queue = new FairQueue<string>();
  const flow = queue.flow();
  for (const w of [0, -1, Number.NaN, Number.POSITIVE_INFINITY, 1e4, "1" as unknown as number])
    expect(codeOf(() => queue.flow({ weight: w }))).toBe("kernel.bad-option");
  for (const capacity of [0, 1.5, Number.NaN, 2 ** 30])
    expect(codeOf(() => queue.flow({ capacity }))).toBe("kernel.bad-option");
  for (const c of [0, -1, Number.NaN, 1e6]) {
    expect(codeOf(() => queue.push(flow, "x", c))).toBe("kernel.bad-option");
    if (c !== 0 && c !== -1) expect(codeOf(() => queue.charge(flow, c))).toBe("kernel.bad-option");
  }
  expect(codeOf(() => new FairQueue<string>().push(flow, "x"))).toBe("kernel.bad-option");
  expect(queue.size).toBe(0);
});

test("65,536 flows are the most", () => {
  const queue = new FairQueue<string>();
  for (let i = 0; i < 65_536; i++) queue.flow();
  expect(codeOf(() => queue.flow())).toBe("kernel.bad-option");
});
