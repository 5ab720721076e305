/** Work of the host counts: a guest cannot keep its thread busy in host calls for next to no fuel. */
import { describe, expect, it } from "vitest";
import {
  createWasmEngine,
  decodeSnapshot,
  encodeSnapshot,
  FuelExhaustedError,
  wasiPreview1,
} from "../src/index.ts";
import { instrument, type Profile } from "../src/pipeline/index.ts";
import { assemble, RecordingHost } from "./guest.ts";

const CALLS = 200;
const BYTES = 64 * 1024;

/** Asks for 64 KiB of randomness 200 times, from `glia.v1` or from WASI. */
const busy = (wasi: boolean): string => `(module
  ${wasi ? '(import "wasi_snapshot_preview1" "random_get"' : '(import "glia.v1" "random"'} (func $random (param i32 i32) (result i32)))
  (memory 1)
  (func (export "glia_main") (result i32) (local $n i32)
    (loop $again
      (drop (call $random (i32.const 0) (i32.const ${BYTES})))
      (br_if $again (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const ${CALLS}))))
    (local.get $n)))`;

class CountingHost extends RecordingHost {
  calls = 0;
  override random(): void {
    this.calls += 1;
  }
}

async function program(wasi: boolean, profile: Profile) {
  const { bytes } = await instrument(assemble(busy(wasi)), { profile });
  const engine = createWasmEngine({ hostModules: [wasiPreview1()] });
  return engine.admit(bytes, ["glia.v1", "wasi_snapshot_preview1"]);
}

describe.each([false, true])("views of guest memory cost fuel by their length (WASI: %s)", (wasi) => {
  it("a pre-emptive guest comes back after as many calls as its slice pays for, and the total does not depend on slices or moves", async () => {
    const admitted = await program(wasi, "preemptive");
    const host = new CountingHost();
    const whole = admitted.instantiate({}, host);
    expect(whole.step()).toEqual({ kind: "finished", status: CALLS });
    expect(whole.fuelUsed).toBeGreaterThanOrEqual((CALLS * BYTES) / 64);
    let moving = admitted.instantiate({}, host);
    for (let outcome = moving.step(undefined, 10_000), steps = 1; ; steps++) {
      if (outcome.kind === "finished") {
        expect(steps).toBeGreaterThan(15);
        break;
      }
      expect(outcome.kind).toBe("yielded");
      const image = decodeSnapshot(Buffer.concat([...encodeSnapshot(moving.snapshot())]));
      moving.dispose();
      moving = admitted.restore(image, {}, host);
      const before = host.calls;
      outcome = moving.step(undefined, 10_000);
      expect(host.calls - before).toBeLessThanOrEqual(Math.ceil(10_000 / (BYTES / 64)));
    }
    expect(moving.fuelUsed).toBe(whole.fuelUsed);
  });

  it("a metered guest ends when its fuel is used up", async () => {
    const one = (await program(wasi, "metered")).instantiate(
      { fuel: (CALLS * BYTES) / 64 },
      new CountingHost(),
    );
    const outcome = one.step();
    expect(outcome.kind === "failed" && outcome.error).toBeInstanceOf(FuelExhaustedError);
  });
});
