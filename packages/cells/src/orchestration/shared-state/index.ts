/** A state that agents change apart and that becomes the same everywhere: counters and maps over Yjs, and their exchange over a topic. */
export { BadUpdateError } from "../errors.ts";
export {
  noSharedState,
  type SharedCounter,
  type SharedMap,
  type SharedPlain,
  SharedState,
  type SharedValue,
  sharedState,
} from "./shared-state.ts";
export { type Sharing, type SharingMessage, type SharingOptions, sharing } from "./sharing.ts";
