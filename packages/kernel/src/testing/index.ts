export { SeededRandom } from "@glia-os/abi/testing";
export {
  createTestKernel,
  type RunOutcome,
  runToCompletion,
  runWithMicrotasks,
} from "./run-to-completion.ts";
export { VirtualClock } from "./virtual-clock.ts";
