import { GUEST_ERRORS } from "@glia-os/abi/wire";
import { describe, expect, it } from "vitest";
import { readOutline } from "../src/binary/outline.ts";
import {
  BadLimitError,
  BadResultError,
  createWasmEngine,
  GuestTrappedError,
  HostFailedError,
  InstanceEndedError,
  MemoryLimitError,
  NotPendingError,
  PayloadTooBigError,
  SnapshotMismatchError,
  StackExhaustedError,
} from "../src/index.ts";
import { admit, guest, instance, RecordingHost, SUMMING, u32 } from "./guest.ts";

const IMPORTS = `
  (import "glia.v1" "receive" (func $receive (param i32 i32) (result i32)))
  (import "glia.v1" "sleep" (func $sleep (param i64) (result i32)))
  (import "glia.v1" "yield" (func $yield (result i32)))
  (import "glia.v1" "exit" (func $exit (param i32)))
  (import "glia.v1" "reply" (func $reply (param i32 i32) (result i32)))
  (import "glia.v1" "log" (func $log (param i32 i32 i32) (result i32)))
  (import "glia.v1" "now" (func $now (result i64)))
  (import "glia.v1" "random" (func $random (param i32 i32) (result i32)))
  (memory 1 4)`;

/** A guest whose status is the value of one expression. */
const status = (expression: string): string =>
  `(module ${IMPORTS} (func (export "glia_main") (result i32) ${expression}))`;

describe("a step", () => {
  it("runs to the blocking call and goes on with its answer", async () => {
    const { it: sum, host } = await instance(SUMMING);
    expect(sum.step()).toEqual({ kind: "pending", call: { requestId: 1, op: "receive", args: [64, 8] } });
    for (const value of [10, 20, 30])
      expect(sum.step({ value: 0, payload: u32(value) }).kind).toBe("pending");
    expect(sum.pending?.requestId).toBe(4);
    expect(sum.step({ value: 0, payload: u32(40) })).toEqual({ kind: "finished", status: 7 });
    const view = new DataView((host.replies[0] as Uint8Array).buffer);
    expect(view.getBigUint64(0, true)).toBe(40n + 30n + 20n * 2n + 10n * 3n);
    expect(view.getUint32(20, true)).toBe(104);
  });

  it("passes sleep, yield and exit out with their arguments", async () => {
    const { it: one } = await instance(
      status(
        `(drop (call $sleep (i64.const 5000000000))) (drop (call $yield)) (call $exit (i32.const 9)) (i32.const 1)`,
      ),
    );
    expect(one.step()).toMatchObject({ call: { op: "sleep", args: [5_000_000_000] } });
    expect(one.step({ value: 0 })).toMatchObject({ call: { op: "yield", args: [] } });
    expect(one.step({ value: 0 })).toEqual({ kind: "finished", status: 9 });
  });

  it("answers blocking calls with bad arguments at once, with an error code", async () => {
    const run = async (expression: string): Promise<unknown> =>
      (await instance(status(expression))).it.step();
    const { E_FAULT, E_RANGE } = GUEST_ERRORS;
    expect(await run("(call $receive (i32.const 65530) (i32.const 7))")).toEqual({
      kind: "finished",
      status: E_FAULT,
    });
    expect(await run("(call $receive (i32.const -1) (i32.const 2))")).toEqual({
      kind: "finished",
      status: E_FAULT,
    });
    expect(await run("(call $sleep (i64.const -1))")).toEqual({ kind: "finished", status: E_RANGE });
    expect(await run("(call $sleep (i64.const 9223372036854775807))")).toEqual({
      kind: "finished",
      status: E_RANGE,
    });
  });

  it("serves the other calls at once and checks every pointer", async () => {
    const run = async (expression: string, host = new RecordingHost()): Promise<number> => {
      const outcome = (await admit(status(expression)))
        .instantiate({ logBytes: 4, messageBytes: 8 }, host)
        .step();
      return outcome.kind === "finished" ? outcome.status : Number.NaN;
    };
    const { E_FAULT, E_RANGE, E_LIMIT, E_TOO_BIG } = GUEST_ERRORS;
    const host = new RecordingHost();
    expect(await run("(i32.wrap_i64 (call $now))")).toBe(1234);
    expect(
      await run(
        "(i32.store (i32.const 0) (i32.const 0x41424344)) (call $log (i32.const 2) (i32.const 0) (i32.const 4))",
        host,
      ),
    ).toBe(0);
    expect(host.logs).toEqual(["2 DCBA"]);
    expect(
      await run(
        "(drop (call $log (i32.const 2) (i32.const 0) (i32.const 3))) (call $log (i32.const 2) (i32.const 0) (i32.const 2))",
      ),
    ).toBe(E_LIMIT);
    expect(await run("(call $log (i32.const 5) (i32.const 0) (i32.const 1))")).toBe(E_RANGE);
    expect(await run("(call $log (i32.const 0) (i32.const 65536) (i32.const 1))")).toBe(E_FAULT);
    expect(await run("(call $random (i32.const 65533) (i32.const 4))")).toBe(E_FAULT);
    expect(await run("(drop (call $random (i32.const 4) (i32.const 2))) (i32.load (i32.const 4))")).toBe(
      0xabab,
    );
    expect(await run("(call $random (i32.const 0) (i32.const 9))")).toBe(E_TOO_BIG);
    expect(await run("(call $reply (i32.const 65536) (i32.const 0))", host)).toBe(0);
    expect(await run("(call $reply (i32.const 65536) (i32.const 1))")).toBe(E_FAULT);
    expect(await run("(call $reply (i32.const 0) (i32.const 9))")).toBe(E_TOO_BIG);
    expect(await run("(call $reply (i32.const -1) (i32.const -1))")).toBe(E_FAULT);
    expect(host.replies).toEqual([new Uint8Array()]);
  });

  it("refuses a wrong answer and changes nothing", async () => {
    const { it: sum } = await instance(SUMMING, { messageBytes: 16 });
    expect(() => sum.step({ value: 0 })).toThrow(BadResultError);
    sum.step();
    expect(() => sum.step()).toThrow(BadResultError);
    expect(() => sum.step({ value: 0.5 })).toThrow(BadResultError);
    expect(() => sum.step({ value: 2 ** 31 })).toThrow(BadResultError);
    expect(() => sum.step({ value: 0, payload: new Uint8Array(9) })).toThrow(PayloadTooBigError);
    expect(() => sum.step({ value: 0, payload: new Uint8Array(17) })).toThrow(PayloadTooBigError);
    expect(sum.pending?.requestId).toBe(1);
    expect(sum.step({ value: 0, payload: u32(1) }).kind).toBe("pending");
    const { it: sleeper } = await instance(status("(call $sleep (i64.const 1))"));
    sleeper.step();
    expect(() => sleeper.step({ value: 0, payload: u32(1) })).toThrow(BadResultError);
    expect(sleeper.step({ value: -6 })).toEqual({ kind: "finished", status: -6 });
  });

  it("never runs an instance again that has ended", async () => {
    const { it: done } = await instance(status("(i32.const 3)"));
    expect(done.step()).toEqual({ kind: "finished", status: 3 });
    expect(() => done.step()).toThrow(InstanceEndedError);
    expect(() => done.snapshot()).toThrow(InstanceEndedError);
    const { it: failed } = await instance(status("unreachable"));
    const outcome = failed.step();
    expect(outcome.kind === "failed" && outcome.error).toBeInstanceOf(GuestTrappedError);
    expect(() => failed.step()).toThrow(InstanceEndedError);
    const { it: gone } = await instance(SUMMING);
    gone.step();
    gone.dispose();
    gone.dispose();
    expect(gone.memoryBytes).toBe(0);
    expect(() => gone.step({ value: 0 })).toThrow(InstanceEndedError);
  });

  it("stops a guest whose host function throws, and keeps the cause", async () => {
    class Broken extends RecordingHost {
      override reply(): number {
        throw new TypeError("broken host");
      }
    }
    const outcome = (await admit(status("(call $reply (i32.const 0) (i32.const 1))")))
      .instantiate({}, new Broken())
      .step();
    expect(outcome.kind === "failed" && outcome.error).toBeInstanceOf(HostFailedError);
    expect(outcome.kind === "failed" && (outcome.error as HostFailedError).cause).toBeInstanceOf(TypeError);
  });

  it("refuses a host function that steps the guest that called it", async () => {
    const program = await admit(status("(call $reply (i32.const 0) (i32.const 1))"));
    class Reentrant extends RecordingHost {
      override reply(): number {
        one.step();
        return 0;
      }
    }
    const one = program.instantiate({}, new Reentrant());
    const outcome = one.step();
    expect(outcome.kind === "failed" && (outcome.error as HostFailedError).cause).toBeInstanceOf(
      BadResultError,
    );
  });
});

describe("limits", () => {
  it("memory: growth ends at the limit and the guest is told so", async () => {
    const grow = "(drop (memory.grow (i32.const 1))) (drop (memory.grow (i32.const 1))) (memory.size)";
    const { it: small } = await instance(status(grow), { memoryPages: 2 });
    expect(small.step()).toEqual({ kind: "finished", status: 2 });
    expect(small.memoryBytes).toBe(2 * 65_536);
    const { it: own } = await instance(status("(memory.grow (i32.const 4))"), { memoryPages: 100 });
    expect(own.step()).toEqual({ kind: "finished", status: -1 });
  });

  it("memory: a guest that starts with more is refused", async () => {
    const program = await admit(
      `(module (memory 3) (func (export "glia_main") (result i32) (i32.load (i32.const 0))))`,
    );
    expect(() => program.instantiate({ memoryPages: 2 }, new RecordingHost())).toThrow(MemoryLimitError);
  });

  it("native stack: endless recursion fails the guest alone", async () => {
    const { it: deep } = await instance(`(module ${IMPORTS}
      (func $f (param i32) (result i32) (i32.add (call $f (i32.add (local.get 0) (i32.const 1))) (local.get 0)))
      (func (export "glia_main") (result i32) (call $f (i32.const 0))))`);
    const outcome = deep.step();
    expect(outcome.kind === "failed" && outcome.error).toBeInstanceOf(StackExhaustedError);
  });

  it("suspended calls: more frames than the stack memory holds fail the guest at the blocking call", async () => {
    const text = `(module ${IMPORTS}
      (func $f (param i32) (result i32)
        (if (i32.eqz (local.get 0)) (then (return (call $yield))))
        (i32.add (call $f (i32.sub (local.get 0) (i32.const 1))) (local.get 0)))
      (func (export "glia_main") (result i32) (call $f (i32.const 6000))))`;
    const roomy = await instance(text);
    expect(roomy.it.step().kind).toBe("pending");
    // The same module with a stack memory of one page instead of eight, which admission allows.
    const bytes = (await guest(text)).slice();
    const { body, end } = readOutline(bytes).sections.find(({ id }) => id === 5) as {
      body: number;
      end: number;
    };
    expect([...bytes.subarray(body, end)]).toEqual([1, 1, 8, 8]);
    bytes.set([1, 1, 1, 1], body);
    const wide = (await createWasmEngine().admit(bytes, ["glia.v1"])).instantiate({}, new RecordingHost());
    const outcome = wide.step();
    expect(outcome.kind === "failed" && outcome.error).toBeInstanceOf(StackExhaustedError);
    expect(outcome.kind === "failed" && String(outcome.error)).toContain("suspended");
  });

  it("values out of range are refused by name", async () => {
    const program = await admit(status("(i32.const 0)"));
    for (const limits of [
      { memoryPages: 0 },
      { memoryPages: 65_537 },
      { messageBytes: 1.5 },
      { stepMs: Number.NaN },
      { logBytes: -1 },
    ])
      expect(() => program.instantiate(limits, new RecordingHost())).toThrow(BadLimitError);
  });
});

describe("a snapshot", () => {
  it("taken at any call and restored gives the same result as staying", async () => {
    const { it: first, host, program } = await instance(SUMMING);
    let moving = first;
    moving.step();
    for (const value of [10, 20, 30]) {
      const image = moving.snapshot();
      moving.dispose();
      moving = program.restore(image, {}, host);
      expect(moving.pending).toEqual(image.pending);
      moving.step({ value: 0, payload: u32(value) });
    }
    moving = program.restore(moving.snapshot(), {}, host);
    expect(moving.step({ value: 0, payload: u32(40) })).toEqual({ kind: "finished", status: 7 });
    const { it: stays, host: other } = await instance(SUMMING);
    stays.step();
    for (const value of [10, 20, 30, 40]) stays.step({ value: 0, payload: u32(value) });
    expect(host.replies).toEqual(other.replies);
  });

  it("is a copy: the source can go on, and both end alike", async () => {
    const { it: source, host, program } = await instance(SUMMING);
    source.step();
    const image = source.snapshot();
    for (const value of [1, 2, 3, 4]) source.step({ value: 0, payload: u32(value) });
    const copy = program.restore(image, {}, host);
    for (const value of [1, 2, 3, 4]) copy.step({ value: 0, payload: u32(value) });
    expect(host.replies[1]).toEqual(host.replies[0]);
  });

  it("keeps the log budget and grown memory", async () => {
    const text = status(`(drop (memory.grow (i32.const 2))) (i32.store8 (i32.const 150000) (i32.const 77))
      (drop (call $log (i32.const 1) (i32.const 0) (i32.const 3))) (drop (call $yield))
      (i32.add (i32.load8_u (i32.const 150000)) (call $log (i32.const 1) (i32.const 0) (i32.const 2)))`);
    const { it: one, host, program } = await instance(text, { logBytes: 4 });
    one.step();
    const image = one.snapshot();
    expect(program.restore(image, { logBytes: 4 }, host).step({ value: 0 })).toEqual({
      kind: "finished",
      status: 77 + GUEST_ERRORS.E_LIMIT,
    });
    expect(() => program.restore(image, { memoryPages: 2 }, host)).toThrow(MemoryLimitError);
  });

  it("is refused when the guest waits for nothing", async () => {
    const { it: fresh } = await instance(SUMMING);
    expect(() => fresh.snapshot()).toThrow(NotPendingError);
  });

  it("is refused under another module, profile or shape", async () => {
    const { it: one, host, program } = await instance(SUMMING);
    one.step();
    const image = one.snapshot();
    const other = await admit(SUMMING.replace("i32.const 7", "i32.const 8"));
    expect(() => other.restore(image, {}, host)).toThrow(SnapshotMismatchError);
    const bad = [
      { ...image, profile: "metered" },
      { ...image, pending: { ...image.pending, op: "reply" } },
      { ...image, pending: { ...image.pending, op: "exit", args: [0] } },
      { ...image, pending: { ...image.pending, args: [1] } },
      { ...image, pending: { ...image.pending, requestId: 0 } },
      ...Object.keys(image.sections).map((name) => ({
        ...image,
        sections: { ...image.sections, [name]: new Uint8Array(3) },
      })),
      ...Object.keys(image.sections)
        .slice(0, 3)
        .map((name) => ({
          ...image,
          sections: Object.fromEntries(Object.entries(image.sections).filter(([key]) => key !== name)),
        })),
      { ...image, sections: { ...image.sections, memory: new Uint8Array(65_536 * 11) } },
      { ...image, sections: { ...image.sections, stack: new Uint8Array(2_000_000) } },
    ];
    for (const [at, wrong] of bad.entries()) {
      if ("stack" in wrong.sections && wrong.sections["stack"]?.length === 3) continue;
      expect(() => program.restore(wrong, {}, host), `case ${at}`).toThrow(SnapshotMismatchError);
    }
  });

  it("with damaged frames fails the guest and not the host", async () => {
    const { it: one, host, program } = await instance(SUMMING);
    one.step();
    const image = one.snapshot();
    for (let at = 0; at < (image.sections["stack"]?.length ?? 0); at++) {
      const stack = (image.sections["stack"] as Uint8Array).slice();
      stack[at] = (stack[at] as number) ^ 0xff;
      const damaged = program.restore({ ...image, sections: { ...image.sections, stack } }, {}, host);
      expect(["pending", "failed", "finished"]).toContain(damaged.step({ value: 0, payload: u32(1) }).kind);
    }
  });
});

it("many instances of one program run side by side without touching each other", async () => {
  const program = await createWasmEngine().admit(await guest(SUMMING), ["glia.v1"]);
  const hosts = Array.from({ length: 50 }, () => new RecordingHost());
  const all = hosts.map((host) => program.instantiate({}, host));
  for (const one of all) one.step();
  for (let turn = 0; turn < 4; turn++)
    for (const [n, one] of all.entries()) one.step({ value: 0, payload: u32(n) });
  for (const [n, host] of hosts.entries())
    expect(new DataView((host.replies[0] as Uint8Array).buffer).getBigUint64(0, true)).toBe(BigInt(n * 7));
  expect(new Set(all.map(({ number }) => number)).size).toBe(50);
});
