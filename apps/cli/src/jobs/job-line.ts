/** A job as a line for people. */
import type { JobView } from "@glia-os/daemon";

/** `ID  entry  state  attempt  key`, and the error of one that has none. */
export function jobLine({ id, entry, state, attempt, key, error }: JobView): string {
  const begun = attempt === 1 ? "" : `, attempt ${attempt}`;
  const named = key === undefined ? "" : `  ${key}`;
  const why = error === undefined ? "" : `  ${error.message}`;
  return `${id}  ${entry}  ${state}${begun}${named}${why}`;
}
