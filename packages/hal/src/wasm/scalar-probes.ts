/**
 * Probes of everything but vectors. Each compiles a module, runs it and compares what came out (invariant W1
 * of `detect-wasm-features.ts`); an engine that refuses the module throws, which the caller counts as "does
 * not work".
 */
import { callExport, instantiate, type Probe } from "./engine.ts";
import type { VectorFeature, WasmFeature } from "./feature-names.ts";
import {
  type Bytes,
  encodeModule,
  encodeRun,
  exported,
  functionType,
  imported,
  signed,
  TYPE,
} from "./module-encoder.ts";

/** The number the probes compute; its digits appear nowhere else in the modules. */
const ANSWER = 42;

const i32Const = (value: number): Bytes => [0x41, ...signed(value)];

/** A probe that runs an i32 function without parameters. */
const answers =
  (bytes: Uint8Array, expected: number = ANSWER): Probe =>
  (engine) =>
    callExport(instantiate(engine, bytes), "run") === expected;

const bigInt: Probe = (engine) => {
  // local.get 0; i64.const 1; i64.add
  const bytes = encodeModule({
    types: [functionType([TYPE.i64], [TYPE.i64])],
    functions: [0],
    exports: [exported("run", 0, 0)],
    code: [{ instructions: [0x20, 0x00, 0x42, 0x01, 0x7c] }],
  });
  const large = 2n ** 62n + 1n;
  return callExport(instantiate(engine, bytes), "run", large) === large + 1n;
};

const multiValue: Probe = (engine) => {
  const bytes = encodeRun([TYPE.i32, TYPE.i32], [...i32Const(7), ...i32Const(ANSWER)]);
  const results = callExport(instantiate(engine, bytes), "run");
  return Array.isArray(results) && results.length === 2 && results[0] === 7 && results[1] === ANSWER;
};

const mutableGlobals: Probe = (engine) => {
  const counter = new engine.Global({ value: "i32", mutable: true }, ANSWER - 1);
  // global.get 0; i32.const 1; i32.add; global.set 0
  const bytes = encodeRun([], [0x23, 0x00, ...i32Const(1), 0x6a, 0x24, 0x00], {
    imports: [imported("g", [0x03, TYPE.i32, 0x01])],
  });
  callExport(instantiate(engine, bytes, { p: { g: counter } }), "run");
  return counter.value === ANSWER;
};

/** memory.fill of 8 bytes, memory.copy of them to 16, i32.load from 20. */
const bulkMemory = answers(
  encodeRun(
    [TYPE.i32],
    [
      ...[...i32Const(0), ...i32Const(0xab), ...i32Const(8), 0xfc, 0x0b, 0x00],
      ...[...i32Const(16), ...i32Const(0), ...i32Const(8), 0xfc, 0x0a, 0x00, 0x00],
      ...[...i32Const(20), 0x28, 0x02, 0x00],
    ],
    { memories: [[0x00, 0x01]] },
  ),
  0xabababab | 0,
);

const referenceTypes: Probe = (engine) => {
  const bytes = encodeModule({
    types: [functionType([TYPE.externref], [TYPE.externref])],
    functions: [0],
    exports: [exported("run", 0, 0)],
    code: [{ instructions: [0x20, 0x00] }],
  });
  const thing = {};
  return callExport(instantiate(engine, bytes), "run", thing) === thing;
};

/** A global initialised with 40 + 2. */
const extendedConst = answers(
  encodeRun([TYPE.i32], [0x23, 0x00], {
    globals: [[TYPE.i32, 0x00, ...i32Const(40), ...i32Const(2), 0x6a, 0x0b]],
  }),
);

const threads: Probe = (engine) => {
  const memory = new engine.Memory({ initial: 1, maximum: 1, shared: true });
  if (!(memory.buffer instanceof SharedArrayBuffer)) return false;
  const cells = new Int32Array(memory.buffer);
  Atomics.store(cells, 2, ANSWER);
  // i32.const 8; i32.const 5; i32.atomic.rmw.add: the old value.
  const bytes = encodeRun([TYPE.i32], [...i32Const(8), ...i32Const(5), 0xfe, 0x1e, 0x02, 0x00], {
    imports: [imported("m", [0x02, 0x03, 0x01, 0x01])],
  });
  const old = callExport(instantiate(engine, bytes, { p: { m: memory } }), "run");
  return old === ANSWER && Atomics.load(cells, 2) === ANSWER + 5;
};

/**
 * i32.store 42 at 4 of memory 1; the sum of that word in both memories. Bit 6 of the alignment announces a
 * memory index.
 */
const multiMemory = answers(
  encodeRun(
    [TYPE.i32],
    [
      ...[...i32Const(4), ...i32Const(ANSWER), 0x36, 0x42, 0x01, 0x00],
      ...[...i32Const(4), 0x28, 0x02, 0x00],
      ...[...i32Const(4), 0x28, 0x42, 0x01, 0x00, 0x6a],
    ],
    {
      memories: [
        [0x00, 0x01],
        [0x00, 0x01],
      ],
    },
  ),
);

/** i32.store 42 at the 64-bit address 8, then i32.load from there. */
const memory64 = answers(
  encodeRun([TYPE.i32], [0x42, 0x08, ...i32Const(ANSWER), 0x36, 0x02, 0x00, 0x42, 0x08, 0x28, 0x02, 0x00], {
    memories: [[0x04, 0x01]],
  }),
);

/** Calls itself 1,000,000 times in tail position: without tail calls the stack overflows. */
const tailCalls: Probe = (engine) => {
  const bytes = encodeModule({
    types: [functionType([TYPE.i32, TYPE.i32], [TYPE.i32])],
    functions: [0],
    exports: [exported("run", 0, 0)],
    code: [
      {
        instructions: [
          // if n = 0 return sum
          ...[0x20, 0x00, 0x45, 0x04, 0x40, 0x20, 0x01, 0x0f, 0x0b],
          // return_call run(n - 1, sum + 1)
          ...[0x20, 0x00, ...i32Const(1), 0x6b, 0x20, 0x01, ...i32Const(1), 0x6a, 0x12, 0x00],
        ],
      },
    ],
  });
  return callExport(instantiate(engine, bytes), "run", 1_000_000, 0) === 1_000_000;
};

/** The type and tag of an exception that carries one i32. */
const CARRIES_I32 = { types: [functionType([TYPE.i32], [])], tags: [[0x00, 0x01]] } as const;

/** Throws 42, catches it as a reference, throws that reference again and catches the number. */
const exceptions = answers(
  encodeRun(
    [TYPE.i32],
    [
      // block (result i32); try_table (catch tag 0 to label 0)
      ...[0x02, TYPE.i32, 0x1f, 0x40, 0x01, 0x00, 0x00, 0x00],
      // block (result exnref); try_table (catch_all_ref to label 0)
      ...[0x02, TYPE.exnref, 0x1f, 0x40, 0x01, 0x03, 0x00],
      // i32.const 42; throw 0; end; unreachable; end
      ...[...i32Const(ANSWER), 0x08, 0x00, 0x0b, 0x00, 0x0b],
      // throw_ref; end; unreachable; end
      ...[0x0a, 0x0b, 0x00, 0x0b],
    ],
    CARRIES_I32,
  ),
);

/** try (result i32); i32.const 42; throw 0; catch 0; end */
const legacyExceptions = answers(
  encodeRun([TYPE.i32], [0x06, TYPE.i32, ...i32Const(ANSWER), 0x08, 0x00, 0x07, 0x00, 0x0b], CARRIES_I32),
);

/** struct.new of a structure with one i32 field, struct.get of that field. */
const gc = answers(
  encodeRun([TYPE.i32], [...i32Const(ANSWER), 0xfb, 0x00, 0x01, 0xfb, 0x02, 0x01, 0x00], {
    types: [[0x5f, 0x01, TYPE.i32, 0x00]],
  }),
);

/** Calls an import that is still waiting for a promise when the call is made. */
const jspi: Probe = async (engine) => {
  if (engine.Suspending === undefined || engine.promising === undefined) return false;
  const bytes = encodeModule({
    types: [functionType([], [TYPE.i32])],
    imports: [imported("f", [0x00, 0x00])],
    functions: [0],
    exports: [exported("run", 0, 1)],
    code: [{ instructions: [0x10, 0x00, ...i32Const(1), 0x6a] }],
  });
  const later = new engine.Suspending(() => Promise.resolve(ANSWER - 1));
  const exports = instantiate(engine, bytes, { p: { f: later } });
  return (await engine.promising(exports["run"])()) === ANSWER;
};

/** The probes by feature. */
export const SCALAR_PROBES: Readonly<Record<Exclude<WasmFeature, VectorFeature>, Probe>> = {
  bigInt,
  multiValue,
  // i32.const 0x80; i32.extend8_s
  signExtension: answers(encodeRun([TYPE.i32], [...i32Const(0x80), 0xc0]), -128),
  // f32.const 3e9; i32.trunc_sat_f32_s
  saturatingFloatToInt: answers(
    encodeRun([TYPE.i32], [0x43, 0x5e, 0xd0, 0x32, 0x4f, 0xfc, 0x00]),
    0x7fff_ffff,
  ),
  mutableGlobals,
  bulkMemory,
  referenceTypes,
  extendedConst,
  threads,
  multiMemory,
  memory64,
  tailCalls,
  exceptions,
  legacyExceptions,
  gc,
  jspi,
};
