import { describe, expect, it } from "vitest";
import { type LeaseInput, type LeaseOutput, leaseModel } from "./fixtures/lease-model.ts";
import { isLinearizable, type Recorded, type SequentialModel } from "./fixtures/linearizability.ts";
import { sequence } from "./fixtures/seeds.ts";

type Input = { readonly write: number } | "read";

/** A register: a write has no answer but that it happened, a read answers what was written last. */
const register: SequentialModel<number, Input, number> = {
  start: 0,
  step(state, input, output) {
    if (input !== "read") return input.write;
    return output === undefined || output === state ? state : undefined;
  },
  keyOf: String,
};

function ops(
  ...given: readonly (readonly [number, number, Input, number | undefined])[]
): Recorded<Input, number>[] {
  return given.map(([called, returned, input, output]) => ({ called, returned, input, output }));
}

describe("the checker accepts", () => {
  it.each([
    ["nothing", ops()],
    ["one after the other", ops([1, 2, { write: 1 }, 0], [3, 4, "read", 1])],
    ["a read that overlaps a write, old", ops([1, 4, { write: 1 }, 0], [2, 3, "read", 0])],
    ["a read that overlaps a write, new", ops([1, 4, { write: 1 }, 0], [2, 3, "read", 1])],
    [
      "a write nobody heard of, seen late",
      ops([1, Infinity, { write: 1 }, undefined], [2, 3, "read", 0], [4, 5, "read", 1]),
    ],
    ["a write nobody heard of, never seen", ops([1, Infinity, { write: 1 }, undefined], [2, 3, "read", 0])],
    [
      "two writes at once, in either order",
      ops([1, 5, { write: 1 }, 0], [2, 6, { write: 2 }, 0], [7, 8, "read", 1]),
    ],
  ] as const)("%s", (_what, history) => {
    expect(isLinearizable(register, history)).toBe(true);
  });
});

describe("the checker rejects", () => {
  it.each([
    ["a read of what nobody wrote", ops([1, 2, "read", 1])],
    ["a stale read", ops([1, 2, { write: 1 }, 0], [3, 4, "read", 0])],
    ["a read of what is written later", ops([1, 2, "read", 1], [3, 4, { write: 1 }, 0])],
    [
      "new, then old, by two readers of one write",
      ops([1, 8, { write: 1 }, 0], [2, 3, "read", 1], [4, 5, "read", 0]),
    ],
    [
      "two readers that see two writes in two orders",
      ops(
        [1, 2, { write: 1 }, 0],
        [3, 12, { write: 2 }, 0],
        [4, 13, { write: 3 }, 0],
        [5, 6, "read", 2],
        [7, 8, "read", 3],
        [9, 10, "read", 2],
      ),
    ],
    [
      "a write nobody heard of, seen and gone",
      ops([1, Infinity, { write: 1 }, undefined], [2, 3, "read", 1], [4, 5, "read", 0]),
    ],
  ] as const)("%s", (_what, history) => {
    expect(isLinearizable(register, history)).toBe(false);
  });

  it.each([
    [
      "two holders of one epoch",
      [swap(1, "a", 1, { epoch: 2, owner: "a" }), swap(1, "b", 2, { epoch: 2, owner: "b" })],
    ],
    ["an epoch that comes back", [swap(1, "a", 1, { epoch: 2, owner: "a" }), read({ epoch: 1, owner: "a" })]],
    ["an epoch that is left out", [swap(1, "a", 1, { epoch: 3, owner: "a" })]],
    [
      "a session that lives after it was refused",
      [renew("a", 1, "expired"), swap(1, "a", 1, { epoch: 2, owner: "a" })],
    ],
    ["a session that lives after another of its node", [open("a", 3), renew("a", 1, "ok")]],
    ["a fence that is given twice", [open("a", 3), open("b", 3)]],
    [
      "a conflict with the epoch that was expected",
      [swap(1, "a", 1, { conflict: { epoch: 1, owner: "a" } })],
    ],
  ] as const)("of leases: %s", (_what, steps) => {
    const sessions = [open("a", 1), open("b", 2)];
    const history = [...sessions, ...steps].map((step, i) => ({
      ...step,
      called: 2 * i,
      returned: 2 * i + 1,
    }));
    expect(isLinearizable(leaseModel, history)).toBe(false);
    expect(isLinearizable(leaseModel, history.slice(0, 2))).toBe(true);
  });
});

it("a history that is correct by construction is accepted, and with one answer changed it is what brute force says", () => {
  for (let seed = 1; seed <= 300; seed++) {
    const chance = sequence(seed);
    const history = correctHistory(chance);
    expect(isLinearizable(register, history), `seed ${seed}`).toBe(true);
    const at = history.findIndex(({ input }) => input === "read");
    if (at < 0) continue;
    const changed = history.with(at, {
      ...(history[at] as (typeof history)[number]),
      output: Math.floor(chance() * 4),
    });
    expect(isLinearizable(register, changed), `seed ${seed}`).toBe(byBruteForce(changed));
  }
});

/** Moments at which operations take effect, and around each its call and return. */
function correctHistory(chance: () => number): Recorded<Input, number>[] {
  let state = 0;
  return Array.from({ length: 6 }, (_, i) => {
    const at = 10 * i + 5;
    const input: Input = chance() < 0.5 ? "read" : { write: 1 + Math.floor(chance() * 3) };
    if (input !== "read") state = input.write;
    return { called: at - chance() * 14, returned: at + chance() * 14, input, output: state };
  });
}

function byBruteForce(history: readonly Recorded<Input, number>[]): boolean {
  const all = (left: readonly Recorded<Input, number>[], state: number): boolean =>
    left.length === 0 ||
    left.some((op) => {
      if (left.some((other) => other.returned < op.called)) return false;
      const next = register.step(state, op.input, op.output);
      return (
        next !== undefined &&
        all(
          left.filter((other) => other !== op),
          next,
        )
      );
    });
  return all(history, 0);
}

type Step = { readonly input: LeaseInput; readonly output: LeaseOutput };
type Row = { readonly epoch: number; readonly owner: string };

function open(node: string, fence: number): Step {
  return { input: { op: "open", node }, output: { fence } };
}

function renew(node: string, fence: number, output: "ok" | "expired"): Step {
  return { input: { op: "renew", node, fence }, output };
}

function swap(expected: number, node: string, fence: number, output: Row | { readonly conflict: Row }): Step {
  const told = "conflict" in output ? output : { committed: output };
  return { input: { op: "swap", agent: "1", expected, node, fence }, output: told };
}

function read(row: Row): Step {
  return { input: { op: "get", agent: "1" }, output: { row } };
}
