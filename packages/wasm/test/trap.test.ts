import { expect, it } from "vitest";
import { trap } from "../src/engine/trap.ts";
import { webAssembly } from "../src/web-assembly.ts";
import { assemble } from "./guest.ts";

/** Calls its import and swallows whatever can be caught. */
const SWALLOWING = assemble(`(module (import "env" "f" (func $f))
  (func (export "run") (result i32) (try (do (call $f)) (catch_all (return (i32.const 1)))) (i32.const 0)))`);

function run(f: () => void): unknown {
  const { exports } = new webAssembly.Instance(new webAssembly.Module(SWALLOWING), { env: { f } });
  return (exports["run"] as () => number)();
}

it("a guest can swallow an exception of its host but not the trap that stops it", () => {
  const thrown = (): void => {
    throw new TypeError("caught by the guest");
  };
  expect(run(thrown)).toBe(1);
  expect(() => run(trap)).toThrow(webAssembly.RuntimeError);
});
