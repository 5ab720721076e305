/** What every `Random` must do, whether seeded or real. */
import assert from "node:assert/strict";
import type { Random } from "@glia-os/abi/ports";
import type { ContractCase } from "./contract-case.ts";

const SAMPLES = 4096;

/** The contract of `Random`. */
export function randomContract(make: () => Random): readonly ContractCase[] {
  return [
    {
      title: "uint32 is an integer from 0 to 2^32 - 1 and every bit takes both values",
      run: async () => {
        const random = make();
        let ones = 0;
        let zeros = 0;
        for (let n = 0; n < SAMPLES; n += 1) {
          const value = random.uint32();
          assert.ok(Number.isInteger(value) && value >= 0 && value <= 0xffff_ffff, `drew ${value}`);
          ones |= value;
          zeros |= ~value;
        }
        assert.equal(ones >>> 0, 0xffff_ffff);
        assert.equal(zeros >>> 0, 0xffff_ffff);
      },
    },
    {
      title: "uint32 is spread evenly over 16 ranges",
      run: async () => {
        const random = make();
        const counts = new Array<number>(16).fill(0);
        for (let n = 0; n < SAMPLES; n += 1) counts[random.uint32() >>> 28]! += 1;
        const expected = SAMPLES / 16;
        // Chi-squared with 15 degrees of freedom exceeds 60 once in some 5 million runs.
        const chi = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
        assert.ok(chi < 60, `chi-squared is ${chi} for ${counts.join(" ")}`);
      },
    },
    {
      title: "bytes fills the whole target, nothing beside it, and returns it",
      run: async () => {
        const random = make();
        for (const length of [0, 1, 31, 256, 257, 5000]) {
          const guarded = new Uint8Array(length + 2);
          const target = guarded.subarray(1, length + 1);
          const seen = new Uint8Array(length);
          assert.equal(random.bytes(target), target);
          for (let round = 0; round < 16; round += 1) {
            random.bytes(target);
            for (let at = 0; at < length; at += 1) seen[at]! |= target[at]!;
          }
          assert.ok(
            seen.every((byte) => byte !== 0),
            `a byte of ${length} stayed 0 in 16 rounds`,
          );
          assert.deepEqual([guarded[0], guarded[length + 1]], [0, 0]);
        }
      },
    },
    {
      title: "two draws of 16 bytes differ, and so do a source and its forks",
      run: async () => {
        const random = make();
        const fork = random.fork("a");
        const other = random.fork("b");
        const draws = [random, random, fork, fork, other, other].map((source) =>
          Buffer.from(source.bytes(new Uint8Array(16))).toString("hex"),
        );
        assert.equal(new Set(draws).size, draws.length);
      },
    },
  ];
}
