import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createTestKernel, runToCompletion } from "@glia-os/kernel/testing";
import { describe, expect, it } from "vitest";
import { trained } from "../digit-agent.ts";
import { COUNT, type Digit, decodeDigits, encodeDigits, TRAINING } from "../digits.ts";
import { drawFrom, type Examination, examine, loadDigits } from "../main.ts";
import { BATCH, Network } from "../network.ts";

const digits = loadDigits();

/** Runs a program on a simulated kernel; what it returned. */
function run<Result>(program: Parameters<ReturnType<typeof createTestKernel>["kernel"]["spawn"]>[0]): Result {
  const { kernel, clock } = createTestKernel();
  const task = kernel.spawn(program);
  runToCompletion(kernel, clock);
  const exit = kernel.exitOf(task);
  if (exit?.kind !== "ok") throw new RangeError(`the program ended: ${JSON.stringify(exit)}`);
  return exit.value as Result;
}

describe("an agent that learns to read digits", () => {
  it("reads at least 95 % of the 500 digits it has never seen, from three seeds", () => {
    for (const seed of [1, 2, 3]) {
      const { right, asked } = run<Examination>((sys) => examine(sys, digits, drawFrom(seed)));
      console.log(`seed ${seed}: ${right} of ${asked}`);
      expect(asked).toBe(COUNT - TRAINING);
      expect(right / asked, `seed ${seed}`).toBeGreaterThanOrEqual(0.95);
    }
  });

  it("learns the same weights to the bit from the same seed, and others from another", () => {
    const few = digits.slice(0, 200);
    const weights = (seed: number) => run<Network>((sys) => trained(sys, few, drawFrom(seed))).weights();
    const first = weights(7);
    expect(Buffer.compare(first, weights(7))).toBe(0);
    expect(Buffer.compare(first, weights(8))).not.toBe(0);
  });

  it("takes no memory while it learns", () => {
    const network = new Network(drawFrom(1));
    const images = digits.slice(0, BATCH);
    const learn = () =>
      network.learn(
        images.map(({ pixels }) => pixels),
        images.map(({ label }) => label),
        0.1,
      );
    learn();
    const before = network.blocksTaken;
    for (let i = 0; i < 20; i++) learn();
    expect(network.blocksTaken).toBe(before);
  });

  it("as a program prints how many it read", () => {
    const main = join(import.meta.dirname, "../main.ts");
    const said = execFileSync(
      process.execPath,
      ["--conditions=@glia-os/source", "--no-warnings", main, "1"],
      { encoding: "utf8" },
    );
    expect(said).toMatch(/^read \d{3} of 500 digits it had never seen: \d+\.\d %/);
  });
});

describe("the file of digits", () => {
  it("holds as many of each digit and comes through encoding", () => {
    expect(digits).toHaveLength(COUNT);
    for (let label = 0; label < 10; label++)
      expect(digits.filter((one) => one.label === label)).toHaveLength(COUNT / 10);
    const bytes = readFileSync(new URL("../data/digits.bin", import.meta.url));
    expect(Buffer.compare(encodeDigits(digits), bytes)).toBe(0);
    const one: Digit = digits[123] as Digit;
    expect(decodeDigits(encodeDigits([one]))).toEqual([one]);
  });

  it("is refused when it is cut short or has a label that is no digit", () => {
    expect(() => decodeDigits(new Uint8Array(0))).toThrow(/multiple of 33/);
    expect(() => decodeDigits(new Uint8Array(34))).toThrow(/34/);
    expect(() => decodeDigits(new Uint8Array(33).fill(10, 0, 1))).toThrow(/label 10/);
  });
});
