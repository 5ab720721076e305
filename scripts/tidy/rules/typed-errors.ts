/** Shipped code throws classes with a stable code, a word on state and a fix, never a bare Error or a string. */
import ts from "typescript";
import type { Finding, Rule } from "../rule.ts";
import { freeIdentifiers } from "../scopes.ts";
import { lineOf } from "../tree.ts";

const fix = "throw a GliaError subclass whose code is declared in packages/abi/src/errors/codes";

export const typedErrors: Rule = {
  name: "typed-errors",
  absolute: true,
  check(tree) {
    return tree.shipped().flatMap((path) => {
      const file = tree.parse(path);
      const findings: Finding[] = [];
      const report = (node: ts.Node, message: string): void => {
        findings.push({ file: path, line: lineOf(file, node.getStart(file)), message, fix });
      };
      freeIdentifiers(file, (node) => {
        const made = ts.isNewExpression(node.parent) || ts.isCallExpression(node.parent);
        if (node.text === "Error" && made && node.parent.expression === node)
          report(node, "makes a bare Error");
      });
      const visit = (node: ts.Node): void => {
        if (ts.isThrowStatement(node) && isText(node.expression)) report(node, "throws a string");
        ts.forEachChild(node, visit);
      };
      visit(file);
      return findings;
    });
  },
};

function isText(node: ts.Expression): boolean {
  return ts.isStringLiteralLike(node) || ts.isTemplateExpression(node);
}
