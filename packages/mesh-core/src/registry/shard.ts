/** Which node is responsible for a key of the application's own: rendezvous hashing, so a change of nodes moves few keys. */
import { type NodeId, toHex } from "@glia-os/abi/ids";
import type { Digests } from "@glia-os/abi/ports";
import { ascii, concat } from "../codec/ascii.ts";
import { encodeCbor } from "../codec/cbor.ts";
import { rendezvous } from "./rendezvous.ts";

/**
 * The `count` nodes responsible for `key`, the first one first. Every node that knows the same nodes gets the same answer. When a node comes
 * or goes, only keys it is responsible for change hands: about 1 in n. O(nodes).
 */
export function shard(digests: Digests, key: string, nodes: readonly NodeId[], count = 1): NodeId[] {
  return rendezvous(toHex(digests.sha256(concat(ascii("glia/shard/v1\0"), encodeCbor(key)))), nodes, count);
}
