/** Whether a proof exists, and how it ended in a run of the tests. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import type { TestOutcome } from "../suite/outcomes.ts";
import type { Claim, Problem, Proof } from "./claims.ts";

/** A problem for every proof whose file, title or row is not there. */
export function missingProofs(root: string, claims: readonly Claim[]): Problem[] {
  return claims.flatMap(({ id, proofs, line }) =>
    proofs.flatMap((proof) => {
      const missing =
        proof.kind === "test"
          ? missingTest(root, proof.file, proof.title)
          : missingRow(root, proof.file, proof.row);
      return missing === undefined ? [] : [{ line, message: `${id}: ${missing}` }];
    }),
  );
}

/**
 * What a run says about the claims: a proof that failed or did not run at all is a problem, a skipped one is a remark. A proof
 * in a file of shared suites is looked for by its title in every file.
 */
export function judgeOutcomes(
  claims: readonly Claim[],
  outcomes: readonly TestOutcome[],
): { problems: Problem[]; skipped: string[] } {
  const problems: Problem[] = [];
  const skipped: string[] = [];
  for (const { id, proofs, line } of claims) {
    for (const proof of proofs) {
      if (proof.kind !== "test") continue;
      const ran = outcomes.filter((outcome) => proves(proof, outcome));
      if (ran.some(({ state }) => state === "failed"))
        problems.push({ line, message: `${id}: its proof failed: ${proof.title}` });
      else if (ran.length === 0)
        problems.push({ line, message: `${id}: its proof did not run: ${proof.file} > ${proof.title}` });
      else if (ran.every(({ state }) => state === "skipped")) {
        const reason = ran.find((outcome) => outcome.reason !== undefined)?.reason;
        skipped.push(
          `${id}: its proof was skipped${reason === undefined ? "" : ` (${reason})`}: ${proof.title}`,
        );
      }
    }
  }
  return { problems, skipped };
}

function proves(proof: Extract<Proof, { kind: "test" }>, outcome: TestOutcome): boolean {
  const inFile = !proof.file.endsWith(".test.ts") || proof.file === outcome.file;
  return inFile && outcome.name.includes(proof.title);
}

function missingTest(root: string, file: string, title: string): string | undefined {
  if (!existsSync(join(root, file))) return `the test file ${file} does not exist`;
  const found = titles(file, readFileSync(join(root, file), "utf8")).some((one) => one.includes(title));
  return found ? undefined : `${file} has no test whose title contains "${title}"`;
}

/** The text that stands where a call of `test`, `it`, `describe` or their variants has its title. */
function titles(path: string, text: string): string[] {
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    const first =
      ts.isCallExpression(node) && /^(test|it|describe|suite)\b/.test(node.expression.getText())
        ? node.arguments[0]
        : undefined;
    if (first !== undefined && ts.isStringLiteralLike(first)) found.push(first.text);
    else if (first !== undefined && ts.isTemplateExpression(first)) {
      found.push(first.head.text, ...first.templateSpans.map(({ literal }) => literal.text));
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true));
  return found;
}

function missingRow(root: string, file: string, row: string): string | undefined {
  if (!existsSync(join(root, file))) return `the result ${file} does not exist; run the benchmark`;
  const result = JSON.parse(readFileSync(join(root, file), "utf8")) as {
    rows?: { id?: string; met?: boolean | null }[];
  };
  const found = result.rows?.find(({ id }) => id === row);
  if (found === undefined) return `${file} has no row "${row}"`;
  return found.met === false ? `${file}#${row} misses its target` : undefined;
}
