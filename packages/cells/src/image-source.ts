/**
 * The image of a cell as chunks, read from its runner (docs/spec/cell-image.md).
 *
 * IO1. The runner is asked for what comes next as soon as it gave what came before, so that it reads while that is on its way. After the end, and
 *      after a failure, it is asked for nothing more.
 */
import type { AgentId } from "@glia-os/abi/ids";
import type { ChunkSource } from "@glia-os/mesh-core";
import { CHUNK_BYTES } from "./frozen-cell.ts";
import { AHEAD_MARK, framedPiece } from "./image-stream.ts";
import type { CellRunnerPort } from "./runner-port.ts";

/** The head of a frozen cell, then what its runner reads out of it; as one chunk, if both fit into it. */
export function imageSource(
  runner: Pick<CellRunnerPort, "readImage">,
  agent: AgentId,
  head: Uint8Array,
): ChunkSource {
  const rest = readInTime(() => runner.readImage(agent));
  let left = head;
  let held: Uint8Array | undefined;
  return async () => {
    if (held !== undefined) {
      const chunk = held;
      held = undefined;
      return chunk;
    }
    if (left.length === 0) return rest();
    const chunk = left.subarray(0, CHUNK_BYTES);
    left = left.subarray(chunk.length);
    const first = left.length > 0 ? undefined : await rest();
    if (first === undefined) return chunk;
    if (chunk.length + first.length <= CHUNK_BYTES) return concat(chunk, first);
    held = first;
    return chunk;
  };
}

/** Of a cell that runs: the mark, the pieces with their lengths, and their end. */
export function piecesSource(
  runner: Pick<CellRunnerPort, "readAhead">,
  agent: AgentId,
  leastBytes: number,
  first: Uint8Array,
  mark: Uint8Array = AHEAD_MARK,
): ChunkSource {
  const rest = readInTime(() => runner.readAhead(agent, leastBytes));
  const ready: Uint8Array[] = [mark, framedPiece(first)];
  let ended = false;
  return async () => {
    if (ready.length === 0 && !ended) {
      const piece = await rest();
      ended = piece === undefined;
      ready.push(framedPiece(piece));
    }
    return ready.shift();
  };
}

function concat(one: Uint8Array, other: Uint8Array): Uint8Array {
  const both = new Uint8Array(one.length + other.length);
  both.set(one);
  both.set(other, one.length);
  return both;
}

/** What `read` gives, of which the next is asked for ahead (IO1). One call at a time. */
function readInTime(read: () => Promise<Uint8Array | undefined>): ChunkSource {
  const ask = (): Promise<Uint8Array | undefined> => {
    const asked = read();
    // A failure is told to whoever asks next.
    asked.catch(() => undefined);
    return asked;
  };
  let next = ask();
  return async () => {
    const piece = await next;
    if (piece !== undefined) next = ask();
    return piece;
  };
}
