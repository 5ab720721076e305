/** Whether a cell ends with its process: it has neither a journal nor a wish for replicas. */
import type { GateCell } from "./gate-cell.ts";
import { replicaOf } from "./replica/grants.ts";

/** Also of one that just begins. */
export function isBound({ kept, manifest }: GateCell): boolean {
  return kept === undefined && replicaOf(manifest) === undefined;
}
