/**
 * The image of a cell as chunks, read from its runner (docs/spec/cell-image.md).
 *
 * IO1. The runner is asked for what comes next as soon as it gave what came before, so that it reads while that is on its way. After the end, and
 *      after a failure, it is asked for nothing more.
 * IO2. Of a cell that is frozen the beginning is asked for together with the freeze, and is there with its answer: all of it, if it is one piece.
 * IO3. Of a cell that runs it is asked again when everything was taken where the cell goes, at most {@link LOOKS_MAX} times: what the cell changed
 *      meanwhile would else be read while it stands still.
 */
import type { AgentId } from "@glia-os/abi/ids";
import { type ChunkSource, JoinedBytes, type PieceSource } from "@glia-os/mesh-core";
import { CHUNK_BYTES } from "./frozen-cell.ts";
import { AHEAD_MARK, lengthOf } from "./image-stream.ts";
import type { CellRunnerPort } from "./runner-port.ts";

/** How often a cell that runs is looked at again. */
export const LOOKS_MAX = 4;

/** Pieces that were asked for, in their order. */
export type AskedPieces = readonly Promise<Uint8Array | undefined>[];

/** Ask for the beginning of an image, and whether there is more, in the turn in which its cell is asked to stand still (IO2, RP5). */
export function askBeginning(runner: Pick<CellRunnerPort, "readImage">, agent: AgentId): AskedPieces {
  return [asked(runner.readImage(agent)), asked(runner.readImage(agent))];
}

/** The head of a frozen cell, then what its runner reads out of it; as one chunk, if both fit into it. `beginning`: what was asked for already. */
export function imageSource(
  runner: Pick<CellRunnerPort, "readImage">,
  agent: AgentId,
  head: Uint8Array,
  beginning: AskedPieces = [],
): ChunkSource {
  const rest = readInTime(() => runner.readImage(agent), beginning);
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
): PieceSource {
  const read = (): Promise<Uint8Array | undefined> => runner.readAhead(agent, leastBytes);
  const ready: (Uint8Array | JoinedBytes)[] = [mark, framed(first)];
  let rest = readInTime(read);
  let looks = 0;
  let ended = false;
  return async (taken) => {
    if (ready.length === 0 && !ended) {
      let piece = await rest();
      if (piece === undefined && taken !== undefined && looks++ < LOOKS_MAX) {
        await taken();
        rest = readInTime(read);
        piece = await rest();
      }
      ended = piece === undefined;
      ready.push(framed(piece));
    }
    return ready.shift();
  };
}

/** A piece behind its length, not copied; without one, the end of the pieces. */
function framed(piece: Uint8Array = new Uint8Array()): JoinedBytes {
  return new JoinedBytes(piece.length === 0 ? [lengthOf(piece)] : [lengthOf(piece), piece]);
}

function concat(one: Uint8Array, other: Uint8Array): Uint8Array {
  const both = new Uint8Array(one.length + other.length);
  both.set(one);
  both.set(other, one.length);
  return both;
}

/** A failure is told to whoever waits for the piece. */
function asked(piece: Promise<Uint8Array | undefined>): Promise<Uint8Array | undefined> {
  piece.catch(() => undefined);
  return piece;
}

/** What `read` gives, of which the next is asked for ahead (IO1), behind what was asked for already. One call at a time. */
function readInTime(read: () => Promise<Uint8Array | undefined>, beginning: AskedPieces = []): ChunkSource {
  const waiting = [...beginning];
  if (waiting.length === 0) waiting.push(asked(read()));
  return async () => {
    const next = waiting[0];
    const piece = await next;
    // After the end, and after a failure, the same is said again.
    if (piece === undefined) return undefined;
    waiting.shift();
    if (waiting.length === 0) waiting.push(asked(read()));
    return piece;
  };
}
