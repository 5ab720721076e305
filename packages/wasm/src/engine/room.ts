/** How much memory a new guest gets, and whether it can be that of a guest before it. */
import type { EngineLimits } from "@glia-os/abi/ports";
import { HOST_MODULE } from "@glia-os/abi/wire";
import { MemoryLimitError } from "../errors.ts";
import { FUEL_MODULE, PAGE_BYTES } from "../layout.ts";
import type { LinearMemory } from "../web-assembly.ts";
import { reserveMemory } from "./body.ts";
import type { Program } from "./program.ts";

/** Memory for one guest: pages now, pages at most, and the memory itself unless one that was used before will do. */
export interface Room {
  readonly pages: number;
  readonly maximum: number;
  readonly memory: LinearMemory | undefined;
}

/** Room for a guest that starts with `initial`: a memory that is filled already, or so many pages, or the least it can do with. */
export function roomFor(
  { shape }: Program,
  limits: EngineLimits,
  initial: number | LinearMemory | undefined,
): Room {
  const filled = typeof initial === "object" ? initial : undefined;
  const pages =
    typeof initial === "object" ? initial.buffer.byteLength / PAGE_BYTES : (initial ?? shape.memory.minimum);
  if (pages > limits.memoryPages) throw new MemoryLimitError(pages, limits.memoryPages);
  const maximum = Math.min(shape.memory.maximum, limits.memoryPages);
  // Host modules may look at the memory when they are opened; without any, a memory that was used before will do.
  const plain = shape.imports.every(({ module }) => module === HOST_MODULE || module === FUEL_MODULE);
  const memory = filled ?? (plain ? undefined : reserveMemory(pages, maximum));
  return { pages, maximum, memory };
}
