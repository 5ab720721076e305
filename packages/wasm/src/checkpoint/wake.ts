/**
 * Puts a guest back from an increment, straight into the memory it goes on in.
 *
 * WK1. The guest is the one that {@link applyIncrement} and a restore of its image would give.
 * WK2. Nothing of a refused increment runs: the memory it was put into goes back to the spare ones, and the next guest finds nothing of it.
 */
import type { EngineLimits, GuestHost } from "@glia-os/abi/ports";
import { HOST_MODULE } from "@glia-os/abi/wire";
import { WasmInstance } from "../engine/instance.ts";
import type { Program } from "../engine/program.ts";
import { SnapshotMismatchError } from "../errors.ts";
import { FUEL_MODULE, PAGE_BYTES } from "../layout.ts";
import { type Checkpoint, type DecodeLimits, SnapshotDecoder, sectionIn } from "../snapshot/decode.ts";
import { applyIncrement } from "../snapshot/increment.ts";
import { SparseImage } from "../sparse-image.ts";

/** What the memory of a base holds; looked for once. */
const images = new WeakMap<Checkpoint, SparseImage>();

function imageOf(base: Checkpoint): SparseImage {
  const known = images.get(base);
  if (known !== undefined) return known;
  const made = SparseImage.of(sectionIn(base.image, "memory") ?? new Uint8Array());
  images.set(base, made);
  return made;
}

/**
 * A guest in the state after `increment`. Costs a copy of what is not zero in the base's memory and the decoding of the increment.
 * @throws as {@link applyIncrement}, and as restoring its image
 */
export function wakeInstance(
  program: Program,
  number: number,
  { base, increment }: { readonly base: Checkpoint; readonly increment: Uint8Array },
  limits: EngineLimits,
  host: GuestHost,
  decodeLimits: DecodeLimits = {},
): WasmInstance {
  // Host modules are opened with their state, which comes out of the increment.
  const opensModules = program.shape.imports.some(
    ({ module }) => module !== HOST_MODULE && module !== FUEL_MODULE,
  );
  if (opensModules) {
    const { image } = applyIncrement(base, increment, decodeLimits);
    return WasmInstance.restored(program, number, image, limits, host);
  }
  let ready: WasmInstance | undefined;
  const place = (name: string, length: number): Uint8Array | undefined => {
    if (name !== "memory") return undefined;
    const pages = length / PAGE_BYTES;
    const { minimum, maximum } = program.shape.memory;
    if (!Number.isInteger(pages) || pages < minimum || pages > maximum)
      throw new SnapshotMismatchError("section memory", `${pages} pages`, `${minimum} to ${maximum}`);
    ready = new WasmInstance(program, number, limits, host, pages);
    const memory = new Uint8Array(ready.memory.buffer);
    imageOf(base).fill(memory);
    return memory;
  };
  try {
    const decoder = new SnapshotDecoder(decodeLimits, base, place);
    decoder.push(increment);
    return WasmInstance.restored(program, number, decoder.finish(), limits, host, ready);
  } catch (error) {
    ready?.dispose();
    throw error;
  }
}
