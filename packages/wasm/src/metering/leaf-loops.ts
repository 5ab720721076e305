/**
 * Innermost loops in which nothing can be suspended: asyncify would slow their every turn for the one place where the guest may
 * yield. They are wrapped in another loop that has that place instead.
 *
 *   again := 0
 *   loop outside
 *     check 1; if again then yield(cost + 1)
 *     loop inside
 *       check cost; if due then { if not again then { again := 1; continue outside }; again := 0 }
 *       ... the loop as it was ...
 *
 * LL1. A turn that is left for `outside` is charged again when it starts anew; the yield names that amount, and the host takes
 *      it off. So the fuel of a program does not depend on where it was stopped.
 * LL2. After a yield one turn runs even if the next slice is too short for it: slices of one unit make progress.
 * LL3. Branches out of the loop count one more level; results pass through, and loops with parameters are left alone.
 */
import { type Instructions, OP } from "../binary/instruction.ts";
import { ByteReader } from "../binary/reader.ts";
import type { Edit } from "../binary/rewrite-code.ts";
import { u32 } from "../binary/writer.ts";

/** One such loop: the bytes of its `loop` instruction, and where its `end` lies. */
export interface LeafLoop {
  readonly start: number;
  /** First byte of the body. */
  readonly header: number;
  /** First byte after its `end`. */
  readonly end: number;
  /** The branches in it, counting one more level: to be made only where the loop is wrapped, which in dead code it is not. */
  readonly branches: readonly Edit[];
}

interface Open {
  readonly start: number;
  readonly header: number;
  leaf: boolean;
  readonly branches: Edit[];
}

/** Those of a body, by header. `suspends` says whether an instruction may suspend; `parameters` whether a block type has any. O(code size). */
export function leafLoops(
  bytes: Uint8Array,
  code: Instructions,
  suspends: (code: Instructions) => boolean,
  parameters: (blockType: ByteReader) => boolean,
): ReadonlyMap<number, LeafLoop> {
  const loops = new Map<number, LeafLoop>();
  const open: Open[] = [];
  while (code.next()) {
    const { opcode, start, end } = code;
    if (opcode === OP.loop) for (const one of open) one.leaf = false;
    if (opcode === OP.block || opcode === OP.loop || opcode === OP.if) {
      const leaf = opcode === OP.loop && !parameters(new ByteReader(bytes, start + 1, end));
      open.push({ start, header: end, leaf, branches: [] });
    } else if (opcode === OP.end) {
      const closed = open.pop();
      if (closed?.leaf !== true) continue;
      const { start, header, branches } = closed;
      loops.set(header, { start, header, end, branches });
    } else if (suspends(code)) for (const one of open) one.leaf = false;
    else if (opcode === OP.br || opcode === OP.brIf || opcode === OP.brTable) {
      const at = open.findLastIndex(({ leaf }) => leaf);
      const loop = open[at];
      if (loop !== undefined) loop.branches.push(deeper(bytes, code, open.length - 1 - at));
    }
  }
  return loops;
}

/** The branch with labels beyond `own`, the level of the loop itself, one further out (LL3). */
function deeper(bytes: Uint8Array, { start, end, opcode }: Instructions, own: number): Edit {
  const reader = new ByteReader(bytes, start + 1, end);
  const out: number[] = [opcode];
  if (opcode === OP.brTable) {
    const count = reader.count();
    out.push(...u32(count));
    for (let left = count; left > 0; left--) out.push(...moved(reader.u32(), own));
  }
  out.push(...moved(reader.u32(), own));
  return { start, end, bytes: out };
}

function moved(label: number, own: number): number[] {
  return u32(label > own ? label + 1 : label);
}
