/** `any` switches the type checker off; it is written nowhere. Declaration files are left out. */
import ts from "typescript";
import type { Finding, Rule } from "../rule.ts";
import { lineOf } from "../tree.ts";

const parts = ["packages", "apps", "examples", "bench", "conformance", "scripts"];

export const noAny: Rule = {
  name: "no-any",
  absolute: true,
  check(tree) {
    return parts
      .flatMap((part) => tree.scripts(part))
      .flatMap((path) => {
        const file = tree.parse(path);
        const findings: Finding[] = [];
        const visit = (node: ts.Node): void => {
          if (node.kind === ts.SyntaxKind.AnyKeyword) {
            const line = lineOf(file, node.getStart(file));
            findings.push({
              file: path,
              line,
              message: "uses the type any",
              fix: "use unknown and narrow it, or a type parameter",
            });
          }
          ts.forEachChild(node, visit);
        };
        visit(file);
        return findings;
      });
  },
};
