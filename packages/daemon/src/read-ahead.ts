/** Reading agents while they run, by the pre-copy of `@glia-os/wasm` (docs/spec/precopy.md). */
import { hasErrorCode } from "@glia-os/abi/errors";
import type { AheadCodec, ReadingAhead } from "@glia-os/cells";
import {
  PieceMemory,
  PreCopySource,
  PreCopyTarget,
  type WasmInstance,
  type WasmProgram,
} from "@glia-os/wasm";
import { joinedPieces } from "./joined-pieces.ts";

/** What guests are refused with that can only be read while they stand still: of the profile `none`, and before their first step. */
const ONLY_FROZEN = ["wasm.not-instrumented", "wasm.not-pending"] as const;
/** While the guest runs: it waits for as much between two of its steps, about half a millisecond. What crosses costs each thread a turn, however long it is. */
const RUNNING = { least: 384 * 1024, most: 512 * 1024 };
/** While it stands still: the longest piece that crosses. */
const STANDING = { least: 1024 * 1024, most: 1024 * 1024 };

/** The codec of nodes, whose programs and instances all come from the engine of `@glia-os/wasm`. */
export const readAhead: AheadCodec = {
  async read(program, instance) {
    try {
      const guest = instance as WasmInstance;
      // One that came by post-copy is in memory that two threads shared.
      return reading(guest, await (program as WasmProgram).tracking(guest.shared ? "shared" : "private"));
    } catch (error) {
      if (ONLY_FROZEN.some((code) => hasErrorCode(error, code))) return undefined;
      throw error;
    }
  },
  arrive: (program, limits, host) => new PreCopyTarget(program as WasmProgram, limits, host),
};

function reading(
  instance: WasmInstance,
  tracking: Awaited<ReturnType<WasmProgram["tracking"]>>,
): ReadingAhead {
  const pieces = new PieceMemory();
  const source = new PreCopySource(instance, tracking, { pieces });
  const done = (piece: Uint8Array): void => pieces.give(piece);
  const running = joinedPieces(() => source.next(), RUNNING, done);
  return {
    next: () => running.next().value ?? undefined,
    last: () => {
      const rest = source.last();
      return joinedPieces(() => rest.next().value ?? undefined, STANDING, done);
    },
    cancel: () => source.cancel(),
  };
}
