/** The status table of README.md, generated from the claims. */
import type { Claim, Status } from "./claims.ts";

const begin = "<!-- status:begin -->";
const end = "<!-- status:end -->";

/** README with the table between its markers replaced, or what is wrong with the markers. */
export function withStatusTable(
  readme: string,
  claims: readonly Claim[],
): string | { readonly problem: string } {
  const from = readme.indexOf(begin);
  const to = readme.indexOf(end);
  if (from < 0 || to < from)
    return {
      problem: `README.md has no place for the status table: a line ${begin} and after it a line ${end}`,
    };
  return `${readme.slice(0, from + begin.length)}\n${statusTable(claims)}\n${readme.slice(to)}`;
}

/** Counts per group, with links to the rows behind them. */
export function statusTable(claims: readonly Claim[]): string {
  const groups = [...Map.groupBy(claims, ({ group }) => group)];
  const count = (rows: readonly Claim[], status: Status): number =>
    rows.filter((claim) => claim.status === status).length;
  const row = (label: string, rows: readonly Claim[]): string =>
    `| ${label} | ${count(rows, "works")} | ${count(rows, "partial")} | ${count(rows, "absent")} |`;
  const works = count(claims, "works");
  const partial = count(claims, "partial");
  return [
    "",
    `Of ${claims.length} capabilities in [docs/claims.md](docs/claims.md), ${works} work, ${partial} work in part and ` +
      `${claims.length - works - partial} are absent. Each that works names the test that proves it.`,
    "",
    "| Part | works | partial | absent |",
    "|---|---:|---:|---:|",
    ...groups.map(([group, rows]) => row(`[${group}](docs/claims.md#${group})`, rows)),
    row("**all**", claims),
    "",
  ].join("\n");
}
