/** Doubles for tests: virtual time, seeded randomness and a network in memory. */

export { SeededRandom } from "@glia-os/abi/testing";
export { CALL_FLOOR_MS, CALL_SPREAD_MS, type CallFunction, CallNetwork } from "./call-network.ts";
export { DetectionTimes, quantile } from "./detection-times.ts";
export {
  type MembershipBounds,
  MembershipChecker,
  type MembershipWorld,
} from "./membership-properties.ts";
export {
  type MembershipSimulation,
  type MembershipSimulationOptions,
  membershipBounds,
  membershipSimulation,
} from "./membership-simulation.ts";
export {
  CALM,
  type Delivery,
  MemoryNetwork,
  type NetworkFaults,
  type NetworkMember,
  type NetworkProcess,
} from "./memory-network.ts";
export {
  type MembershipMachine,
  SimulatedMember,
  SimulatedMembership,
  type SimulatedMembershipOptions,
} from "./simulated-membership.ts";
export {
  type MeshMachine,
  type MeshSimulationOptions,
  type MeshSockets,
  SimulatedMesh,
  SimulatedNode,
} from "./simulated-mesh.ts";
export { VIRTUAL_WALL_START_MS, VirtualTime } from "./virtual-time.ts";
