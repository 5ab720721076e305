/** Whether a value is a result that may be kept: its shape, and what its fields must say together. */
import { readFileSync } from "node:fs";
import { FULL } from "./measure.ts";
import { met } from "./met.ts";
import type { BenchResult, ResultRow } from "./result.ts";
import { schemaErrors } from "./schema.ts";
import { median, rounded } from "./statistics.ts";
import { STEAL_LIMIT_PCT } from "./steal.ts";

const schema = JSON.parse(readFileSync(new URL("../schema.json", import.meta.url), "utf8")) as Record<
  string,
  unknown
>;

/** Everything that is wrong with a result; empty when nothing is. */
export function resultErrors(value: unknown): readonly string[] {
  const shape = schemaErrors(value, schema);
  if (shape.length > 0) return shape;
  const result = value as BenchResult;
  const errors = [...result.rows.flatMap(rowErrors)];
  const ids = result.rows.map(({ id }) => id);
  for (const id of new Set(ids))
    if (ids.indexOf(id) !== ids.lastIndexOf(id)) errors.push(`two rows are called ${id}`);
  return errors;
}

/** Everything that keeps a result from being written to a file: what is wrong, a quick run, a disturbed run, too few rounds. */
export function keepingErrors(value: unknown): readonly string[] {
  const errors = resultErrors(value);
  if (errors.length > 0) return errors;
  const result = value as BenchResult;
  const { stealPct } = result.machine;
  return [
    ...(result.quick === true ? ["it is a quick run"] : []),
    ...(stealPct !== null && stealPct > STEAL_LIMIT_PCT
      ? [`${stealPct} % of processor time was stolen`]
      : []),
    ...result.rows
      .filter(({ samples }) => samples.length < FULL.rounds)
      .map(({ id, samples }) => `${id} has ${samples.length} rounds, fewer than ${FULL.rounds}`),
  ];
}

function rowErrors(row: ResultRow): readonly string[] {
  const errors: string[] = [];
  const peers = Object.keys(row.peers).sort().join(" ");
  if (peers !== Object.keys(row.ratios).sort().join(" "))
    errors.push(`${row.id}: peers and ratios name different peers`);
  if (row.glia !== rounded(median(row.samples)))
    errors.push(`${row.id}: glia is not the median of its samples`);
  if (row.met !== met(row)) errors.push(`${row.id}: met is ${row.met}, its figures say ${met(row)}`);
  return errors;
}
