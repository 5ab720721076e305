import { describe, expect, it } from "vitest";
import { GUEST_BINARY, TENSOR_FUNCTIONS, tensorHostModule } from "../src/guests/index.ts";
import { Space, scalarBackend, Tensor } from "../src/index.ts";
import { Guest } from "./guest.ts";

const [E_FAULT, E_TOO_BIG, E_RANGE, E_LIMIT, E_HANDLE] = [-1, -2, -4, -5, -8];
const [F32, F64, I32, , , BOOL] = [0, 1, 2, 3, 4, 5];
const ADD = GUEST_BINARY.indexOf("add");

describe("glia.tensor.v1", () => {
  it("declares each function with the parameters its implementation takes", () => {
    const { calls } = new Guest().at;
    expect(Object.keys(calls).sort()).toEqual(Object.keys(TENSOR_FUNCTIONS).sort());
    for (const [name, { params }] of Object.entries(TENSOR_FUNCTIONS))
      expect((calls[name] as { length: number }).length, name).toBe(params.length);
  });

  it("computes what the package computes", () => {
    const guest = new Guest();
    const a = guest.make([2, 3], [1, 2, 3, 4, 5, 6]);
    const b = guest.make([3], [10, 20, 30]);
    expect(guest.read(guest.call("tensor_add", a, b))).toEqual([11, 22, 33, 14, 25, 36]);
    expect(guest.read(guest.call("tensor_matmul", a, b))).toEqual([140, 320]);
    expect(guest.read(guest.call("tensor_matmul_into", a, a, 2, 0))).toEqual([14, 32, 32, 77]);
    expect(guest.read(guest.call("tensor_transpose", a))).toEqual([1, 4, 2, 5, 3, 6]);
    expect(guest.read(guest.call("tensor_reduce", 0, a, -1, 0))).toEqual([6, 15]);
    expect(guest.read(guest.call("tensor_reduce", 3, a, -(2 ** 31), 0))).toEqual([6]);
    expect(guest.call("tensor_dot", b, b, 0)).toBe(0);
    expect(new DataView(guest.memory.buffer).getFloat64(0, true)).toBe(1400);
    const out = guest.call("tensor_zeros", F32, ...guest.shape(2, 3));
    expect(guest.call("tensor_with_number", 2, a, 2, out)).toBe(0);
    expect(guest.read(out)).toEqual([2, 4, 6, 8, 10, 12]);
    expect(guest.call("tensor_top_k", a, 2, 0)).toBe(0);
    const [values, indices] = new Int32Array(guest.memory.buffer, 0, 2);
    expect(guest.read(values as number)).toEqual([3, 2, 6, 5]);
    expect(guest.call("tensor_get_dtype", indices as number)).toBe(I32);
    expect(guest.call("tensor_get_shape", a, 0, 8)).toBe(2);
    expect(Array.from(new Uint32Array(guest.memory.buffer, 0, 2))).toEqual([2, 3]);
    for (const name of ["tensor_supports_avx2", "tensor_supports_neon", "tensor_supports_sve2"] as const)
      expect(guest.call(name)).toBe(0);
  });

  it("refuses bad input with a code and a sentence that names the values, and changes nothing", () => {
    const guest = new Guest({ quotaBytes: 4096, mostWork: 1000 });
    const a = guest.make([2, 3], [1, 2, 3, 4, 5, 6]);
    const b = guest.make([4], [1, 2, 3, 4]);
    const before = guest.handles.size;
    const huge = () => guest.shape(0xffffffff, 0xffffffff);
    const refused: readonly (readonly [number, RegExp, () => number])[] = [
      [E_RANGE, /\[2, 3\] and \[4\]/, () => guest.call("tensor_add", a, b)],
      [E_RANGE, /3 columns against 4 rows/, () => guest.call("tensor_matmul", a, b)],
      [E_RANGE, /axis 5/, () => guest.call("tensor_reduce", 0, a, 5, 0)],
      [E_RANGE, /99 is no operation/, () => guest.call("tensor_unary", 99, a, 0)],
      [E_RANGE, /-1 is no operation/, () => guest.call("tensor_binary", -1, a, a, 0)],
      [E_RANGE, /17 is no dtype/, () => guest.call("tensor_zeros", 17, ...guest.shape(1))],
      [E_RANGE, /9 dimensions/, () => guest.call("tensor_zeros", F32, 0, 9)],
      [E_RANGE, /8 bytes do not fill/, () => guest.call("tensor_from", F32, ...guest.shape(3), 0, 8)],
      [E_RANGE, /4 bytes do not fill/, () => guest.call("tensor_write", a, 0, 4)],
      [E_RANGE, /k is 9/, () => guest.call("tensor_top_k", b, 9, 0)],
      [E_RANGE, /out-parameter/, () => guest.call("tensor_binary", ADD, a, a, b)],
      [E_HANDLE, /0 is no tensor/, () => guest.call("tensor_add", a, 0)],
      [E_HANDLE, /-7 is no tensor/, () => guest.call("tensor_unary", 0, -7, 0)],
      [E_HANDLE, /12345 is no tensor/, () => guest.call("tensor_unary", 0, a, 12_345)],
      [E_FAULT, /outside/, () => guest.call("tensor_zeros", F32, -4, 2)],
      [E_FAULT, /outside/, () => guest.call("tensor_from", F32, ...guest.shape(1), 65_533, 4)],
      [E_FAULT, /outside/, () => guest.call("tensor_dot", b, b, 65_530)],
      [E_FAULT, /outside/, () => guest.call("tensor_top_k", b, 1, -1)],
      [E_FAULT, /outside/, () => guest.call("tensor_read", a, 65_530, 100)],
      [E_TOO_BIG, /elements/, () => guest.call("tensor_zeros", F32, ...huge())],
      [
        E_TOO_BIG,
        /1001 multiply-adds or elements; one call does at most 1000/,
        () => guest.call("tensor_zeros", F32, ...guest.shape(1001)),
      ],
      [E_LIMIT, /of 4096 bytes/, () => guest.call("tensor_zeros", F64, ...guest.shape(600))],
    ];
    for (const [code, said, act] of refused) {
      expect([act(), guest.error()]).toEqual([code, expect.stringMatching(said)]);
      expect(guest.handles.size).toBe(before);
    }
    expect(guest.call("tensor_read", a, 0, 23)).toBe(E_TOO_BIG);
    expect(guest.call("tensor_get_shape", a, 0, 1)).toBe(E_TOO_BIG);
    expect(guest.call("tensor_free", a)).toBe(0);
    expect(guest.call("tensor_free", a)).toBe(E_HANDLE);
    expect(guest.read(b)).toEqual([1, 2, 3, 4]);
  });

  it("a product is refused by its work, also when broadcasting multiplies it", () => {
    const guest = new Guest({ mostWork: 10_000 });
    const a = guest.call("tensor_zeros", F32, ...guest.shape(20, 20));
    const many = guest.call("tensor_zeros", F32, ...guest.shape(2, 20, 20));
    expect(guest.call("tensor_matmul", a, a)).toBeGreaterThan(0);
    expect(guest.call("tensor_matmul", a, many)).toBe(E_TOO_BIG);
    expect(guest.error()).toMatch(/16000 multiply-adds/);
    const column = guest.call("tensor_zeros", F32, ...guest.shape(200, 1));
    const row = guest.call("tensor_zeros", F32, ...guest.shape(1, 200));
    expect(guest.call("tensor_binary", ADD, column, row, 0)).toBe(E_TOO_BIG);
  });

  it("refuses the handle after the last one, and frees what it was for", () => {
    const guest = new Guest({ quotaTensors: 2, quotaBytes: 1024 });
    const a = guest.make([1], [1]);
    guest.make([1], [2]);
    for (let i = 0; i < 100; i++) expect(guest.call("tensor_add", a, a)).toBe(E_LIMIT);
    for (let i = 0; i < 100; i++) expect(guest.call("tensor_top_k", a, 1, 0)).toBe(E_LIMIT);
    expect(guest.handles.size).toBe(2);
    guest.call("tensor_free", 2);
    expect(guest.call("tensor_top_k", a, 1, 0), "room for one of two").toBe(E_LIMIT);
    expect(guest.handles.size).toBe(1);
    expect(guest.call("tensor_add", a, a)).toBeGreaterThan(0);
  });

  it("gaps never cost a guest its quota: tensors of every size in turn, and fuel is what it is without gaps", () => {
    const quotaBytes = 16_384;
    const [gappy, fresh] = [new Guest({ quotaBytes }), new Guest({ quotaBytes })];
    const kept = gappy.make([2], [1.5, 2.5]);
    for (let size = 1; size <= 4000; size += 97) {
      const handles: number[] = [];
      for (;;) {
        const handle = gappy.call("tensor_zeros", F32, ...gappy.shape(size));
        if (handle === E_LIMIT) break;
        handles.push(handle);
      }
      const block = Math.max(64, size * 4);
      expect(handles.length, `size ${size}`).toBeGreaterThanOrEqual(
        Math.floor((quotaBytes - 64) / (block * 1.25 + 64)),
      );
      for (const handle of handles) gappy.call("tensor_free", handle);
    }
    expect(gappy.read(kept)).toEqual([1.5, 2.5]);
    const spent = [gappy, fresh].map((guest) => {
      const before = guest.fuel;
      guest.call("tensor_free", guest.make([1000], new Array(1000).fill(1)));
      return guest.fuel - before;
    });
    expect(spent[0]).toBe(spent[1]);
  });

  it("moves with its guest: tensors, quota and the last refusal, and NaN has one form", () => {
    const guest = new Guest({ quotaBytes: 1024 });
    const a = guest.make([3], [1, Number.NaN, -0]);
    guest.call("tensor_add", a, 999);
    const next = guest.moved({ quotaBytes: 1024 });
    expect(next.error()).toMatch(/999 is no tensor/);
    expect(next.read(a)).toEqual([1, Number.NaN, -0]);
    next.memory.set([1, 0, 0xc0, 0xff], 4096);
    expect(next.call("tensor_write", next.make([1], [0]), 4096, 4)).toBe(0);
    const odd = next.call("tensor_from", F32, ...next.shape(1), 4096, 4);
    next.memory.set([1, 2, 0xf0, 0xff], 4096);
    expect(next.call("tensor_write", odd, 4096, 4)).toBe(0);
    next.call("tensor_read", odd, 0, 4);
    expect(Array.from(next.memory.slice(0, 4))).toEqual([0, 0, 0xc0, 0x7f]);
    next.memory[4096] = 7;
    const truth = next.call("tensor_from", BOOL, ...next.shape(1), 4096, 1);
    next.call("tensor_read", truth, 0, 1);
    expect(next.memory[0]).toBe(1);
  });

  it("records that are none are refused before memory is taken", () => {
    const { decode } = new Guest().module.handles as NonNullable<Guest["module"]["handles"]>;
    const good = [1, 0, 1, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    expect(decode(Uint8Array.from(good)).encode()).toEqual(Uint8Array.from(good));
    const bad = [
      [],
      [2, ...good.slice(1)],
      [1, 6, ...good.slice(2)],
      [1, 0, 9, ...good.slice(3)],
      [1, 0, 1, 1, ...good.slice(4)],
      good.slice(0, -1),
      [...good, 0],
      [1, 0, 8, 0],
      [1, 0, 2, 0, 255, 255, 255, 255, 255, 255, 255, 255],
      [1, 5, 0, 0, 2],
    ];
    for (const record of bad) expect(() => decode(Uint8Array.from(record)), String(record)).toThrow();
    for (let length = 0; length < 500; length++) {
      const bytes = Uint8Array.from({ length: length % 40 }, (_, i) => (i * length * 37) % 251);
      try {
        decode(bytes).encode();
      } catch (error) {
        expect(String(error)).toMatch(/decodeTensor/);
      }
    }
    expect(() => new Guest({ quotaBytes: 63 })).toThrow(/quotaBytes is 63/);
    expect(() => tensorHostModule({ quotaTensors: 0 })).toThrow(/quotaTensors/);
    expect(() => tensorHostModule({ mostWork: 0.5 })).toThrow(/mostWork/);
  });

  it("gives the bits of the package for a guest of the default backend too", () => {
    const guest = new Guest({});
    const plain = tensorHostModule();
    guest.at = plain.open(guest.access());
    const values = Array.from({ length: 300 }, (_, i) => Math.sin(i) * 5);
    const a = guest.make([300], values);
    for (const [index, name] of ["exp", "tanh", "gelu"].entries()) {
      const out = guest.read(guest.call("tensor_unary", [3, 5, 8][index] as number, a, 0));
      const own = Tensor.from(values, { space: new Space({ backend: scalarBackend() }) })
        [name as "exp"]()
        .toArray();
      expect(out).toEqual(own);
    }
  });
});
