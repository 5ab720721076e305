/**
 * What is there is listed where a reader looks for it.
 *
 * LI1. docs/dependencies.md names every version of the catalog in pnpm-workspace.yaml, and the rows of its tables name nothing else.
 * LI2. docs/spec/README.md links every page of docs/spec.
 */
import type { Finding, Rule } from "../rule.ts";
import type { Tree } from "../tree.ts";

const catalogFile = "pnpm-workspace.yaml";
const dependencies = "docs/dependencies.md";
const specification = "docs/spec/README.md";

/** Names of the catalog with their lines. */
function catalogOf(text: string): ReadonlyMap<string, number> {
  const names = new Map<string, number>();
  let inside = false;
  for (const [index, line] of text.split("\n").entries()) {
    if (/^\S/.test(line)) inside = line === "catalog:";
    const name = inside ? /^ {2}"?([^":\s]+)"?: /.exec(line)?.[1] : undefined;
    if (name !== undefined) names.set(name, index + 1);
  }
  return names;
}

function unlistedDependencies(tree: Tree): Finding[] {
  if (!tree.has(catalogFile) || !tree.has(dependencies)) return [];
  const catalog = catalogOf(tree.text(catalogFile));
  const page = tree.text(dependencies);
  const lacking = [...catalog]
    .filter(([name]) => !page.includes(`\`${name}\``))
    .map(([name, line]) => {
      const fix = `say there why ${name} is here, or take it out of the catalog`;
      return { file: catalogFile, line, message: `${name} is not in ${dependencies}`, fix };
    });
  const stale = page.split("\n").flatMap((text, index) => {
    const names = /^\| (`[^|]+`[^|]*) \|/.exec(text)?.[1]?.match(/(?<=`)[^`, ]+(?=`)/g) ?? [];
    return names
      .filter((name) => !catalog.has(name))
      .map((name) => {
        const message = `${name} is not in the catalog`;
        return { file: dependencies, line: index + 1, message, fix: "take the row out" };
      });
  });
  return [...lacking, ...stale];
}

function unlistedPages(tree: Tree): Finding[] {
  if (!tree.has(specification)) return [];
  const index = tree.text(specification);
  return tree.paths
    .filter((path) => /^docs\/spec\/[^/]+\.md$/.test(path) && path !== specification)
    .filter((path) => !index.includes(`(${path.slice("docs/spec/".length)})`))
    .map((file) => ({ file, line: 1, message: `is not in ${specification}`, fix: "add a row for it there" }));
}

export const listed: Rule = {
  name: "listed",
  absolute: true,
  check: (tree) => [...unlistedDependencies(tree), ...unlistedPages(tree)],
};
