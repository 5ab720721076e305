export { SeededRandom } from "@glia-os/abi/testing";
export {
  createTestKernel,
  type RunOutcome,
  runToCompletion,
  runWithMicrotasks,
} from "./run-to-completion.ts";
export {
  type RunningTask,
  type TaskEngineCase,
  type TaskEngineSubject,
  taskEngineContract,
} from "./task-engine-contract.ts";
export { VirtualClock } from "./virtual-clock.ts";
