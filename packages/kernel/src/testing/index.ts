export {
  createTestKernel,
  type RunOutcome,
  runToCompletion,
  runWithMicrotasks,
} from "./run-to-completion.ts";
export { SeededRandom } from "./seeded-random.ts";
export { VirtualClock } from "./virtual-clock.ts";
