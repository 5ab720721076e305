/** Shipped source imports only packages that its package.json promises to install; tests may also use dev dependencies. */
import { isBuiltin } from "node:module";
import { importsOf, splitSpecifier } from "../imports.ts";
import type { Finding, Rule } from "../rule.ts";
import type { Tree, WorkspacePackage } from "../tree.ts";

/** Tools that the root installs for every package's tests. */
const rootTools = ["vitest", "fast-check", "typescript", "tsup"];

export const declaredImports: Rule = {
  name: "declared-imports",
  absolute: true,
  check(tree) {
    return tree.packages.flatMap((unit) => {
      const { dependencies, peerDependencies, optionalDependencies, devDependencies } = unit.manifest;
      const installed = new Set([
        unit.name,
        ...Object.keys({ ...dependencies, ...peerDependencies, ...optionalDependencies }),
      ]);
      const tested = new Set([...installed, ...Object.keys(devDependencies ?? {}), ...rootTools]);
      return [...undeclared(tree, unit, "src", installed), ...undeclared(tree, unit, "test", tested)];
    });
  },
};

function undeclared(
  tree: Tree,
  unit: WorkspacePackage,
  part: "src" | "test",
  known: ReadonlySet<string>,
): Finding[] {
  const section = part === "src" ? "dependencies" : "devDependencies";
  return tree.scripts(`${unit.dir}/${part}`).flatMap((file) =>
    importsOf(tree.parse(file)).flatMap(({ specifier, line }) => {
      const name = splitSpecifier(specifier)?.name;
      if (name === undefined || isBuiltin(specifier) || known.has(name)) return [];
      const message = `imports ${name}, which ${unit.dir}/package.json does not list`;
      return [
        { file, line, message, fix: `add it to ${section} (and docs/dependencies.md) or remove the import` },
      ];
    }),
  );
}
