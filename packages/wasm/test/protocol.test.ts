/** Modules written by hand to pass admission and then not behave as the pipeline's output does. */
import { describe, expect, it } from "vitest";
import { concat, customSection } from "../src/binary/writer.ts";
import {
  createWasmEngine,
  GuestProtocolError,
  GuestTrappedError,
  StackExhaustedError,
  type WasmInstance,
} from "../src/index.ts";
import { encodeProfile, PIPELINE_VERSION, PROFILE_SECTION } from "../src/profile.ts";
import { assemble, RecordingHost } from "./guest.ts";

const HONEST = {
  start_unwind: "(global.set $state (i32.const 1))",
  stop_unwind: "(global.set $state (i32.const 0))",
  start_rewind: "(global.set $state (i32.const 2))",
  stop_rewind: "(global.set $state (i32.const 0))",
  get_state: "(global.get $state)",
};

/** A guest whose entry and asyncify functions are given; `$state` is what an honest one would report. */
async function forged(
  main: string,
  changes: Partial<typeof HONEST> = {},
): Promise<{ it: WasmInstance; host: RecordingHost }> {
  const f = { ...HONEST, ...changes };
  const text = `(module
    (import "glia.v1" "receive" (func $receive (param i32 i32) (result i32)))
    (import "glia.v1" "yield" (func $yield (result i32)))
    (import "glia.v1" "reply" (func $reply (param i32 i32) (result i32)))
    (memory (import "glia.v1" "memory") 1 1)
    (memory $stack (export "glia.stack") 1 1)
    (global $state (mut i32) (i32.const 0)) (export "glia.global.0" (global $state))
    (func (export "asyncify_start_unwind") (param i32) ${f.start_unwind})
    (func (export "asyncify_stop_unwind") ${f.stop_unwind})
    (func (export "asyncify_start_rewind") (param i32) ${f.start_rewind})
    (func (export "asyncify_stop_rewind") ${f.stop_rewind})
    (func (export "asyncify_get_state") (result i32) ${f.get_state})
    (func (export "glia_main") (result i32) ${main}))`;
  const profile = encodeProfile({
    profile: "cooperative",
    pipeline: PIPELINE_VERSION,
    original: "0".repeat(64),
  });
  const bytes = concat([assemble(text), customSection(PROFILE_SECTION, profile)]);
  const host = new RecordingHost();
  return { it: (await createWasmEngine().admit(bytes, ["glia.v1"])).instantiate({}, host), host };
}

function failureOf(outcome: ReturnType<WasmInstance["step"]>): unknown {
  return outcome.kind === "failed" ? outcome.error : outcome;
}

describe("a guest with forged instrumentation is stopped when it", () => {
  it("goes on after a blocking call and calls the host", async () => {
    const { it: one, host } = await forged("(drop (call $yield)) (call $reply (i32.const 0) (i32.const 1))");
    expect(failureOf(one.step())).toBeInstanceOf(GuestProtocolError);
    expect(host.replies).toEqual([]);
  });

  it("waits twice at once", async () => {
    const { it: one } = await forged("(drop (call $yield)) (call $yield)");
    expect(failureOf(one.step())).toBeInstanceOf(GuestProtocolError);
  });

  it("returns from its entry without being suspended", async () => {
    const { it: one } = await forged("(call $yield)", { get_state: "(i32.const 0)" });
    expect(failureOf(one.step())).toBeInstanceOf(GuestProtocolError);
  });

  it("comes back to another call than the one it was suspended at, or calls the host on the way", async () => {
    const choose = (other: string): string =>
      `(if (i32.eq (global.get $state) (i32.const 2)) (then (return ${other}))) (call $yield)`;
    const { it: one } = await forged(choose("(call $receive (i32.const 0) (i32.const 1))"));
    expect(one.step().kind).toBe("pending");
    expect(failureOf(one.step({ value: 0 }))).toBeInstanceOf(GuestProtocolError);
    const { it: two, host } = await forged(choose("(call $reply (i32.const 0) (i32.const 1))"));
    expect(two.step().kind).toBe("pending");
    expect(failureOf(two.step({ value: 0 }))).toBeInstanceOf(GuestProtocolError);
    expect(host.replies).toEqual([]);
  });

  it("does not come back to its call at all", async () => {
    const { it: one } = await forged(
      "(if (i32.eq (global.get $state) (i32.const 2)) (then (return (i32.const 5)))) (call $yield)",
    );
    expect(one.step().kind).toBe("pending");
    expect(failureOf(one.step({ value: 0 }))).toBeInstanceOf(GuestProtocolError);
  });

  it("traps in any of its asyncify functions", async () => {
    const main =
      "(if (i32.eq (global.get $state) (i32.const 2)) (then (return (call $yield)))) (call $yield)";
    for (const name of Object.keys(HONEST) as (keyof typeof HONEST)[]) {
      const { it: one } = await forged(main, { [name]: "unreachable" });
      const outcome = one.step();
      const last = outcome.kind === "pending" ? one.step({ value: 0 }) : outcome;
      // A trap while frames are being saved looks as if there was no room for them.
      const kind = name === "stop_unwind" ? StackExhaustedError : GuestTrappedError;
      expect(failureOf(last), name).toBeInstanceOf(kind);
    }
  });

  it("calls the host from one of its asyncify functions", async () => {
    const { it: one } = await forged("(call $yield)", {
      stop_unwind: "(drop (call $receive (i32.const 0) (i32.const 1)))",
    });
    expect(failureOf(one.step())).toBeInstanceOf(GuestProtocolError);
  });

  it("and its frames claim to lie outside its stack memory: no snapshot is made", async () => {
    const { it: one } = await forged("(call $yield)", {
      stop_unwind: "(i32.store $stack (i32.const 0) (i32.const 65537)) (global.set $state (i32.const 0))",
    });
    expect(one.step().kind).toBe("pending");
    expect(() => one.snapshot()).toThrow(GuestProtocolError);
  });
});

it("a module whose data lies outside its memory is refused when an instance is made", async () => {
  const text = `(module (memory (import "glia.v1" "memory") 1 1) (memory (export "glia.stack") 1 1) (data (memory 0) (i32.const 65536) "x")
    ${["start_unwind", "start_rewind"].map((name) => `(func (export "asyncify_${name}") (param i32))`).join("")}
    ${["stop_unwind", "stop_rewind"].map((name) => `(func (export "asyncify_${name}"))`).join("")}
    (func (export "asyncify_get_state") (result i32) (i32.const 0)) (func (export "glia_main") (result i32) (i32.const 0)))`;
  const profile = encodeProfile({
    profile: "cooperative",
    pipeline: PIPELINE_VERSION,
    original: "0".repeat(64),
  });
  const bytes = concat([assemble(text), customSection(PROFILE_SECTION, profile)]);
  const program = await createWasmEngine().admit(bytes, []);
  expect(() => program.instantiate({}, new RecordingHost())).toThrow(GuestTrappedError);
});
