/** Host modules: what they keep for a guest travels with it, and what they may do to it is bounded. */
import { isGliaError } from "@glia-os/abi/errors";
import type { CallResult, GuestAccess, HostModule, InstanceImage } from "@glia-os/abi/ports";
import { GUEST_ERRORS } from "@glia-os/abi/wire";
import { encode } from "cborg";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  BadHostModuleError,
  BadHostWaitError,
  BadResultError,
  createWasmEngine,
  decodeSnapshot,
  encodeSnapshot,
  HostFailedError,
  HostModuleMissingError,
  PayloadTooBigError,
  SnapshotMismatchError,
  type WasmProgram,
} from "../src/index.ts";
import { instrument } from "../src/pipeline/index.ts";
import { assemble, RecordingHost } from "./guest.ts";

/** Keeps a total and named boxes behind handles; `ask` waits for its driver. */
class Boxes implements HostModule<{ value: number }> {
  readonly name = "boxes.v1";
  readonly version: number;
  readonly functions = {
    add: { params: ["i32"], result: "i32" },
    box: { params: ["i32"], result: "i32" },
    unbox: { params: ["i32"], result: "i32" },
    drop: { params: ["i32"], result: "i32" },
    ask: { params: ["i32", "i32"], result: "i32", suspends: true },
    nap: { params: ["i32"], result: "i32", suspends: true },
    leave: { params: ["i32"], result: "none" },
    half: { params: ["f64", "f32"], result: "f64" },
    sneak: { params: [], result: "i32" },
    fail: { params: [], result: "i32" },
  } as const;
  readonly handles = {
    quota: 3,
    encode: ({ value }: { value: number }): Uint8Array => Uint8Array.of(value),
    decode: ([value = 0]: Uint8Array): { value: number } => ({ value }),
  };
  readonly closed: string[] = [];
  constructor(version = 1) {
    this.version = version;
  }

  open({ memory, handles, exit, host }: GuestAccess<{ value: number }>, saved?: Uint8Array) {
    let total = saved?.[0] ?? 0;
    return {
      calls: {
        add: (n: number) => {
          total += n;
          return total;
        },
        box: (value: number) => handles.add({ value }),
        unbox: (handle: number) => handles.get(handle)?.value ?? GUEST_ERRORS.E_GONE,
        drop: (handle: number) => handles.remove(handle)?.value ?? GUEST_ERRORS.E_GONE,
        ask: (pointer: number, length: number) =>
          memory.writes(pointer, length) === undefined
            ? GUEST_ERRORS.E_FAULT
            : { op: "boxes.v1/ask", args: [pointer, length] },
        nap: (ms: number) => ({ op: "sleep", args: [ms] }),
        leave: (status: number) => exit(status),
        half: (wide: number, narrow: number) => wide / 2 + narrow,
        sneak: () => ({ op: "sleep", args: [1] }),
        fail: () => {
          host.log(0, "failing");
          throw new RangeError("broken module");
        },
      },
      resumes: {
        ask: ([pointer = 0, length = 0]: readonly number[], { value, payload }: CallResult) => {
          memory.writes(pointer, Math.min(length, payload?.length ?? 0))?.set(payload ?? []);
          return value + total;
        },
      },
      save: () => Uint8Array.of(total),
      close: (how: string) => void this.closed.push(how),
    };
  }
}

const SUSPENDING = ["boxes.v1/ask", "boxes.v1/nap"];
const TYPES: Record<string, string> = {
  half: "(param f64 f32) (result f64)",
  leave: "(param i32)",
  ask: "(param i32 i32) (result i32)",
};

async function admitted(body: string, module = new Boxes()): Promise<WasmProgram> {
  const imports = Object.entries(module.functions)
    .filter(([name]) => body.includes(`$${name})`) || body.includes(`$${name} `))
    .map(([name, { params }]) => {
      const type = TYPES[name] ?? `${params.length === 0 ? "" : "(param i32)"} (result i32)`;
      return `(import "boxes.v1" "${name}" (func $${name} ${type}))`;
    });
  const text = `(module ${imports.join("\n")} (import "glia.v1" "yield" (func $yield (result i32))) (memory 1)
    (func (export "glia_main") (result i32) (local $a i32) (local $b i32) ${body}))`;
  const { bytes } = await instrument(assemble(text), { suspending: SUSPENDING });
  return createWasmEngine({ hostModules: [module as HostModule] }).admit(bytes, ["glia.v1", "boxes.v1"]);
}

const host = new RecordingHost();
const finished = (status: number): object => ({ kind: "finished", status });
const through = (image: InstanceImage): InstanceImage =>
  decodeSnapshot(Buffer.concat([...encodeSnapshot(image)]));

describe("a host module", () => {
  it("keeps its state and its handles across a move, with the same numbers", async () => {
    const program = await admitted(`
      (drop (call $add (i32.const 5))) (local.set $a (call $box (i32.const 40))) (local.set $b (call $box (i32.const 7)))
      (drop (call $drop (local.get $a))) (drop (call $yield))
      (i32.add (call $add (i32.const 1)) (i32.add (call $unbox (local.get $b)) (i32.add
        (i32.mul (i32.const 100) (i32.shr_u (call $box (i32.const 1)) (i32.const 16))) (call $unbox (local.get $a))))) `);
    const stayed = program.instantiate({}, host);
    stayed.step();
    const image = through(stayed.snapshot());
    const moved = program.restore(image, {}, host);
    // 6 + 7 + 100 * generation 2 - 6 for the dropped handle
    expect(moved.step({ value: 0 })).toEqual(finished(6 + 7 + 200 + GUEST_ERRORS.E_GONE));
    expect(stayed.step({ value: 0 })).toEqual(finished(6 + 7 + 200 + GUEST_ERRORS.E_GONE));
    expect(through(program.restore(image, {}, host).snapshot()).sections["host"]).toEqual(
      image.sections["host"],
    );
  });

  it("gives out handles up to its quota and tells the guest so", async () => {
    const program = await admitted(`
      (drop (call $box (i32.const 1))) (drop (call $box (i32.const 1))) (drop (call $box (i32.const 1))) (call $box (i32.const 1))`);
    expect(program.instantiate({}, host).step()).toEqual(finished(GUEST_ERRORS.E_LIMIT));
    const guessed = await admitted(
      `(drop (call $box (i32.const 9))) (i32.add (call $unbox (i32.const 0)) (call $unbox (i32.const -1)))`,
    );
    expect(guessed.instantiate({}, host).step()).toEqual(finished(2 * GUEST_ERRORS.E_GONE));
  });

  it("may take and give floats", async () => {
    const program = await admitted(`(i32.trunc_f64_s (call $half (f64.const 9) (f32.const 0.5)))`);
    expect(program.instantiate({}, host).step()).toEqual(finished(5));
  });

  it("makes its guest wait, finishes the call with the driver's answer, and moves in between", async () => {
    const program = await admitted(`
      (drop (call $add (i32.const 3))) (i32.add (call $ask (i32.const 100) (i32.const 4)) (i32.load8_u (i32.const 101)))`);
    const asked = program.instantiate({ messageBytes: 8 }, host);
    const call = { requestId: 1, op: "boxes.v1/ask", args: [100, 4] };
    expect(asked.step()).toEqual({ kind: "pending", call });
    const moved = program.restore(through(asked.snapshot()), { messageBytes: 8 }, host);
    expect(moved.pending).toEqual(call);
    expect(() => moved.step({ value: 0, payload: new Uint8Array(9) })).toThrow(PayloadTooBigError);
    expect(moved.step({ value: 10, payload: Uint8Array.of(1, 50, 2) })).toEqual(finished(10 + 3 + 50));
  });

  it("may make its guest wait in a syscall, which its driver answers like any other", async () => {
    const program = await admitted(`(i32.add (call $nap (i32.const 250)) (i32.const 1))`);
    const napping = program.instantiate({}, host);
    expect(napping.step()).toEqual({ kind: "pending", call: { requestId: 1, op: "sleep", args: [250] } });
    const moved = program.restore(through(napping.snapshot()), {}, host);
    expect(() => moved.step({ value: 0, payload: Uint8Array.of(1) })).toThrow(BadResultError);
    expect(moved.step({ value: 0 })).toEqual(finished(1));
  });

  it("ends its guest with a status", async () => {
    const module = new Boxes();
    const program = await admitted(`(call $leave (i32.const 12)) unreachable`, module);
    expect(program.instantiate({}, host).step()).toEqual(finished(12));
    expect(module.closed).toEqual(["ended"]);
  });

  it("is closed once, and told whether the guest ended or left", async () => {
    const module = new Boxes();
    const program = await admitted(`(drop (call $add (i32.const 1))) (call $yield)`, module);
    const gone = program.instantiate({}, host);
    gone.step();
    gone.dispose();
    gone.dispose();
    const done = program.instantiate({}, host);
    done.step();
    done.step({ value: 0 });
    done.dispose();
    expect(module.closed).toEqual(["disposed", "ended"]);
  });

  it("that throws stops its guest with the cause, and no exception reaches the guest", async () => {
    const outcome = (await admitted(`(call $fail)`)).instantiate({}, host).step();
    expect(outcome.kind === "failed" && outcome.error).toBeInstanceOf(HostFailedError);
    expect(outcome.kind === "failed" && (outcome.error as Error).cause).toBeInstanceOf(RangeError);
  });

  it("cannot suspend a guest in a function that was not declared to", async () => {
    const outcome = (await admitted(`(call $sneak)`)).instantiate({}, host).step();
    expect(outcome.kind === "failed" && outcome.error).toBeInstanceOf(BadHostWaitError);
  });
});

describe("a restore", () => {
  const image = async (): Promise<[WasmProgram, InstanceImage]> => {
    const program = await admitted(
      `(local.set $a (call $box (i32.const 1))) (drop (call $nap (i32.const 1))) (local.get $a)`,
    );
    const one = program.instantiate({}, host);
    one.step();
    return [program, through(one.snapshot())];
  };

  it("is refused where the host module has another version or is missing, naming it", async () => {
    const [, there] = await image();
    const other = await admitted(
      `(local.set $a (call $box (i32.const 1))) (drop (call $nap (i32.const 1))) (local.get $a)`,
      new Boxes(2),
    );
    expect(() => other.restore(there, {}, host)).toThrow(HostModuleMissingError);
    expect(() => other.restore(there, {}, host)).toThrow(
      /version 1 of host module boxes.v1, which is offered here in version 2/,
    );
  });

  it("refuses a section `host` that is missing, malformed or contradicts itself", async () => {
    const [program, there] = await image();
    const good = [["boxes.v1", 1, Uint8Array.of(0), [[1, Uint8Array.of(1)]], []]];
    const waiting = "boxes.v1/nap";
    const withHost = (value: unknown): InstanceImage => ({
      ...there,
      sections: { ...there.sections, host: value instanceof Uint8Array ? value : encode(value) },
    });
    expect(program.restore(withHost({ waiting, modules: good }), {}, host).pending?.op).toBe("sleep");
    const { host: _, ...without } = there.sections;
    const bad: unknown[] = [
      new Uint8Array(0),
      Uint8Array.of(0xff),
      null,
      { waiting, modules: good, more: 1 },
      { waiting: 4, modules: good },
      { waiting: "boxes.v1/box", modules: good },
      { waiting: "boxes.v1/ask", modules: good },
      { waiting: "other/nap", modules: good },
      { waiting, modules: [] },
      { waiting, modules: [[...(good[0] as []), 1]] },
      { waiting, modules: [["boxes.v1", 1.5, Uint8Array.of(0), [], []]] },
      { waiting, modules: [["boxes.v1", 1, "text", [], []]] },
      { waiting, modules: [["boxes.v1", 1, Uint8Array.of(0), [[0, null]], [0]]] },
      { waiting, modules: [["boxes.v1", 1, Uint8Array.of(0), [[1, null]], []]] },
      { waiting, modules: [["boxes.v1", 1, Uint8Array.of(0), [[1, null]], [1]]] },
      { waiting, modules: [["boxes.v1", 1, Uint8Array.of(0), [[1, Uint8Array.of(1)]], [0]]] },
      {
        waiting,
        modules: [
          [
            "boxes.v1",
            1,
            Uint8Array.of(0),
            [
              [1, null],
              [1, null],
            ],
            [0, 0],
          ],
        ],
      },
      { waiting, modules: [["boxes.v1", 1, Uint8Array.of(0), Array(4).fill([1, Uint8Array.of(1)]), []]] },
    ];
    expect(() => program.restore({ ...there, sections: without }, {}, host)).toThrow(SnapshotMismatchError);
    for (const [at, value] of bad.entries())
      expect(() => program.restore(withHost(value), {}, host), `case ${at}`).toThrow(SnapshotMismatchError);
  });
});

it("any damage to the section `host` is refused with a typed error, or the guest still runs inside its limits", async () => {
  const program = await admitted(`
    (local.set $a (call $box (i32.const 1))) (drop (call $drop (call $box (i32.const 2)))) (drop (call $nap (i32.const 1)))
    (i32.add (call $unbox (local.get $a)) (call $box (i32.const 3)))`);
  const one = program.instantiate({}, host);
  one.step();
  const image = one.snapshot();
  const good = image.sections["host"] as Uint8Array;
  fc.assert(
    fc.property(fc.nat(good.length - 1), fc.nat(255), fc.boolean(), (at, byte, cut) => {
      const section = cut ? good.slice(0, at) : good.slice();
      if (!cut) section[at] = byte;
      try {
        const restored = program.restore(
          { ...image, sections: { ...image.sections, host: section } },
          {},
          host,
        );
        expect(["finished", "failed"]).toContain(restored.step({ value: 0 }).kind);
      } catch (error) {
        if (!isGliaError(error)) throw error;
      }
    }),
    { numRuns: 1000 },
  );
});

it("a guest that could not be made leaves no host module open", async () => {
  const module = new Boxes();
  const body = `(drop (call $nap (i32.const 1))) (call $add (i32.const 1))`;
  const program = await admitted(body, module);
  const one = program.instantiate({}, host);
  one.step();
  const there = through(one.snapshot());
  for (const section of ["globals", "stack"]) {
    const sections = { ...there.sections, [section]: new Uint8Array(3_000_000) };
    expect(() => program.restore({ ...there, sections }, {}, host)).toThrow(SnapshotMismatchError);
  }
  expect(module.closed).toEqual(["disposed", "disposed"]);
});

it("an engine refuses host modules that clash or cannot be written down", () => {
  const module = new Boxes();
  const bad: HostModule[][] = [
    [module, module] as HostModule[],
    [{ ...open(module), name: "glia.v1" }],
    [{ ...open(module), name: "" }],
    [{ ...open(module), name: "a/b" }],
    [{ ...open(module), name: "n".repeat(65) }],
    [{ ...open(module), version: 0 }],
    [{ ...open(module), handles: { quota: 65_537, encode: () => new Uint8Array(), decode: () => 0 } }],
  ];
  for (const [at, hostModules] of bad.entries())
    expect(() => createWasmEngine({ hostModules }), `case ${at}`).toThrow(BadHostModuleError);
});

function open(module: Boxes): HostModule {
  return {
    name: module.name,
    version: 1,
    functions: module.functions,
    open: () => ({ calls: {}, save: () => new Uint8Array() }),
  };
}
