/** Members by the first byte of their id: the parts of a table that are compared one by one. */
import type { NodeId } from "@glia-os/abi/ids";

/** Parts of a table. */
export const BUCKETS = 256;

/** The bucket of a node. */
export function bucketOf(node: NodeId): number {
  return Number.parseInt(node.slice(0, 2), 16);
}
