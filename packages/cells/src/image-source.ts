/** The image of a cell as chunks, read from its runner (docs/spec/cell-image.md). */
import type { AgentId } from "@glia-os/abi/ids";
import type { ChunkSource } from "@glia-os/mesh-core";
import { CHUNK_BYTES } from "./frozen-cell.ts";
import { AHEAD_MARK, framedPiece } from "./image-stream.ts";
import type { CellRunnerPort } from "./runner-port.ts";

/** The head of a frozen cell, then what its runner reads out of it. */
export function imageSource(
  runner: Pick<CellRunnerPort, "readImage">,
  agent: AgentId,
  head: Uint8Array,
): ChunkSource {
  let at = 0;
  return async () => {
    if (at >= head.length) return runner.readImage(agent);
    const chunk = head.subarray(at, at + CHUNK_BYTES);
    at += chunk.length;
    return chunk;
  };
}

/** Of a cell that runs: the mark, the pieces with their lengths, and their end. */
export function piecesSource(
  runner: Pick<CellRunnerPort, "readAhead">,
  agent: AgentId,
  leastBytes: number,
  first: Uint8Array,
): ChunkSource {
  const ready: Uint8Array[] = [AHEAD_MARK, framedPiece(first)];
  let ended = false;
  return async () => {
    if (ready.length === 0 && !ended) {
      const piece = await runner.readAhead(agent, leastBytes);
      ended = piece === undefined;
      ready.push(framedPiece(piece));
    }
    return ready.shift();
  };
}
