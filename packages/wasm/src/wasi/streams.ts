/**
 * Standard output and standard error of a WASI guest.
 *
 * O1. A host that takes raw output gets the bytes as they are written; another gets them line by line in its log, standard output
 *     as `info` and standard error as `warn`. A line of more than 4096 bytes is logged in pieces cut between code points.
 * O2. A write past the guest's output limit is refused as a whole (`nospc`). One that its log budget ends in the middle of is
 *     refused too, with the lines before in the log and the rest lost.
 */

import type { GuestAccess } from "@glia-os/abi/ports";
import { ERRNO, type Errno } from "./errno.ts";
import type { WasiState } from "./state.ts";

/** The streams a guest may write to. */
export type Stream = 1 | 2;

const LEVELS: Readonly<Record<Stream, number>> = { 1: 2, 2: 3 };
const LINE_BYTES = 4096;
const NEWLINE = 0x0a;
const utf8 = new TextDecoder("utf-8");

/** Write bytes that are the guest's (they are copied). */
export function writeStream(
  state: WasiState,
  access: GuestAccess,
  stream: Stream,
  pieces: readonly Uint8Array[],
): Errno {
  const bytes = pieces.reduce((sum, { length }) => sum + length, 0);
  if (bytes > state.outputLeft) return ERRNO.nospc;
  const { host } = access;
  const whole = joined(host.output === undefined ? [state.partial[stream], ...pieces] : pieces);
  if (host.output !== undefined) {
    if (bytes > 0) host.output(stream, whole);
  } else {
    const { lines, rest } = linesOf(whole);
    for (const line of lines) if (!access.log(LEVELS[stream], utf8.decode(line))) return ERRNO.nospc;
    state.partial[stream] = rest.slice();
  }
  state.outputLeft -= bytes;
  return ERRNO.success;
}

/** Log what stands after the last line end, when the guest has ended. */
export function flushStreams(state: WasiState, access: GuestAccess): void {
  for (const stream of [1, 2] as const) {
    const rest = state.partial[stream];
    if (rest.length > 0) access.log(LEVELS[stream], utf8.decode(rest));
    state.partial[stream] = new Uint8Array();
  }
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

function linesOf(bytes: Uint8Array): { readonly lines: readonly Uint8Array[]; readonly rest: Uint8Array } {
  const lines: Uint8Array[] = [];
  let from = 0;
  for (;;) {
    const end = bytes.indexOf(NEWLINE, from);
    const stop = end < 0 ? bytes.length : end;
    while (stop - from > LINE_BYTES) {
      const cut = cutBefore(bytes, from + LINE_BYTES);
      lines.push(bytes.subarray(from, cut));
      from = cut;
    }
    if (end < 0) return { lines, rest: bytes.subarray(from) };
    lines.push(bytes.subarray(from, end));
    from = end + 1;
  }
}

/** The last place at or before `at`, at most three bytes back, where no code point is cut. */
function cutBefore(bytes: Uint8Array, at: number): number {
  for (let back = 0; back < 4; back++) if (((bytes[at - back] ?? 0) & 0xc0) !== 0x80) return at - back;
  return at;
}
