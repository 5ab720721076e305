/**
 * Probes of vector operations.
 *
 * V1. A relaxed operation may give different results on different processors and engines, so its name proves
 *     nothing: the int8 dot product counts as exact only after every pair of operands in its exact range
 *     (first -128..127, second 0..127) gave the exact result, in both forms of the operation and, as far as
 *     the engine compiles hot code again, in its second form.
 */
import { callExport, instantiate, type Probe } from "./engine.ts";
import type { VectorFeature } from "./feature-names.ts";
import {
  type Bytes,
  encodeModule,
  encodeRun,
  exported,
  functionType,
  signed,
  TYPE,
  unsigned,
} from "./module-encoder.ts";

const i32Const = (value: number): Bytes => [0x41, ...signed(value)];
/** A vector instruction by its number. */
const vector = (opcode: number): Bytes => [0xfd, ...unsigned(opcode)];
const v128Const = (bytes: Bytes): Bytes => [...vector(0x0c), ...bytes];

/** i32x4.splat 6, i32x4.splat 7, i32x4.mul, i32x4.extract_lane 3. */
const simd128: Probe = (engine) => {
  const instructions = [
    ...[...i32Const(6), ...vector(0x11), ...i32Const(7), ...vector(0x11)],
    ...[...vector(0xb5), ...vector(0x1b), 0x03],
  ];
  return callExport(instantiate(engine, encodeRun([TYPE.i32], instructions)), "run") === 42;
};

const ASCENDING = Array.from({ length: 16 }, (_, lane) => lane + 100);
const REVERSED = Array.from({ length: 16 }, (_, lane) => 15 - lane);

/**
 * i8x16.relaxed_swizzle with indexes in range, where it must equal the strict one; i8x16.extract_lane_u 2.
 */
const relaxedSimd: Probe = (engine) => {
  const instructions = [
    ...v128Const(ASCENDING),
    ...v128Const(REVERSED),
    ...vector(0x100),
    ...vector(0x16),
    0x02,
  ];
  return callExport(instantiate(engine, encodeRun([TYPE.i32], instructions)), "run") === 113;
};

/** The four bytes of a float, little endian, four times. */
function splatFloat(value: number): Bytes {
  const bytes = [...new Uint8Array(Float32Array.of(value).buffer)];
  return [...bytes, ...bytes, ...bytes, ...bytes];
}

/**
 * (1 + 2^-12)^2 - (1 + 2^-11) is 2^-24 when rounded once; when the product is rounded first, its last bit is
 * lost and 0 is left. f32x4.relaxed_madd; f32x4.extract_lane 1.
 */
const relaxedMaddFused: Probe = (engine) => {
  const factor = v128Const(splatFloat(1 + 2 ** -12));
  const instructions = [
    ...[...factor, ...factor, ...v128Const(splatFloat(-(1 + 2 ** -11)))],
    ...[...vector(0x105), ...vector(0x1f), 0x01],
  ];
  return callExport(instantiate(engine, encodeRun([TYPE.f32], instructions)), "run") === 2 ** -24;
};

/** Pairs of operands in the exact range: 256 first operands times 128 second ones. */
const PAIRS = 256 * 128;
/** What the accumulating form adds to. */
const ACCUMULATOR = 1_000_000;
/** Where the operands and results lie in the two pages of memory. */
const AT = { first: 0, second: PAIRS, dots: 2 * PAIRS, sums: 3 * PAIRS } as const;
/**
 * Odd, so that multiplying by it visits every pair once, in an order that mixes neighbours. 1 keeps the
 * order.
 */
const ORDERS = [1, 12_345] as const;
/**
 * Rounds per order: enough for V8 to compile the function again with its optimising compiler, when it does so
 * at all.
 */
const ROUNDS = 32;

/**
 * For each 16 pairs: i16x8.relaxed_dot_i8x16_i7x16_s and i32x4.relaxed_dot_i8x16_i7x16_add_s, results stored.
 */
const DOT_MODULE: Uint8Array = encodeModule({
  types: [functionType([], [])],
  functions: [0],
  memories: [[0x00, 0x02]],
  exports: [exported("run", 0, 0), exported("memory", 2, 0)],
  code: [
    {
      locals: [[1, TYPE.i32]],
      instructions: [
        ...[0x03, 0x40],
        ...[
          0x20,
          0x00,
          ...loadVector(AT.first),
          ...loadVector(AT.second),
          ...vector(0x112),
          ...storeVector(AT.dots),
        ],
        ...[0x20, 0x00, ...loadVector(AT.first), ...loadVector(AT.second)],
        ...[...i32Const(ACCUMULATOR), ...vector(0x11), ...vector(0x113), ...storeVector(AT.sums)],
        // offset += 16; while offset < PAIRS
        ...[0x20, 0x00, ...i32Const(16), 0x6a, 0x22, 0x00, ...i32Const(PAIRS), 0x49, 0x0d, 0x00, 0x0b],
      ],
    },
  ],
});

/** local.get 0; v128.load at it plus `offset`. */
function loadVector(offset: number): Bytes {
  return [0x20, 0x00, ...vector(0x00), 0x00, ...unsigned(offset)];
}

/** v128.store at the address below the value, plus `offset`. */
function storeVector(offset: number): Bytes {
  return [...vector(0x0b), 0x00, ...unsigned(offset)];
}

/** Lay out every pair of operands, in the order `step` gives. */
function fillOperands(first: Int8Array, second: Int8Array, step: number): void {
  for (let index = 0; index < PAIRS; index += 1) {
    const pair = (index * step) % PAIRS;
    first[index] = (pair >> 7) - 128;
    second[index] = pair & 127;
  }
}

/** Whether every result is the exact one. */
function isExact(first: Int8Array, second: Int8Array, dots: Int16Array, sums: Int32Array): boolean {
  const product = (index: number) => first[index]! * second[index]!;
  for (let index = 0; index < PAIRS; index += 4) {
    const low = product(index) + product(index + 1);
    const high = product(index + 2) + product(index + 3);
    if (dots[index / 2] !== low || dots[index / 2 + 1] !== high) return false;
    if (sums[index / 4] !== low + high + ACCUMULATOR) return false;
  }
  return true;
}

const relaxedDotExact: Probe = (engine) => {
  const exports = instantiate(engine, DOT_MODULE);
  const { buffer } = exports["memory"] as { readonly buffer: ArrayBuffer };
  const first = new Int8Array(buffer, AT.first, PAIRS);
  const second = new Int8Array(buffer, AT.second, PAIRS);
  const dots = new Int16Array(buffer, AT.dots, PAIRS / 2);
  const sums = new Int32Array(buffer, AT.sums, PAIRS / 4);
  for (const step of ORDERS) {
    fillOperands(first, second, step);
    for (let round = 0; round < ROUNDS; round += 1) {
      callExport(exports, "run");
      if (!isExact(first, second, dots, sums)) return false;
    }
  }
  return true;
};

/** The probes by feature. */
export const VECTOR_PROBES: Readonly<Record<VectorFeature, Probe>> = {
  simd128,
  relaxedSimd,
  relaxedDotExact,
  relaxedMaddFused,
};
