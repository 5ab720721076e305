/**
 * RISC-V ISA strings such as `rv64imafdc_zicsr_zba` (The RISC-V Instruction Set Manual, volume I, chapter
 * "ISA Extension Naming Conventions").
 */

/** A parsed ISA string. */
export interface RiscvIsa {
  /** Register width in bits: 32, 64 or 128. */
  readonly bits: number;
  /** Extension names in lower case, without versions, with the shorthands of {@link SHORTHANDS} expanded. */
  readonly extensions: ReadonlySet<string>;
}

/** What an extension's name stands for. */
const SHORTHANDS: Readonly<Record<string, readonly string[]>> = {
  g: ["i", "m", "a", "f", "d", "zicsr", "zifencei"],
  b: ["zba", "zbb", "zbs"],
  zk: ["zkn", "zkr", "zkt"],
  zkn: ["zbkb", "zbkc", "zbkx", "zkne", "zknd", "zknh"],
  zks: ["zbkb", "zbkc", "zbkx", "zksed", "zksh"],
};

/** Longest ISA string taken; real ones have a few hundred characters. */
const ISA_LIMIT = 4096;

/** Parse an ISA string; `undefined` when it is not one. */
export function parseRiscvIsa(text: string): RiscvIsa | undefined {
  const match = /^rv(32|64|128)([a-z][a-z0-9]*)((?:_[a-z0-9]+)*)_?$/i.exec(text.trim().slice(0, ISA_LIMIT));
  if (match === null) return undefined;
  const extensions = new Set<string>();
  addLetters(match[2]!.toLowerCase(), extensions);
  for (const name of match[3]!.toLowerCase().split("_").filter(Boolean)) addName(name, extensions);
  return { bits: Number(match[1]), extensions };
}

/** Single letters, each with an optional version; a multi-letter name may follow without an underscore. */
function addLetters(letters: string, extensions: Set<string>): void {
  const multi = letters.search(/(?<=.)(z[a-z]|x[a-z])/);
  const singles = multi < 0 ? letters : letters.slice(0, multi);
  for (const [, letter] of singles.matchAll(/([a-z])(?:\d+(?:p\d+)?)?/g)) add(letter!, extensions);
  if (multi >= 0) addName(letters.slice(multi), extensions);
}

/**
 * One name between underscores: a letter or a multi-letter extension, with an optional version such as `2p0`.
 */
function addName(name: string, extensions: Set<string>): void {
  add(name.replace(/\d+p\d+$/, ""), extensions);
}

function add(name: string, extensions: Set<string>): void {
  extensions.add(name);
  if (!Object.hasOwn(SHORTHANDS, name)) return;
  for (const part of SHORTHANDS[name]!) if (!extensions.has(part)) add(part, extensions);
}
