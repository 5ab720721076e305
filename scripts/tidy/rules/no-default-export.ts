/** Packages export by name: a default export has as many names as it has importers. */
import ts from "typescript";
import type { Finding, Rule } from "../rule.ts";
import { lineOf } from "../tree.ts";

export const noDefaultExport: Rule = {
  name: "no-default-export",
  absolute: true,
  check(tree) {
    const paths = tree.packages
      .filter(({ dir }) => dir.startsWith("packages/"))
      .flatMap(({ dir }) => tree.scripts(`${dir}/src`));
    return paths.flatMap((path) => {
      const file = tree.parse(path);
      return file.statements.filter(exportsDefault).map((statement): Finding => {
        const line = lineOf(file, statement.getStart(file));
        return { file: path, line, message: "has a default export", fix: "export it by name" };
      });
    });
  },
};

function exportsDefault(statement: ts.Statement): boolean {
  if (ts.isExportAssignment(statement)) return true;
  const clause = ts.isExportDeclaration(statement) ? statement.exportClause : undefined;
  if (clause !== undefined && ts.isNamedExports(clause))
    return clause.elements.some(({ name }) => name.text === "default");
  return (
    (ts.getCombinedModifierFlags(statement as unknown as ts.Declaration) & ts.ModifierFlags.Default) !== 0
  );
}
