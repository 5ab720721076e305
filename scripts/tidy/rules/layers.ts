/** Imports go downward only, as the layer table says: by package.json and by what the source really imports. */
import { importsOf, splitSpecifier } from "../imports.ts";
import { layers } from "../layers.ts";
import type { Finding, Rule } from "../rule.ts";
import type { Tree, WorkspacePackage } from "../tree.ts";

export const layerTable: Rule = {
  name: "layers",
  absolute: true,
  check(tree) {
    const shortByName = new Map(tree.packages.map(({ name, short }) => [name, short]));
    return tree.packages.flatMap((unit) => {
      const allowed = layers[unit.short];
      if (allowed === undefined) return [unplaced(unit)];
      return [
        ...manifestFindings(unit, allowed, shortByName, tree),
        ...importFindings(unit, allowed, shortByName, tree),
      ];
    });
  },
};

function unplaced({ dir, short }: WorkspacePackage): Finding {
  return {
    file: `${dir}/package.json`,
    line: 1,
    message: `package "${short}" is in no layer`,
    fix: "add it to the table in scripts/tidy/layers.ts with the packages it may import",
  };
}

function manifestFindings(
  unit: WorkspacePackage,
  allowed: readonly string[],
  shortByName: ReadonlyMap<string, string>,
  tree: Tree,
): Finding[] {
  const { dependencies, peerDependencies, optionalDependencies } = unit.manifest;
  const file = `${unit.dir}/package.json`;
  const lines = tree.text(file).split("\n");
  return Object.keys({ ...dependencies, ...peerDependencies, ...optionalDependencies }).flatMap((name) => {
    const short = firstParty(name, shortByName);
    if (short === undefined || allowed.includes(short)) return [];
    const line = lines.findIndex((text) => text.includes(`"${name}"`)) + 1;
    return [{ file, line, message: `${unit.short} depends on ${short}`, fix: advice(unit.short, allowed) }];
  });
}

function importFindings(
  unit: WorkspacePackage,
  allowed: readonly string[],
  shortByName: ReadonlyMap<string, string>,
  tree: Tree,
): Finding[] {
  return tree.scripts(`${unit.dir}/src`).flatMap((file) =>
    importsOf(tree.parse(file)).flatMap(({ specifier, line }) => {
      const name = splitSpecifier(specifier)?.name;
      const short = name === undefined || name === unit.name ? undefined : firstParty(name, shortByName);
      if (short === undefined || allowed.includes(short)) return [];
      return [
        { file, line, message: `${unit.short} imports ${specifier}`, fix: advice(unit.short, allowed) },
      ];
    }),
  );
}

function firstParty(name: string, shortByName: ReadonlyMap<string, string>): string | undefined {
  return shortByName.get(name) ?? (name.startsWith("@glia-os/") ? name.slice("@glia-os/".length) : undefined);
}

function advice(short: string, allowed: readonly string[]): string {
  const list = allowed.length === 0 ? "no first-party package" : allowed.join(", ");
  return `${short} may import ${list}: take what you need as a port from abi, or move the code to a higher layer`;
}
