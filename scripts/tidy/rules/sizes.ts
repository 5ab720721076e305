/**
 * Sizes and shapes that good code of this field keeps to. They are advice: printed, never a failure, because a rule that
 * counts lines cannot know when the longer one is clearer.
 */
import ts from "typescript";
import type { Finding, Rule } from "../rule.ts";
import { lineOf, type Tree } from "../tree.ts";

/** Lines of a function, as TigerBeetle's style has it. */
const functionLinesMax = 70;
const fileLinesMax = 500;
const parametersMax = 4;
const indexLinesMax = 120;

export const sizes: Rule = {
  name: "sizes",
  absolute: false,
  check: (tree) => parts(tree).flatMap((path) => [...fileSize(tree, path), ...functionSizes(tree, path)]),
};

function parts(tree: Tree): string[] {
  return ["packages", "apps", "bench", "conformance", "scripts"].flatMap((part) => tree.scripts(part));
}

function fileSize(tree: Tree, path: string): Finding[] {
  const lines = tree.text(path).split("\n").length - 1;
  const isIndex = /\/src\/index\.ts$/.test(path);
  const max = isIndex ? indexLinesMax : fileLinesMax;
  const fix = isIndex ? "give what is used alone a subpath of its own" : "split it by concept";
  return lines > max ? [{ file: path, line: 1, message: `${lines} lines, more than ${max}`, fix }] : [];
}

function functionSizes(tree: Tree, path: string): Finding[] {
  const file = tree.parse(path);
  const isTest = /\/test\//.test(path);
  const findings: Finding[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isFunctionLike(node) && "body" in node && node.body !== undefined) {
      const line = lineOf(file, node.getStart(file));
      const lines = lineOf(file, node.getEnd()) - line + 1;
      const name = nameOf(node);
      if (lines > functionLinesMax && !isTest) {
        const fix = "split it where it says a second thing";
        findings.push({
          file: path,
          line,
          message: `${name} has ${lines} lines, more than ${functionLinesMax}`,
          fix,
        });
      }
      if (node.parameters.length > parametersMax) {
        const message = `${name} takes ${node.parameters.length} positional parameters, more than ${parametersMax}`;
        findings.push({ file: path, line, message, fix: "take an options object" });
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return findings;
}

function nameOf(node: ts.SignatureDeclaration): string {
  if (node.name !== undefined) return node.name.getText();
  const parent = node.parent;
  return ts.isVariableDeclaration(parent) || ts.isPropertyAssignment(parent)
    ? parent.name.getText()
    : "a function";
}
