/** Guests with vectors: the SDK's own build compiles them, and they move with vectors in their locals. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Space, Tensor } from "@glia-os/tensor";
import { fixedBackend } from "@glia-os/tensor/backends";
import { createWasmEngine } from "@glia-os/wasm";
import { afterAll, expect, it } from "vitest";
import { compileGuest } from "../scripts/compile-guest.ts";
import { DrivenGuest } from "./drive.ts";

const packages = join(import.meta.dirname, "..", "..");
const folder = mkdtempSync(join(tmpdir(), "glia-vectors-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A project that has the SDK and the tensors installed, with this guest in it. */
async function guestOf(source: string): Promise<DrivenGuest> {
  const scope = join(folder, "node_modules", "@glia-os");
  mkdirSync(scope, { recursive: true });
  for (const name of ["guest-as", "tensor"]) symlinkSync(join(packages, name), join(scope, name), "junction");
  writeFileSync(join(folder, "agent.ts"), source);
  const { bytes } = await compileGuest(join(folder, "agent.ts"));
  return new DrivenGuest(await createWasmEngine().admit(bytes, ["glia.v1"]));
}

/** Adds each message of four numbers to a vector that lives in a local, and replies with a product of 4 x 4 made of it. */
const GUEST = `
import * as host from "@glia-os/guest-as/assembly/host";
import { gemm_f32, useHeap } from "@glia-os/tensor/assembly/guest";

const message: usize = memory.data(16);
const a: usize = memory.data(64);
const b: usize = memory.data(64);
const c: usize = memory.data(64);

export function glia_main(): i32 {
  useHeap();
  let sum = f32x4.splat(0);
  while (true) {
    const length = host.receive(message, 16);
    if (length < 16) return 0;
    sum = f32x4.add(sum, v128.load(message));
    for (let row: usize = 0; row < 4; row++) {
      v128.store(a + 16 * row, f32x4.mul(sum, f32x4.splat(<f32>(row + 1))));
      v128.store(b + 16 * row, f32x4.sub(sum, f32x4.splat(<f32>row)));
    }
    gemm_f32(c, a, b, 4, 4, 4, 4, 4, 1, 4, 1);
    host.reply(c, 64);
  }
}
`;

it("a guest that computes with vectors and the kernels moves with a vector in a local, and gives the bits of the backend fixed", async () => {
  const guest = await guestOf(GUEST);
  using space = new Space({ backend: fixedBackend() });
  const sum = new Float32Array(4);
  for (let round = 0; round < 6; round++) {
    const given = Float32Array.from({ length: 4 }, (_, i) => Math.fround((round + 1) / (i + 3)));
    for (const [i, one] of given.entries()) sum[i] = Math.fround(sum[i]! + one);
    const reply = guest.send(new Uint8Array(given.buffer.slice(0)));
    if (round % 2 === 0) guest.move();
    const rows = (of: (value: number, row: number) => number): Tensor =>
      Tensor.from(
        Float32Array.from({ length: 16 }, (_, at) => of(sum[at % 4]!, at >> 2)),
        { shape: [4, 4], space },
      );
    const product = rows((value, row) => value * (row + 1)).matmul(rows((value, row) => value - row));
    expect(Buffer.from(reply!).equals(Buffer.from(new Uint8Array(product.toTypedArray().buffer)))).toBe(true);
  }
});
