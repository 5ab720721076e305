/** Reference capabilities: values that move, values nobody can change, values that stay, and identities. */
export { arrive, type Crossing, crossThread, type Mark, type ThreadPort } from "./crossing.ts";
export {
  BadCrossingError,
  MovedError,
  NotFreezableError,
  NotIsolableError,
  NotSendableError,
  ValueTooLargeError,
} from "./errors.ts";
export { DEPTH_MAX, PARTS_MAX } from "./rebuild.ts";
export { claim, give, iso, move, ref, Tags, val } from "./reference.ts";
export type { Data, DataOf, Frozen, FrozenBytes, Iso, Moved, Ref, Sendable, Tag, Val } from "./types.ts";
