/** A package is entered only through its exports map; no relative path leads from one package into another. */
import { posix } from "node:path";
import { importsOf, splitSpecifier } from "../imports.ts";
import type { Finding, Rule } from "../rule.ts";
import type { Manifest, Tree, WorkspacePackage } from "../tree.ts";

export const deepImports: Rule = {
  name: "deep-imports",
  absolute: true,
  check(tree) {
    const byName = new Map(tree.packages.map((unit) => [unit.name, unit]));
    return tree.paths
      .filter((path) => /^(packages|apps|examples|bench|conformance|scripts)\//.test(path))
      .filter((path) => !path.endsWith(".config.ts"))
      .filter((path) => /\.[cm]?tsx?$/.test(path) && !/(^|\/)(dist|build|fixtures|assembly)\//.test(path))
      .flatMap((file) =>
        importsOf(tree.parse(file)).flatMap((site) => judge(tree, byName, file, site.specifier, site.line)),
      );
  },
};

function judge(
  tree: Tree,
  byName: ReadonlyMap<string, WorkspacePackage>,
  file: string,
  specifier: string,
  line: number,
): Finding[] {
  if (specifier.startsWith(".")) {
    const message = leavesPackage(tree, file, specifier);
    return message === undefined ? [] : [{ file, line, message, fix: "import the package by its name" }];
  }
  const split = splitSpecifier(specifier);
  const target = split === undefined ? undefined : byName.get(split.name);
  if (split === undefined || target === undefined || isExported(target.manifest, split.subpath)) return [];
  const message = `${specifier} is not in the exports map of ${target.dir}`;
  return [
    {
      file,
      line,
      message,
      fix: "import a name the package exports, or export it there if it is meant to be public",
    },
  ];
}

function leavesPackage(tree: Tree, file: string, specifier: string): string | undefined {
  const target = posix.join(posix.dirname(file), specifier);
  const from = tree.packages.find(({ dir }) => file.startsWith(`${dir}/`));
  const into = tree.packages.find(({ dir }) => target.startsWith(`${dir}/`));
  if (into !== undefined && into !== from) return `${specifier} reaches into ${into.dir}`;
  if (from !== undefined && into !== from) return `${specifier} leaves ${from.dir}`;
  return undefined;
}

/** Whether `subpath` (`.` or `./sub`) is a key of the exports map; a trailing `*` in a key matches anything. */
export function isExported({ exports }: Manifest, subpath: string): boolean {
  if (exports === undefined || exports === null) return false;
  if (typeof exports === "string") return subpath === ".";
  const keys = Object.keys(exports);
  if (!keys.some((key) => key.startsWith("."))) return subpath === ".";
  return keys.some((key) => {
    if (exports[key] === null) return false;
    const star = key.indexOf("*");
    return star < 0
      ? key === subpath
      : subpath.startsWith(key.slice(0, star)) && subpath.endsWith(key.slice(star + 1));
  });
}
