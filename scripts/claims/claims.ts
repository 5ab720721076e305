/**
 * The table of claims as data.
 *
 * A claim is a row `| id | text | status | proof |` below a heading `## group`; its id is `group.name`. What does not have that
 * form is a problem with its line, never skipped: a row that nobody parses would be a claim that nobody checks.
 */

/** How far a capability is there. */
export type Status = "works" | "partial" | "absent";

/** A test by its file and words of its title, or a row of a benchmark's result. */
export type Proof =
  | { readonly kind: "test"; readonly file: string; readonly title: string }
  | { readonly kind: "bench"; readonly file: string; readonly row: string };

/** One row. */
export interface Claim {
  readonly id: string;
  readonly group: string;
  readonly text: string;
  readonly status: Status;
  readonly proofs: readonly Proof[];
  readonly line: number;
}

/** What is wrong, and at which line of the page. */
export interface Problem {
  readonly line: number;
  readonly message: string;
}

/** Every claim of the page, and what could not be read. */
export function parseClaims(text: string): { claims: Claim[]; problems: Problem[] } {
  const claims: Claim[] = [];
  const problems: Problem[] = [];
  let group = "";
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    const heading = /^## (\S+)\s*$/.exec(raw);
    if (heading !== null) group = heading[1] ?? "";
    if (!raw.startsWith("|") || /^\|\s*(claim\b|-)/.test(raw)) continue;
    const row = parseRow(raw, group, index + 1);
    if ("message" in row) problems.push(row);
    else claims.push(row);
  }
  return { claims, problems: [...problems, ...ruleProblems(claims)] };
}

function parseRow(raw: string, group: string, line: number): Claim | Problem {
  const cells = raw
    .split("|")
    .slice(1, -1)
    .map((cell) => cell.trim());
  const [id = "", text = "", status = "", proof = ""] = cells;
  if (cells.length !== 4)
    return {
      line,
      message: `a row has 4 cells: claim, what must be true, status, proof; this one has ${cells.length}`,
    };
  if (!/^[a-z][a-z0-9-]*\.[a-z0-9-]+$/.test(id))
    return { line, message: `"${id}" is no claim id, such as ${group || "kernel"}.spawn` };
  if (!id.startsWith(`${group}.`)) return { line, message: `${id} stands under "${group}"` };
  if (status !== "works" && status !== "partial" && status !== "absent") {
    return { line, message: `${id} has status "${status}"; it is works, partial or absent` };
  }
  const proofs = proof === "" ? [] : proof.split(/<br\s*\/?>/).map((one) => parseProof(one.trim()));
  if (proofs.includes(undefined)) {
    const form = "`path/to/file.test.ts > words of its title` or `bench/results/NAME.json#row-id`";
    return { line, message: `${id} has a proof that is not written as ${form}` };
  }
  return { id, group, text, status, proofs: proofs.filter((one) => one !== undefined), line };
}

function parseProof(text: string): Proof | undefined {
  const test = /^`([^`>]+\.ts) > ([^`]+)`$/.exec(text);
  if (test !== null) return { kind: "test", file: test[1] ?? "", title: test[2] ?? "" };
  const bench = /^`(bench\/results\/[\w-]+\.json)#([\w-]+)`$/.exec(text);
  return bench === null ? undefined : { kind: "bench", file: bench[1] ?? "", row: bench[2] ?? "" };
}

function ruleProblems(claims: readonly Claim[]): Problem[] {
  const seen = new Set<string>();
  return claims.flatMap(({ id, status, proofs, text, line }) => {
    const problems: Problem[] = [];
    if (seen.has(id)) problems.push({ line, message: `${id} is there twice` });
    seen.add(id);
    if (text === "") problems.push({ line, message: `${id} does not say what must be true` });
    if (status !== "absent" && proofs.length === 0)
      problems.push({ line, message: `${id} is "${status}" without a proof` });
    if (status === "absent" && proofs.length > 0)
      problems.push({ line, message: `${id} is "absent" but names a proof` });
    if (status === "partial" && !text.includes("Missing: ")) {
      problems.push({
        line,
        message: `${id} is "partial" and does not say what is missing ("Missing: ...")`,
      });
    }
    return problems;
  });
}
