/** A package's public entry points and the declarations that can be reached through them. */
import ts from "typescript";
import { resolveRelative } from "./imports.ts";
import type { ExportTarget, Tree, WorkspacePackage } from "./tree.ts";

/** A declaration behind a public name. */
export interface PublicDeclaration {
  readonly name: string;
  readonly file: string;
  readonly node: ts.Node;
}

/** The source files behind the exports map, by the `@glia-os/source` condition. */
export function entryPoints({ dir, manifest }: WorkspacePackage): string[] {
  const found = new Set<string>();
  const visit = (target: ExportTarget | undefined): void => {
    if (typeof target === "string" || target === null || target === undefined) return;
    for (const [key, value] of Object.entries(target)) {
      if (key === "@glia-os/source" && typeof value === "string") found.add(value);
      else visit(value);
    }
  };
  visit(manifest.exports);
  return [...found]
    .filter((path) => path.endsWith(".ts"))
    .map((path) => `${dir}/${path.replace(/^\.\//, "")}`);
}

/** What a package lets others import, each declaration once, re-exports followed inside the package. */
export function publicDeclarations(tree: Tree, unit: WorkspacePackage): PublicDeclaration[] {
  const found = new Map<ts.Node, PublicDeclaration>();
  for (const entry of entryPoints(unit).filter((path) => tree.has(path))) {
    for (const declaration of exportsOf(tree, entry, new Set()).values()) {
      for (const one of declaration) found.set(one.node, one);
    }
  }
  return [...found.values()];
}

type Exports = Map<string, PublicDeclaration[]>;

function exportsOf(tree: Tree, path: string, open: ReadonlySet<string>): Exports {
  const exported: Exports = new Map();
  if (open.has(path)) return exported;
  const file = tree.parse(path);
  const local = topLevel(file, path);
  const add = (name: string, found: readonly PublicDeclaration[] | undefined): void => {
    if (found !== undefined)
      exported.set(name, [...(exported.get(name) ?? []), ...found.map((one) => ({ ...one, name }))]);
  };
  for (const statement of file.statements) {
    if (ts.isExportDeclaration(statement)) {
      const source = exportSource(tree, path, statement, new Set([...open, path]), local);
      for (const [name, found] of namesOf(statement, source)) add(name, found);
    } else if (isExported(statement)) {
      for (const name of declaredBy(statement)) add(name, local.get(name));
    }
  }
  return exported;
}

/** What an `export ... from` draws on: another file of the package, or this file's own declarations. */
function exportSource(
  tree: Tree,
  path: string,
  statement: ts.ExportDeclaration,
  open: Set<string>,
  local: Exports,
): Exports {
  const specifier = statement.moduleSpecifier;
  if (specifier === undefined || !ts.isStringLiteral(specifier)) return withImports(tree, path, open, local);
  const target = specifier.text.startsWith(".") ? resolveRelative(tree, path, specifier.text) : undefined;
  return target?.endsWith(".ts") === true ? exportsOf(tree, target, open) : new Map();
}

/** This file's declarations and what it imports from beside it, so that import-then-export is followed too. */
function withImports(tree: Tree, path: string, open: Set<string>, local: Exports): Exports {
  const all: Exports = new Map(local);
  for (const statement of tree.parse(path).statements) {
    if (!ts.isImportDeclaration(statement) || !ts.isStringLiteral(statement.moduleSpecifier)) continue;
    const target = resolveRelative(tree, path, statement.moduleSpecifier.text);
    const bindings = statement.importClause?.namedBindings;
    if (target === undefined || !statement.moduleSpecifier.text.startsWith(".")) continue;
    if (bindings === undefined || !ts.isNamedImports(bindings) || !target.endsWith(".ts")) continue;
    const exported = exportsOf(tree, target, open);
    for (const { name, propertyName } of bindings.elements) {
      const found = exported.get((propertyName ?? name).text);
      if (found !== undefined) all.set(name.text, found);
    }
  }
  return all;
}

function namesOf(
  statement: ts.ExportDeclaration,
  source: Exports,
): [string, PublicDeclaration[] | undefined][] {
  const clause = statement.exportClause;
  if (clause === undefined) return [...source];
  if (ts.isNamespaceExport(clause))
    return [...source].map(([name, found]) => [`${clause.name.text}.${name}`, found]);
  return clause.elements.map(({ name, propertyName }) => [
    name.text,
    source.get((propertyName ?? name).text),
  ]);
}

function topLevel(file: ts.SourceFile, path: string): Exports {
  const found: Exports = new Map();
  for (const node of file.statements) {
    for (const name of declaredBy(node))
      found.set(name, [...(found.get(name) ?? []), { name, file: path, node }]);
  }
  return found;
}

function declaredBy(statement: ts.Statement): string[] {
  if (ts.isVariableStatement(statement))
    return statement.declarationList.declarations.flatMap(({ name }) => boundNames(name));
  const named =
    ts.isFunctionDeclaration(statement) ||
    ts.isClassDeclaration(statement) ||
    ts.isInterfaceDeclaration(statement) ||
    ts.isTypeAliasDeclaration(statement);
  return named && statement.name !== undefined ? [statement.name.text] : [];
}

function boundNames(name: ts.BindingName): string[] {
  if (ts.isIdentifier(name)) return [name.text];
  return name.elements.flatMap((element) => (ts.isBindingElement(element) ? boundNames(element.name) : []));
}

function isExported(statement: ts.Statement): boolean {
  const modifiers = ts.canHaveModifiers(statement) ? ts.getModifiers(statement) : undefined;
  return modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) === true;
}
