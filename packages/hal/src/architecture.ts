/** Which instruction set a program runs on. */
import { endianness } from "node:os";

/**
 * Every architecture a {@link HardwareProfile} can name. `unknown` is a processor this table does not list.
 */
export const ARCHITECTURES = [
  "x86_64",
  "x86",
  "aarch64",
  "arm",
  "arm-cortex-m",
  "riscv64",
  "riscv32",
  "loongarch64",
  "ppc64",
  "ppc64le",
  "s390x",
  "mips",
  "mipsel",
  "xtensa",
  "unknown",
] as const;

/** The name of an instruction set architecture. */
export type Architecture = (typeof ARCHITECTURES)[number];

/** Node's names (`process.arch`) and ours. */
const BY_NODE_NAME: Readonly<Record<string, Architecture>> = {
  x64: "x86_64",
  ia32: "x86",
  arm64: "aarch64",
  arm: "arm",
  riscv64: "riscv64",
  loong64: "loongarch64",
  s390x: "s390x",
  mips: "mips",
  mipsel: "mipsel",
};

/**
 * The architecture this process was compiled for. Under an emulator (Rosetta 2, qemu-user) that is the
 * emulated one, which is what matters to code that runs here.
 * @param nodeName the runtime's name for it; default `process.arch`.
 * @param byteOrder the processor's byte order; tells the two kinds of POWER apart. Default: this machine's.
 */
export function detectArchitecture(
  nodeName: string = process.arch,
  byteOrder: "BE" | "LE" = endianness(),
): Architecture {
  if (nodeName === "ppc64") return byteOrder === "LE" ? "ppc64le" : "ppc64";
  return Object.hasOwn(BY_NODE_NAME, nodeName) ? BY_NODE_NAME[nodeName]! : "unknown";
}
