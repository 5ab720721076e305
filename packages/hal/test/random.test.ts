import { describe, expect, it } from "vitest";
import { BadRandomLabelError, createSystemRandom, RANDOM_LABEL_LIMIT } from "../src/random.ts";
import { randomContract } from "../src/testing/index.ts";

describe("the system's random source", () => {
  for (const contract of randomContract(() => createSystemRandom())) it(contract.title, contract.run);

  it("hands no byte out twice, across refills of its pool (R1)", () => {
    const random = createSystemRandom();
    const draws = Array.from({ length: 5000 }, () =>
      Buffer.from(random.bytes(new Uint8Array(9))).toString("hex"),
    );
    expect(new Set(draws).size).toBe(draws.length);
  });

  it("refuses labels that are empty or too long", () => {
    const random = createSystemRandom();
    expect(() => random.fork("")).toThrow(BadRandomLabelError);
    expect(() => random.fork("x".repeat(RANDOM_LABEL_LIMIT + 1))).toThrow(BadRandomLabelError);
    expect(random.fork("x".repeat(RANDOM_LABEL_LIMIT)).uint32()).toBeTypeOf("number");
  });

  it("two forks with one label still differ: nothing here is seeded (R2)", () => {
    const random = createSystemRandom();
    const draw = () => Buffer.from(random.fork("same").bytes(new Uint8Array(16))).toString("hex");
    expect(draw()).not.toBe(draw());
  });
});
