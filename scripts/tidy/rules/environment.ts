/** Only the daemon and the apps read the command line and the environment; below them, settings are parameters. Advice. */
import ts from "typescript";
import { readsEnvironment } from "../layers.ts";
import type { Finding, Rule } from "../rule.ts";
import { lineOf } from "../tree.ts";

export const environment: Rule = {
  name: "environment",
  absolute: false,
  check(tree) {
    const units = tree.packages.filter(({ short }) => !readsEnvironment.includes(short));
    return units
      .flatMap(({ dir }) => tree.scripts(`${dir}/src`))
      .flatMap((path) => {
        const file = tree.parse(path);
        const findings: Finding[] = [];
        const visit = (node: ts.Node): void => {
          if (ts.isPropertyAccessExpression(node) && /^process\.(argv|env)$/.test(node.getText(file))) {
            const line = lineOf(file, node.getStart(file));
            const fix = "take it as a parameter; the daemon or the app reads it";
            findings.push({ file: path, line, message: `reads ${node.getText(file)}`, fix });
          }
          ts.forEachChild(node, visit);
        };
        visit(file);
        return findings;
      });
  },
};
