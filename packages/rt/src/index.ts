/** The embedded runtime: memory pools that allocate nothing. */
export { RtError, type RtErrorCode } from "@glia-os/abi/errors/rt";
export {
  AsleepError,
  BadBlockError,
  BadImageError,
  BadOptionError,
  BadReadingError,
  BadTransitionError,
  DoubleFreeError,
  MemoryLostError,
  OverflowError,
  PoolExhaustedError,
  TooLargeError,
} from "./errors.ts";
export { BUMP_MARKS_MAX, BumpPool, type BumpPoolOptions } from "./pools/bump-pool.ts";
export { FixedBlockPool, type FixedBlockPoolOptions } from "./pools/fixed-block-pool.ts";
export type { PoolPlace, PoolStatistics } from "./pools/pool-memory.ts";
export {
  VariablePool,
  type VariablePoolOptions,
  type VariablePoolStatistics,
} from "./pools/variable-pool.ts";
