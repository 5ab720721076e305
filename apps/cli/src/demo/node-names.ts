/** The three nodes of the demo. */

/** The processes, in the order they are shown. The client is not one of them. */
export const NODE_NAMES = ["core", "relay", "edge"] as const;

/** One of {@link NODE_NAMES}; also the node's role. */
export type NodeName = (typeof NODE_NAMES)[number];
