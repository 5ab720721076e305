/** Deterministic simulation of kernel programs: virtual time, seeded order and faults, trace hashes, exploration and shrinking. */
export {
  checkDeterministic,
  type DeterminismReport,
  type TraceDifference,
  traceDifference,
} from "./determinism.ts";
export { BadFaultError, BadOptionError, BadScenarioError } from "./errors.ts";
export {
  type Exploration,
  type ExploreFailure,
  type ExploreOptions,
  explore,
  type Invariant,
} from "./explore.ts";
export type { Fault, FaultMenu } from "./fault.ts";
export { Fnv1a64 } from "./fnv1a64.ts";
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
export { digestOf } from "./value-digest.ts";
export { VirtualTime } from "./virtual-time.ts";
export type { Scenario, World } from "./world.ts";
