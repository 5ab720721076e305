/**
 * Every test runs. `.only` hides the others and is never committed. A test is skipped only with a reason that the report
 * prints: `context.skip(condition, "reason")` while it runs, or `skipIf`/`runIf` whose title says what it needs ("needs etcd", "skipped where
 * strace is not installed").
 */
import ts from "typescript";
import type { Finding, Rule } from "../rule.ts";
import { lineOf } from "../tree.ts";

const blocks = new Set(["test", "it", "describe", "suite", "bench"]);
const focused = new Set(["fit", "fdescribe", "ftest"]);
const disabled = new Set(["xit", "xtest", "xdescribe"]);
const reasonFix = 'use context.skip(condition, "reason"), or skipIf/runIf with "needs ..." in the title';

export const testsRun: Rule = {
  name: "tests-run",
  absolute: true,
  check(tree) {
    const paths = tree.paths.filter(
      (path) => /\.(test|spec|contract)\.ts$/.test(path) || /\/src\/testing\/.*\.ts$/.test(path),
    );
    return paths.flatMap((path) => {
      const file = tree.parse(path);
      const findings: Finding[] = [];
      const visit = (node: ts.Node): void => {
        const found = ts.isCallExpression(node) ? judge(node) : undefined;
        if (found !== undefined)
          findings.push({ file: path, line: lineOf(file, node.getStart(file)), ...found });
        ts.forEachChild(node, visit);
      };
      visit(file);
      return findings;
    });
  },
};

function judge(call: ts.CallExpression): { message: string; fix: string } | undefined {
  const called = call.expression;
  if (ts.isIdentifier(called)) {
    if (focused.has(called.text))
      return { message: `${called.text} hides every other test`, fix: "remove the f" };
    if (called.text === "skip" && !givesReason(call))
      return { message: "skip without a reason", fix: reasonFix };
    if (disabled.has(called.text))
      return { message: `${called.text} skips a test without a reason`, fix: reasonFix };
    return undefined;
  }
  const conditional = ts.isCallExpression(called) ? modifierOf(called.expression) : undefined;
  if (conditional?.modifier === "skipIf" || conditional?.modifier === "runIf") {
    if (/needs |skipped (where|on|unless|without) /.test(titleOf(call))) return undefined;
    return { message: `${conditional.modifier} has a title that does not say what it needs`, fix: reasonFix };
  }
  const modifier = modifierOf(called);
  if (modifier === undefined) return undefined;
  if (modifier.modifier === "only") return { message: ".only hides every other test", fix: "remove .only" };
  if (modifier.modifier !== "skip" && modifier.modifier !== "todo") return undefined;
  if (modifier.modifier === "skip" && !modifier.isBlock && givesReason(call)) return undefined;
  return { message: `.${modifier.modifier} without a reason that is printed`, fix: reasonFix };
}

/** `test.only`, `describe.each.skip`, `context.skip`: the last name, and whether it hangs on a test block. */
function modifierOf(called: ts.Expression): { modifier: string; isBlock: boolean } | undefined {
  if (!ts.isPropertyAccessExpression(called)) return undefined;
  let base: ts.Expression = called.expression;
  while (ts.isPropertyAccessExpression(base) || ts.isCallExpression(base)) base = base.expression;
  if (!ts.isIdentifier(base)) return undefined;
  const isBlock = blocks.has(base.text);
  const isContext = ["context", "ctx", "t", "task"].includes(base.text);
  return isBlock || isContext ? { modifier: called.name.text, isBlock } : undefined;
}

/** `skip("reason")` or `skip(condition, "reason")`. */
function givesReason(call: ts.CallExpression): boolean {
  const last = call.arguments.at(-1);
  if (last === undefined || (ts.isStringLiteralLike(last) && last.text === "")) return false;
  return call.arguments.length > 1 || ts.isStringLiteralLike(last) || ts.isTemplateExpression(last);
}

function titleOf(call: ts.CallExpression): string {
  return call.arguments[0]?.getText() ?? "";
}
