/** The bytes that a waiting call of `glia.sys.v1` points at, for whoever performs it without the guest's memory. */
import type { GuestRange, PendingCall } from "@glia-os/abi/ports";
import { MESSAGE_CAPABILITIES, SYS_IMPORTS, SYS_MODULE } from "@glia-os/abi/wire";
import type { WasmInstance } from "../engine/instance.ts";

/** Bytes of a pair of `send`: a handle and rights. */
const GRANT_BYTES = 8;
const READS: ReadonlyMap<string, readonly number[]> = new Map(
  SYS_IMPORTS.map(({ name, reads }) => [`${SYS_MODULE}/${name}`, reads]),
);
const SEND = `${SYS_MODULE}/send`;

/** Whether a call is one of `glia.sys.v1`. */
export function isSysCall({ op }: Pick<PendingCall, "op">): boolean {
  return READS.has(op);
}

/**
 * Copies of those ranges: checked when the guest made the call, and again here for one from a snapshot, where what lies outside memory or is longer than
 * a message is left out. While pages of the guest are on the way it waits for those of the ranges. @throws PostCopyLostError
 */
export function callRanges(instance: WasmInstance, { op, args }: PendingCall): readonly GuestRange[] {
  const spans = (READS.get(op) ?? []).map((at): [number, number] => [args[at] ?? 0, args[at + 1] ?? 0]);
  if (op === SEND) spans.push([args[3] ?? 0, GRANT_BYTES * (args[4] ?? 0)]);
  const ranges: GuestRange[] = [];
  let left = instance.limits.messageBytes + GRANT_BYTES * MESSAGE_CAPABILITIES;
  for (const [pointer, length] of spans) {
    left -= length >>> 0;
    if (left < 0) continue;
    instance.needed(pointer >>> 0, length >>> 0);
    const bytes = instance.read(pointer, length);
    if (bytes !== undefined) ranges.push({ pointer: pointer >>> 0, bytes });
  }
  return ranges;
}
