/** Bodies that serve one guest after another (B1 to B3 of body.ts). */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BadLimitError, createWasmEngine, type WasmInstance, type WasmProgram } from "../src/index.ts";
import { STACK_EXPORT } from "../src/layout.ts";
import { type LinearMemory, webAssembly } from "../src/web-assembly.ts";
import { guest, RecordingHost, SUMMING, u32 } from "./guest.ts";

/** Grows its memory by one page when its message is 1, traps when it is 2, and ends otherwise. */
const WAYS = `(module
  (import "glia.v1" "receive" (func $receive (param i32 i32) (result i32)))
  (memory 1 10)
  (global $seen (mut i32) (i32.const 7))
  (func (export "glia_main") (result i32)
    (drop (call $receive (i32.const 0) (i32.const 4)))
    (global.set $seen (i32.add (global.get $seen) (i32.const 1)))
    (if (i32.eq (i32.load (i32.const 0)) (i32.const 1)) (then (drop (memory.grow (i32.const 1)))))
    (if (i32.eq (i32.load (i32.const 0)) (i32.const 2)) (then (unreachable)))
    (global.get $seen)))`;

async function programOf(text: string, spareInstances?: number): Promise<WasmProgram> {
  const engine = createWasmEngine(spareInstances === undefined ? {} : { spareInstances });
  return engine.admit(await guest(text), ["glia.v1"]);
}

const host = new RecordingHost();

/** The memories of suspended calls of the instances that are made meanwhile. */
function withStacks<T>(perform: () => T): { readonly result: T; readonly stacks: readonly Uint8Array[] } {
  const api = webAssembly as { Instance: typeof webAssembly.Instance };
  const { Instance } = api;
  const memories: LinearMemory[] = [];
  api.Instance = class extends Instance {
    constructor(...given: ConstructorParameters<typeof Instance>) {
      super(...given);
      const stack = this.exports[STACK_EXPORT];
      if (stack !== undefined) memories.push(stack as LinearMemory);
    }
  };
  try {
    const result = perform();
    return { result, stacks: memories.map(({ buffer }) => new Uint8Array(buffer)) };
  } finally {
    api.Instance = Instance;
  }
}

function waiting(program: WasmProgram): { readonly one: WasmInstance; readonly memory: LinearMemory } {
  const one = program.instantiate({}, host);
  one.step();
  return { one, memory: one.memory };
}

describe("a guest that starts where another one was", () => {
  it("finds memory, globals and suspended calls as a new guest does, whatever the other one did (B1)", async () => {
    const program = await programOf(SUMMING);
    const fresh = program.instantiate({}, host);
    const memory = fresh.memory;
    fresh.step();
    const expected = fresh.snapshot().sections;
    fresh.dispose();
    fc.assert(
      fc.property(
        fc.array(fc.nat({ max: 2 ** 32 - 1 }), { maxLength: 4 }),
        fc.array(fc.tuple(fc.nat({ max: 65_535 }), fc.nat({ max: 255 }))),
        (messages, writes) => {
          const one = program.instantiate({}, host);
          expect(one.memory).toBe(memory);
          one.step();
          expect(one.snapshot().sections).toEqual(expected);
          for (const [at, byte] of writes) new Uint8Array(one.memory.buffer)[at] = byte;
          for (const value of messages) one.step({ value: 4, payload: u32(value) });
          one.dispose();
        },
      ),
    );
  });

  it("continues an image there as it would in a new memory", async () => {
    const program = await programOf(SUMMING);
    const { one } = waiting(program);
    one.step({ value: 4, payload: u32(1) });
    const image = one.snapshot();
    const finish = (it: WasmInstance): unknown => {
      for (const value of [2, 3, 4]) it.step({ value: 4, payload: u32(value) });
      return host.replies.pop();
    };
    const expected = finish(one);
    const memory = one.memory;
    new Uint8Array(memory.buffer).fill(0x5a, 1000);
    one.dispose();
    const moved = program.restore(image, {}, host);
    expect(moved.memory).toBe(memory);
    expect(moved.snapshot()).toEqual(image);
    expect(finish(moved)).toEqual(expected);
  });

  it("finds zeros in the memory of suspended calls, where the other one's frames were (B1)", async () => {
    const program = await programOf(SUMMING);
    const { result, stacks } = withStacks(() => waiting(program));
    const stack = stacks.find((bytes) => bytes.some((byte) => byte !== 0)) as Uint8Array;
    expect(stack).toBeDefined();
    result.one.dispose();
    const { stacks: made } = withStacks(() => program.instantiate({}, host));
    expect(made).toEqual([]);
    expect(stack.every((byte) => byte === 0)).toBe(true);
  });
});

describe("a body is used again", () => {
  it("after a guest that waited or finished, not after one that failed or grew (B2)", async () => {
    const program = await programOf(WAYS);
    const memories = [0, 1, 2].map((way) => {
      const { one, memory } = waiting(program);
      one.step({ value: 4, payload: u32(way) });
      one.dispose();
      const next = waiting(program);
      const again = next.memory === memory;
      next.one.dispose();
      return again;
    });
    expect(memories).toEqual([true, false, false]);
  });

  it("for guests with the same limit of memory only", async () => {
    const program = await programOf(WAYS);
    const { one, memory } = waiting(program);
    one.dispose();
    expect(program.instantiate({ memoryPages: 5 }, host).memory).not.toBe(memory);
    expect(program.instantiate({}, host).memory).toBe(memory);
  });

  it("up to the number that the engine keeps spare (B3)", async () => {
    for (const spare of [0, 1, 2]) {
      const program = await programOf(WAYS, spare);
      const guests = [waiting(program), waiting(program), waiting(program)];
      const memories = new Set(guests.map(({ memory }) => memory));
      for (const { one } of guests) one.dispose();
      const used = [waiting(program), waiting(program), waiting(program)];
      expect(used.filter(({ memory }) => memories.has(memory))).toHaveLength(spare);
    }
    for (const wrong of [-1, 1.5, 5000, Number.NaN])
      expect(() => createWasmEngine({ spareInstances: wrong })).toThrow(BadLimitError);
  });
});
