/** The prelude: one import for programs that embed Glia. The command line itself is `main.ts`. */
export { type AgentId, type AgentIdentity, agentIdOf, parseAgentId } from "@glia-os/abi/ids";
export { createNode, type NodeApi, type NodeOptions } from "@glia-os/daemon";
export { type Architecture, detectArchitecture } from "@glia-os/hal";
export { Tensor, type TensorOptions } from "@glia-os/tensor";
