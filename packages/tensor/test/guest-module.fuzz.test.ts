/** Whatever a guest calls with whatever numbers: a code comes back, nothing is thrown, and the guest stays within its quotas. */
import { SeededRandom } from "@glia-os/abi/testing";
import { describe, expect, it } from "vitest";
import { TENSOR_FUNCTIONS, type TensorFunction } from "../src/guests/index.ts";
import { Guest } from "./guest.ts";

const seeds = process.env["GLIA_SOAK"] === "1" ? 500 : 12;
const CALLS = 400;
const QUOTA = 640;
const names = Object.keys(TENSOR_FUNCTIONS) as TensorFunction[];

/** Numbers a hostile or mistaken guest gives. */
const odd = [
  0,
  1,
  2,
  3,
  5,
  8,
  9,
  -1,
  -8,
  64,
  100,
  1024,
  65_535,
  65_536,
  2 ** 31 - 1,
  -(2 ** 31),
  0.5,
  -0,
  Number.NaN,
  Infinity,
];

function run(seed: number): { codes: Set<number>; record: string } {
  const random = new SeededRandom(seed);
  const pick = <T>(from: readonly T[]): T => from[random.uint32() % from.length] as T;
  const guest = new Guest({ quotaBytes: QUOTA, quotaTensors: 12, mostWork: 50_000 });
  random.bytes(guest.memory);
  const codes = new Set<number>();
  const record: string[] = [];
  for (let i = 0; i < CALLS; i++) {
    // A small shape lies where calls look for one, so that many of them succeed.
    guest.shape(1 + (random.uint32() % 4), 1 + (random.uint32() % 4));
    const name = pick(names);
    const args = TENSOR_FUNCTIONS[name].params.map((type, index) => {
      const choice = random.uint32() % 10;
      if (type === "f64") return pick(odd);
      if (choice < 6 && guest.handles.size > 0) return pick([...guest.handles.things.keys()]);
      if (choice < 8) return index === 1 ? 1024 : random.uint32() % 4;
      return Math.trunc(pick(odd)) | 0;
    });
    const code = guest.call(name, ...args);
    expect(Number.isInteger(code), `${name}(${args}) of seed ${seed} gave ${code}`).toBe(true);
    expect(guest.handles.size).toBeLessThanOrEqual(12);
    codes.add(Math.min(code, 1));
    record.push(`${name} ${code} ${guest.fuel}`);
  }
  return { codes, record: record.join("\n") };
}

describe(`glia.tensor.v1 under ${seeds} seeds of ${CALLS} calls with any arguments`, () => {
  it("answers each with a code, and the same ones with the same fuel when it is done again", () => {
    const all = new Set<number>();
    for (let seed = 1; seed <= seeds; seed++) {
      const first = run(seed);
      for (const code of first.codes) all.add(code);
      expect(run(seed).record).toBe(first.record);
    }
    // Every kind of answer was seen: what works, faults, too much, wrong states of numbers, quotas, handles.
    expect([...all].sort((a, b) => b - a)).toEqual([1, 0, -1, -2, -4, -5, -8]);
  });
});
