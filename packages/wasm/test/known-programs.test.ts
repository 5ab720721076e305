/** Programs that are admitted again: checked and compiled once, and asked for their grants each time. */
import { readFileSync } from "node:fs";
import { createWasmEngine, wasiPreview1 } from "@glia-os/wasm";
import { instrument } from "@glia-os/wasm/pipeline";
import { expect, test } from "vitest";
import { KEPT, KEPT_BYTES, KnownPrograms } from "../src/engine/known-programs.ts";

const tally = new URL("../../../conformance/guests/prebuilt/tally.wasm", import.meta.url);
const { bytes: guest } = await instrument(readFileSync(tally));
const grants = ["glia.v1", "wasi_snapshot_preview1"];

test("the same bytes are the same program, a changed byte is not, and grants are checked at every admission", async () => {
  const engine = createWasmEngine({ hostModules: [wasiPreview1()] });
  const first = await engine.admit(guest, grants);
  expect(await engine.admit(guest.slice(), grants)).toBe(first);
  await expect(engine.admit(guest, [])).rejects.toMatchObject({ code: "wasm.import-not-granted" });
  const changed = guest.slice();
  changed[changed.length - 1] = (changed[changed.length - 1] as number) ^ 1;
  const other = await engine.admit(changed, grants).catch((error: unknown) => error);
  expect(other).not.toBe(first);
});

test("KP1: the last few are kept, by count and by bytes, and the one admitted last whatever its size", () => {
  const known = new KnownPrograms<object>();
  const programs = Array.from({ length: KEPT + 1 }, (_, number) => ({ number }));
  for (const [number, program] of programs.entries()) known.add(String(number), program, 1);
  for (const [number, program] of programs.entries()) expect(known.get(String(number))).toBe(program);
  const large = {};
  known.add("large", large, KEPT_BYTES + 1);
  expect(known.get("large")).toBe(large);
  expect(known.get("none")).toBeUndefined();
});
