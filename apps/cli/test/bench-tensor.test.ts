/** `glia bench tensor` and what `glia doctor` says of tensors, as a child process. The kernels are made by `pnpm build`. */
import { describe, expect, it } from "vitest";
import { tensors } from "../src/doctor/checks.ts";
import { runCli } from "./run-cli.ts";

describe("glia bench tensor", () => {
  it("measures every operation with a backend and says which one programs get", async () => {
    const { code, stdout } = await runCli(["bench", "tensor", "--backend", "simd", "--json"]);
    expect(code).toBe(0);
    const { chosen, peakGflops, rates, problems } = JSON.parse(stdout);
    expect(["scalar", "simd", "relaxed"]).toContain(chosen);
    expect(peakGflops).toBeGreaterThan(0);
    expect(problems).toEqual({});
    expect(Object.keys(rates.simd)).toHaveLength(6);
    for (const rate of Object.values(rates.simd)) expect(rate).toBeGreaterThan(0);
  });

  it("refuses a backend that is none, and numbers of threads that are none", async () => {
    for (const args of [
      ["--backend", "cuda"],
      ["--threads", "1"],
      ["--threads", "two"],
    ]) {
      const { code, stderr } = await runCli(["bench", "tensor", ...args]);
      expect(code).toBe(2);
      expect(stderr).toContain(args[1]);
    }
  });
});

it("glia doctor shows the backend of tensors, what was measured, and why another does not work", () => {
  const candidates = [
    { name: "scalar", gflops: 1.234 },
    { name: "simd", gflops: 30 },
    { name: "relaxed", problem: "needs instructions" },
  ] as const;
  const { ok, found } = tensors({ name: "simd", candidates });
  expect(ok).toBe(true);
  expect(found).toBe("simd (scalar 1.23 GFLOP/s, simd 30.0 GFLOP/s, relaxed: needs instructions)");
});
