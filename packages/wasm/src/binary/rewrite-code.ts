/** Copies code with bytes put in and taken out at instruction boundaries, and functions called by new indices. */
import { Instructions, OP } from "./instruction.ts";
import { ByteWriter, u32 } from "./writer.ts";

/** Bytes `start` to `end` of the code are replaced by `bytes`; `start` equals `end` to insert. */
export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly bytes: readonly number[];
}

/**
 * The instructions from `start` to `end` with `edits` applied, which are in order, lie on instruction boundaries and do not
 * overlap. Calls and references outside of them go through `moved`. O(code size).
 */
export function rewriteCode(
  bytes: Uint8Array,
  start: number,
  end: number,
  edits: readonly Edit[],
  moved: (index: number) => number,
): Uint8Array {
  const out = new ByteWriter(end - start + 64);
  const code = new Instructions(bytes, start, end);
  let copied = start;
  let next = 0;
  const copy = (to: number): void => {
    if (to > copied) out.push(bytes.subarray(copied, to));
    copied = Math.max(copied, to);
  };
  const apply = (until: number): void => {
    for (let edit = edits[next]; edit !== undefined && edit.start <= until; edit = edits[++next]) {
      copy(edit.start);
      out.push(edit.bytes);
      copied = Math.max(copied, edit.end);
    }
  };
  while (code.next()) {
    apply(code.start);
    if (code.start < copied || (code.opcode !== OP.call && code.opcode !== OP.refFunc)) continue;
    copy(code.start);
    out.push([code.opcode, ...u32(moved(code.immediate))]);
    copied = code.end;
  }
  apply(end);
  copy(end);
  return out.done();
}
