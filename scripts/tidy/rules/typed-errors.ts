/**
 * Shipped code throws classes with a stable code, a word on state and a fix, never a bare Error or a string. It takes what it says of its
 * codes from the table of its namespace: the whole table would be in every bundle.
 */
import ts from "typescript";
import { importsOf } from "../imports.ts";
import type { Finding, Rule } from "../rule.ts";
import { freeIdentifiers } from "../scopes.ts";
import { lineOf } from "../tree.ts";

const fix = "throw a GliaError subclass whose code is declared in packages/abi/src/errors/codes";
const wholeTable = "@glia-os/abi/errors/all";

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
      return [...findings, ...wholeTables(path, file)];
    });
  },
};

function wholeTables(path: string, file: ts.SourceFile): Finding[] {
  return importsOf(file)
    .filter(({ specifier }) => specifier === wholeTable)
    .map(({ line }) => ({
      file: path,
      line,
      message: "imports the table of all codes",
      fix: "use the base class of the namespace; the whole table is for tests and documents",
    }));
}

function isText(node: ts.Expression): boolean {
  return ts.isStringLiteralLike(node) || ts.isTemplateExpression(node);
}
