/** Function bodies: where their instructions start, how many locals they have, and writing one with more locals. */
import type { FunctionType } from "./outline.ts";
import { ByteReader } from "./reader.ts";
import { type ByteWriter, u32 } from "./writer.ts";

/** What stands before the instructions of a body. */
export interface BodyHead {
  /** First byte of the first instruction. */
  readonly code: number;
  /** Groups of locals of one type, and where their list starts. */
  readonly groups: number;
  readonly groupsStart: number;
  /** Index of the next local that could be added: parameters and locals. */
  readonly locals: number;
}

/** Read the head of a body. @throws MalformedModuleError */
export function bodyHead(
  bytes: Uint8Array,
  { start, end }: { readonly start: number; readonly end: number },
  type: FunctionType,
): BodyHead {
  const reader = new ByteReader(bytes, start, end);
  const groups = reader.u32();
  const groupsStart = reader.at;
  let locals = type.params.length;
  for (let left = groups; left > 0; left--) {
    locals += reader.u32();
    reader.u8();
  }
  return { code: reader.at, groups, groupsStart, locals };
}

/** Write a body: its size, its locals with one more of each of `types`, and its code. */
export function writeBody(
  out: ByteWriter,
  bytes: Uint8Array,
  head: BodyHead,
  types: readonly number[],
  code: Uint8Array,
): void {
  const groups = bytes.subarray(head.groupsStart, head.code);
  const count = u32(head.groups + types.length);
  const added = types.flatMap((type) => [1, type]);
  out.push(u32(count.length + groups.length + added.length + code.length));
  out.push(count);
  out.push(groups);
  out.push(added);
  out.push(code);
}
