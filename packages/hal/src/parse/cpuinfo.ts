/**
 * `/proc/cpuinfo` of x86, ARM and RISC-V kernels.
 *
 * I1. Flags are those every processor has: a task may run on any of them, and cores of one machine may
 *     differ.
 * I2. A text without a processor yields 0 processors and no flags; nothing is assumed.
 */
import { parseInteger } from "./integer.ts";
import { parseRiscvIsa } from "./riscv-isa.ts";

/** What the file says. */
export interface Cpuinfo {
  /** Processors listed; 0 when the text is no cpuinfo. */
  readonly processors: number;
  /**
   * Flags (x86), features (ARM) or ISA extensions (RISC-V) common to all processors (I1); absent when one
   * lists none.
   */
  readonly flags?: ReadonlySet<string>;
  /** The processor's name. */
  readonly model?: string;
  /** Distinct cores; only where every processor names its package and core. */
  readonly physicalCores?: number;
  /** Cache line in bytes (x86: `clflush size`). */
  readonly lineBytes?: number;
  /**
   * Whether a `v` extension may be the draft 0.7.1 of T-Head's C906 and C910, which is not the ratified one.
   */
  readonly draftVectors?: boolean;
}

type Block = ReadonlyMap<string, string>;

/** Split at blank lines; keys are lower-cased. Lines without a colon are ignored. */
function parseBlocks(text: string): Block[] {
  return text.split(/\n\s*\n/).map((block) => {
    const entries = block.split("\n").flatMap((line): [string, string][] => {
      const colon = line.indexOf(":");
      return colon < 1 ? [] : [[line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()]];
    });
    return new Map(entries);
  });
}

/** The flags of one processor, by whichever key its architecture uses. */
function flagsOf(block: Block): ReadonlySet<string> | undefined {
  const isa = block.get("isa");
  if (isa !== undefined) return parseRiscvIsa(isa)?.extensions;
  const list = block.get("flags") ?? block.get("features");
  return list === undefined ? undefined : new Set(list.toLowerCase().split(/\s+/).filter(Boolean));
}

function intersectFlags(processors: readonly Block[]): ReadonlySet<string> | undefined {
  let common: ReadonlySet<string> | undefined;
  for (const processor of processors) {
    const flags = flagsOf(processor);
    if (flags === undefined) return undefined;
    common = new Set([...(common ?? flags)].filter((name) => flags.has(name)));
  }
  return common;
}

function countCores(processors: readonly Block[]): number | undefined {
  const cores = new Set<string>();
  for (const processor of processors) {
    const socket = processor.get("physical id");
    const core = processor.get("core id");
    if (socket === undefined || core === undefined) return undefined;
    cores.add(`${socket}/${core}`);
  }
  return cores.size === 0 ? undefined : cores.size;
}

/** The first name any block gives. RISC-V kernels name the microarchitecture instead of the product. */
function modelOf(blocks: readonly Block[]): string | undefined {
  for (const key of ["model name", "uarch"]) {
    const named = blocks.find((block) => (block.get(key) ?? "") !== "");
    if (named !== undefined) return named.get(key)!;
  }
  return undefined;
}

/** T-Head's vendor id with an architecture id of 0: the cores before the ratified vector extension. */
function hasDraftVectors(block: Block): boolean {
  return block.get("mvendorid") === "0x5b7" && block.get("marchid") === "0x0";
}

/** Older 32-bit ARM kernels list the processors in one block and the features once, in another. */
function processorBlocks(blocks: readonly Block[]): Block[] {
  const processors = blocks.filter((block) => /^\d+$/.test(block.get("processor") ?? ""));
  const shared = blocks.find((block) => !processors.includes(block) && block.has("features"));
  if (shared === undefined) return processors;
  return processors.map((block) => (block.has("features") ? block : new Map([...shared, ...block])));
}

/** Read a cpuinfo text. Linear in its length. */
export function parseCpuinfo(text: string): Cpuinfo {
  const blocks = parseBlocks(text);
  const processors = processorBlocks(blocks);
  const flags = intersectFlags(processors);
  const model = modelOf(processors);
  const physicalCores = countCores(processors);
  const lineBytes = parseInteger(processors[0]?.get("clflush size"));
  return {
    processors: processors.length,
    ...(flags === undefined ? {} : { flags }),
    ...(model === undefined ? {} : { model }),
    ...(physicalCores === undefined ? {} : { physicalCores }),
    ...(lineBytes === undefined || lineBytes === 0 ? {} : { lineBytes }),
    ...(processors.some(hasDraftVectors) ? { draftVectors: true } : {}),
  };
}
