/** A program in AssemblyScript imports the kernels as its own code and gets the bits of the backend `fixed`. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import asc from "assemblyscript/asc";
import { expect, it } from "vitest";
import { currentKernels } from "../scripts/kernels.ts";
import { fixedBackend } from "../src/backends.ts";
import { engine, type LinearMemory } from "../src/wasm/web-assembly.ts";

await currentKernels();

const GUEST = `
import { gemm_f32, softmax_f32, useHeap } from "@glia-os/tensor/assembly/guest";

const a = new StaticArray<f32>(20 * 20);
const b = new StaticArray<f32>(20 * 20);
const c = new StaticArray<f32>(20 * 20);

export function run(): usize {
  useHeap();
  useHeap();
  for (let i = 0; i < 400; i++) {
    a[i] = <f32>((i * 37) % 101) / 101 - 0.5;
    b[i] = <f32>((i * 53) % 97) / 97 - 0.5;
  }
  const at = changetype<usize>(c);
  gemm_f32(at, changetype<usize>(a), changetype<usize>(b), 20, 20, 20, 20, 20, 1, 20, 1);
  softmax_f32(at, at, 20, 20);
  return at;
}
`;

async function compiled(): Promise<Uint8Array> {
  const own = join(import.meta.dirname, "..", "assembly");
  const installed = "node_modules/@glia-os/tensor/assembly/";
  let output: Uint8Array | undefined;
  const said: string[] = [];
  const collect = { write: (text: string | Uint8Array) => said.push(String(text)) > 0 };
  await asc.main(
    [
      "guest.ts",
      "--outFile",
      "guest.wasm",
      "--runtime",
      "minimal",
      "-O3",
      "--enable",
      "simd",
      "--use",
      "abort=",
    ],
    {
      stdout: collect,
      stderr: collect,
      readFile: (name) => {
        if (name === "guest.ts") return GUEST;
        const path = name.startsWith(installed) ? join(own, name.slice(installed.length)) : "";
        return existsSync(path) ? readFileSync(path, "utf8") : null;
      },
      writeFile: (name, content) => {
        if (name.endsWith(".wasm") && typeof content !== "string") output = content;
      },
      listFiles: () => [],
    },
  );
  expect(output, said.join("")).toBeDefined();
  return output!;
}

it("kernels imported by a guest give the bits of the backend fixed, and only those used are compiled in", async () => {
  const bytes = await compiled();
  expect(bytes.length).toBeLessThan(16_384);
  const { exports } = new (engine().Instance)(new (engine().Module)(bytes), {});
  const { memory, run } = exports as { memory: LinearMemory; run: () => number };
  const at = run();
  const is = new Float32Array(memory.buffer.slice(at, at + 1600));

  const { memory: fixed, reserved, kernels } = fixedBackend();
  fixed.grow(reserved + 4800);
  const x = fixed.f32.subarray(reserved / 4);
  for (let i = 0; i < 400; i++) {
    x[i] = Math.fround(((i * 37) % 101) / 101) - 0.5;
    x[400 + i] = Math.fround(((i * 53) % 97) / 97) - 0.5;
  }
  const out = reserved + 3200;
  kernels.gemm.f32(out, reserved, reserved + 1600, 20, 20, 20, 20, 20, 1, 20, 1);
  kernels.softmax.f32(out, out, 20, 20);
  expect([...is]).toEqual([...x.subarray(800, 1200)]);
});
