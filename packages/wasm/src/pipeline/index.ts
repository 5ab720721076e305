/** The build-time pipeline: `normalize -> asyncify -> export state`. Needs the optional peer `binaryen`. */

export { PIPELINE_VERSION, type Profile } from "../profile.ts";
export { type CachedModule, type CacheOutcome, instrumentCached } from "./cache.ts";
export { type Instrumented, type InstrumentOptions, instrument } from "./instrument.ts";
