/** Deterministic simulation of kernel programs: virtual time, seeded order and faults, trace hashes, exploration and shrinking. */
export {
  checkDeterministic,
  type DeterminismReport,
  type TraceDifference,
  traceDifference,
} from "./determinism.ts";
export {
  BadFaultError,
  BadOptionError,
  BadScenarioError,
  DiskFailureError,
  UnknownScenarioError,
} from "./errors.ts";
export {
  type Exploration,
  type ExploreFailure,
  type ExploreOptions,
  explore,
  type Invariant,
} from "./explore.ts";
export type { Fault, FaultMenu } from "./fault.ts";
export { Fnv1a64 } from "./fnv1a64.ts";
export {
  type ExploreMachinesOptions,
  exploreMachines,
  type MachinesExploration,
  type MachinesFailure,
} from "./machines/explore-machines.ts";
export { drawMachineFaults, type MachineFaultMenu } from "./machines/fault-menu.ts";
export { SIMULATED_DIGESTS, simulatedSigner } from "./machines/keyed-hash.ts";
export type { Boot, Machine, MachineProcess, MachineState, MachinesWorld } from "./machines/machine.ts";
export { endOfFaults, type MachineFault, type StallFlavour } from "./machines/machine-fault.ts";
export type { MachinesSimulation, MessageCounts } from "./machines/machine-run.ts";
export { MACHINE_SCENARIOS, type MachineScenario, machineScenario } from "./machines/machine-scenarios.ts";
export { type NetworkModel, QUIET_NETWORK } from "./machines/network-model.ts";
export {
  MACHINES_MAX,
  type SimulateMachinesOptions,
} from "./machines/simulate-machines.ts";
export { type DiskCode, SimulatedDisk, type SimulatedFile } from "./machines/simulated-disk.ts";
export { NodeClock, type NodeClockOptions } from "./node-clock.ts";
export { type Shrunk, shrinkList } from "./shrink.ts";
export {
  type MicrotaskTurn,
  type SimulatedKernelOptions,
  type SimulateOptions,
  type Simulation,
  type SimulationOutcome,
  simulate,
  simulateAsync,
} from "./simulate.ts";
export { eventLine, type TraceEvent } from "./trace-event.ts";
export { MachineSockets, machineHost } from "./transport/machine-sockets.ts";
export {
  CONNECT_MS,
  HALF_OPEN_MAX,
  KEEPALIVE_MS,
  SESSIONS_MAX,
  SimulatedTransport,
  type SimulatedTransportOptions,
} from "./transport/simulated-transport.ts";
export { digestOf } from "./value-digest.ts";
export { VirtualTime } from "./virtual-time.ts";
export type { Scenario, World } from "./world.ts";
