/**
 * The binary format of WebAssembly modules, as much of it as the probes need (WebAssembly Core Specification,
 * chapter 5). Contents of sections are given as bytes; this file adds counts, sizes and the order of
 * sections.
 */

/** Bytes of one item of a section. */
export type Bytes = readonly number[];

/** The sections of a module, each a list of items. */
export interface ModuleSections {
  readonly types?: readonly Bytes[];
  readonly imports?: readonly Bytes[];
  /** Type indexes of the module's own functions. */
  readonly functions?: readonly number[];
  readonly memories?: readonly Bytes[];
  readonly tags?: readonly Bytes[];
  readonly globals?: readonly Bytes[];
  readonly exports?: readonly Bytes[];
  /** Function bodies: local declarations and instructions, without the final `end`. */
  readonly code?: readonly FunctionBody[];
}

/** One function body. */
export interface FunctionBody {
  /** Pairs of count and type. */
  readonly locals?: readonly (readonly [count: number, type: number])[];
  readonly instructions: Bytes;
}

/** Value types. */
export const TYPE = {
  i32: 0x7f,
  i64: 0x7e,
  f32: 0x7d,
  f64: 0x7c,
  v128: 0x7b,
  externref: 0x6f,
  exnref: 0x69,
} as const;

/** An unsigned integer below 2^32 in LEB128. */
export function unsigned(value: number): Bytes {
  const bytes: number[] = [];
  let rest = value;
  do {
    const low = rest % 128;
    rest = Math.floor(rest / 128);
    bytes.push(rest === 0 ? low : low | 0x80);
  } while (rest !== 0);
  return bytes;
}

/** A signed 32-bit integer in LEB128. */
export function signed(value: number): Bytes {
  const bytes: number[] = [];
  let rest = value;
  for (;;) {
    const low = rest & 0x7f;
    rest >>= 7;
    const done = (rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0);
    bytes.push(done ? low : low | 0x80);
    if (done) return bytes;
  }
}

/** A function type. */
export function functionType(parameters: Bytes, results: Bytes): Bytes {
  return [0x60, ...unsigned(parameters.length), ...parameters, ...unsigned(results.length), ...results];
}

/** A name: its length and its characters, all ASCII. */
function name(text: string): Bytes {
  return [...unsigned(text.length), ...[...text].map((character) => character.charCodeAt(0))];
}

/** An export of kind 0 function, 2 memory, 3 global. */
export function exported(text: string, kind: 0 | 2 | 3, index: number): Bytes {
  return [...name(text), kind, ...unsigned(index)];
}

/** An import from module `p` (for probe): its kind and description follow. */
export function imported(text: string, description: Bytes): Bytes {
  return [...name("p"), ...name(text), ...description];
}

function section(id: number, items: readonly Bytes[] | undefined): Bytes {
  if (items === undefined) return [];
  const content = [...unsigned(items.length), ...items.flat()];
  return [id, ...unsigned(content.length), ...content];
}

function body({ locals = [], instructions }: FunctionBody): Bytes {
  const declarations = locals.flatMap(([count, type]) => [...unsigned(count), type]);
  const content = [...unsigned(locals.length), ...declarations, ...instructions, 0x0b];
  return [...unsigned(content.length), ...content];
}

/**
 * The bytes of a module. Sections come in the order the format demands, which is not that of their numbers.
 */
export function encodeModule(module: ModuleSections): Uint8Array {
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, module.types),
    ...section(2, module.imports),
    ...section(3, module.functions?.map(unsigned)),
    ...section(5, module.memories),
    ...section(13, module.tags),
    ...section(6, module.globals),
    ...section(7, module.exports),
    ...section(10, module.code?.map(body)),
  ]);
}

/** A module with one function `run` and no parameters, the most common probe. */
export function encodeRun(result: Bytes, instructions: Bytes, rest: ModuleSections = {}): Uint8Array {
  return encodeModule({
    ...rest,
    types: [functionType([], result), ...(rest.types ?? [])],
    functions: [0],
    exports: [exported("run", 0, 0)],
    code: [{ instructions }],
  });
}
