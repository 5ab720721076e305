/** Doubles for tests: virtual time, seeded randomness and a network in memory. */

export { SeededRandom } from "@glia-os/abi/testing";
export { CALL_FLOOR_MS, CALL_SPREAD_MS, type CallFunction, CallNetwork } from "./call-network.ts";
export {
  CALM,
  type Delivery,
  MemoryNetwork,
  type NetworkFaults,
  type NetworkMember,
  type NetworkProcess,
} from "./memory-network.ts";
export { VIRTUAL_WALL_START_MS, VirtualTime } from "./virtual-time.ts";
