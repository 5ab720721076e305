/**
 * No import cycles inside a package; imports of types count, because two files that need each other's types are one concept
 * in two files. Strongly connected components by Tarjan (1972), O(files + imports).
 */
import { importsOf, resolveRelative } from "../imports.ts";
import type { Rule } from "../rule.ts";
import type { Tree } from "../tree.ts";

export const importCycles: Rule = {
  name: "import-cycles",
  absolute: true,
  check(tree) {
    return tree.packages.flatMap(({ dir }) => {
      const files = tree.scripts(`${dir}/src`);
      const graph = new Map(files.map((file) => [file, targets(tree, file, true)]));
      const atRunTime = new Map(files.map((file) => [file, targets(tree, file, false)]));
      const stays = components(atRunTime)
        .filter((group) => group.length > 1)
        .flat();
      return components(graph)
        .filter((group) => group.length > 1 || graph.get(group[0] ?? "")?.includes(group[0] ?? "") === true)
        .map((group) => ({
          file: group[0] ?? dir,
          line: 1,
          message: `import cycle${group.some((file) => stays.includes(file)) ? "" : " of types"}: ${cycleThrough(graph, group).join(" -> ")}`,
          fix: "move what both need into a file of its own that imports neither",
        }));
    });
  },
};

function targets(tree: Tree, file: string, withTypes: boolean): string[] {
  const sites = importsOf(tree.parse(file)).filter(({ typeOnly }) => withTypes || !typeOnly);
  const relative = sites.filter(({ specifier }) => specifier.startsWith("."));
  return relative
    .map(({ specifier }) => resolveRelative(tree, file, specifier))
    .filter((path) => path !== undefined);
}

interface Mark {
  index: number;
  low: number;
  onStack: boolean;
}

function components(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const marks = new Map<string, Mark>();
  const stack: string[] = [];
  const found: string[][] = [];
  const visit = (node: string): Mark => {
    const mark = { index: marks.size, low: marks.size, onStack: true };
    marks.set(node, mark);
    stack.push(node);
    for (const next of graph.get(node) ?? []) {
      const seen = marks.get(next);
      if (seen === undefined) mark.low = Math.min(mark.low, visit(next).low);
      else if (seen.onStack) mark.low = Math.min(mark.low, seen.index);
    }
    if (mark.low === mark.index) {
      const group = stack.splice(stack.indexOf(node));
      for (const member of group) (marks.get(member) ?? mark).onStack = false;
      found.push(group.sort());
    }
    return mark;
  };
  for (const node of graph.keys()) if (!marks.has(node)) visit(node);
  return found;
}

/** A shortest way from the first of the group back to itself, breadth first. */
function cycleThrough(graph: ReadonlyMap<string, readonly string[]>, group: readonly string[]): string[] {
  const start = group[0] ?? "";
  const inside = new Set(group);
  const paths: string[][] = [[start]];
  const seen = new Set<string>();
  for (let path = paths.shift(); path !== undefined; path = paths.shift()) {
    for (const next of graph.get(path.at(-1) ?? "") ?? []) {
      if (next === start) return [...path, start];
      if (!inside.has(next) || seen.has(next)) continue;
      seen.add(next);
      paths.push([...path, next]);
    }
  }
  return [...group];
}
