export {
  type AgentId,
  type AgentIdentity,
  agentIdHash,
  agentIdOf,
  parseAgentId,
  type Sha256,
} from "./agent-id.ts";
export type { Brand } from "./brand.ts";
export { type Epoch, type LinkSeq, nextEpoch, toEpoch, toLinkSeq } from "./epoch.ts";
export { fromHex, toHex } from "./hex.ts";
export { type ClusterId, type NodeId, nodeIdOf, parseClusterId, parseNodeId } from "./node-id.ts";
