export { createTestKernel, type RunOutcome, runToCompletion } from "./run-to-completion.ts";
export { SeededRandom } from "./seeded-random.ts";
export { VirtualClock } from "./virtual-clock.ts";
