/** Judging a row by its target. */
import type { ResultRow } from "./result.ts";
import type { Target } from "./suite.ts";

/** What judging needs of a row. */
export type Judged = Pick<ResultRow, "glia" | "unit" | "ratios" | "target">;

/** The peers that a target names and the row has no ratio for. */
export function missingPeers({ target, ratios }: Pick<Judged, "target" | "ratios">): readonly string[] {
  return Object.keys(target.ratio ?? {}).filter((peer) => ratios[peer] === undefined);
}

/** Each condition of the target that does not hold, as a sentence. Conditions on missing peers are left out. */
export function shortfalls({ glia, unit, ratios, target }: Judged): readonly string[] {
  const found: string[] = [];
  if (target.max !== undefined && glia > target.max)
    found.push(`${glia} ${unit} is above ${target.max} ${unit}`);
  if (target.min !== undefined && glia < target.min)
    found.push(`${glia} ${unit} is below ${target.min} ${unit}`);
  for (const [peer, wanted] of Object.entries(target.ratio ?? {})) {
    const ratio = ratios[peer];
    if (ratio !== undefined && ratio < wanted) found.push(`${ratio} times ${peer} is below ${wanted} times`);
  }
  return found;
}

/** Whether a target has any condition. */
export function hasTarget(target: Target): boolean {
  return target.max !== undefined || target.min !== undefined || Object.keys(target.ratio ?? {}).length > 0;
}

/** `true` or `false` for a target that could be judged; `null` when a peer of it is missing or there is no target. */
export function met(row: Judged): boolean | null {
  if (!hasTarget(row.target) || missingPeers(row).length > 0) return null;
  return shortfalls(row).length === 0;
}
