/** Programs that are admitted again: checked and compiled once, and asked for their grants each time. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createWasmEngine } from "@glia-os/wasm";
import { expect, test } from "vitest";
import { KEPT, KEPT_BYTES, KnownPrograms } from "../src/engine/known-programs.ts";

const require = createRequire(import.meta.url);
const echo = new Uint8Array(readFileSync(require.resolve("@glia-os/guest-as/guests/echo.wasm")));

test("the same bytes are the same program, a changed byte is not, and grants are checked at every admission", async () => {
  const engine = createWasmEngine();
  const first = await engine.admit(echo, ["glia.v1"]);
  expect(await engine.admit(echo.slice(), ["glia.v1"])).toBe(first);
  await expect(engine.admit(echo, [])).rejects.toMatchObject({ code: "wasm.import-not-granted" });
  const changed = echo.slice();
  changed[changed.length - 1] = (changed[changed.length - 1] as number) ^ 1;
  const other = await engine.admit(changed, ["glia.v1"]).catch((error: unknown) => error);
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
