/**
 * Ids of mailboxes: they look like an agent's id and name the node they are on, so that an answer finds the way without coordination.
 *
 * MI1. A mailbox is on one node as long as it is there; it has no row and does not move.
 * MI2. Its first 64 bits are those of its node's id, the other 64 are random. An agent's id is a hash, so that it is taken for a mailbox of one
 *      of n members with probability n / 2^64.
 */
import { type AgentId, type NodeId, toHex } from "@glia-os/abi/ids";
import type { Random } from "@glia-os/abi/ports";
import type { Member } from "../mesh-types.ts";

const HOME_DIGITS = 16;
const RANDOM_BYTES = 8;

/** A new id for a mailbox of a node. */
export function mailboxId(node: NodeId, random: Random): AgentId {
  const rest = toHex(random.bytes(new Uint8Array(RANDOM_BYTES)));
  return `${node.slice(0, HOME_DIGITS)}${rest}` as AgentId;
}

/** The member whose mailbox an id can be; undefined when it is none of a member that may be reached. */
export function homeOf(members: readonly Member[], id: AgentId): NodeId | undefined {
  const home = id.slice(0, HOME_DIGITS);
  const found = members.find(({ node }) => node.startsWith(home));
  return found === undefined || found.state === "dead" || found.state === "left" ? undefined : found.node;
}
