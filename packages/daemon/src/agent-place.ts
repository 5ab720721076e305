/** Where an agent is, by whom. */
import type { AgentId, Epoch, NodeId } from "@glia-os/abi/ids";

/** Where an agent is. */
export interface AgentPlace {
  readonly agent: AgentId;
  readonly owner: NodeId;
  /** The registry's hint. */
  readonly registry: { readonly owner: NodeId; readonly epoch: Epoch; readonly hops: number } | undefined;
  /** The truth, when coordination answers. */
  readonly coordination: { readonly owner: NodeId; readonly epoch: Epoch } | undefined;
}
