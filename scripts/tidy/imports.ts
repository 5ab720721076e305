/** Every module specifier a file names: imports, re-exports, `import()` in values and types, `require` and workers' URLs. */
import { posix } from "node:path";
import ts from "typescript";
import { lineOf, type Tree } from "./tree.ts";

/** One use of a module specifier. */
export interface ImportSite {
  readonly specifier: string;
  readonly line: number;
  /** Gone after the types are stripped. */
  readonly typeOnly: boolean;
}

/** The specifiers a file names, in order of appearance. */
export function importsOf(file: ts.SourceFile): ImportSite[] {
  const sites: ImportSite[] = [];
  const visit = (node: ts.Node): void => {
    const specifier = specifierOf(node);
    if (specifier !== undefined) {
      sites.push({ specifier, line: lineOf(file, node.getStart(file)), typeOnly: isTypeOnly(node) });
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return sites;
}

/** The file a relative specifier means, or undefined when it is not in the tree. */
export function resolveRelative(tree: Tree, from: string, specifier: string): string | undefined {
  const target = posix.join(posix.dirname(from), specifier);
  const candidates = [target, target.replace(/\.js$/, ".ts"), `${target}.ts`, `${target}/index.ts`];
  return candidates.find((candidate) => tree.has(candidate));
}

/** `@scope/name/sub` as its package name and subpath (`.` or `./sub`); undefined for relative and `#` specifiers. */
export function splitSpecifier(specifier: string): { name: string; subpath: string } | undefined {
  if (/^[./#]/.test(specifier) || specifier.includes(":")) return undefined;
  const parts = specifier.split("/");
  const taken = specifier.startsWith("@") ? 2 : 1;
  const rest = parts.slice(taken).join("/");
  return { name: parts.slice(0, taken).join("/"), subpath: rest === "" ? "." : `./${rest}` };
}

function specifierOf(node: ts.Node): string | undefined {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return literal(node.moduleSpecifier);
  if (ts.isImportTypeNode(node))
    return ts.isLiteralTypeNode(node.argument) ? literal(node.argument.literal) : undefined;
  if (ts.isExternalModuleReference(node)) return literal(node.expression);
  if (!ts.isCallExpression(node)) return undefined;
  const called = node.expression;
  const loads =
    called.kind === ts.SyntaxKind.ImportKeyword || (ts.isIdentifier(called) && called.text === "require");
  return loads || isMetaResolve(called) ? literal(node.arguments[0]) : undefined;
}

function isTypeOnly(node: ts.Node): boolean {
  if (ts.isImportDeclaration(node)) return node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword;
  return ts.isImportTypeNode(node) || (ts.isExportDeclaration(node) && node.isTypeOnly);
}

function isMetaResolve(called: ts.Expression): boolean {
  return (
    ts.isPropertyAccessExpression(called) &&
    called.name.text === "resolve" &&
    ts.isMetaProperty(called.expression)
  );
}

function literal(node: ts.Node | undefined): string | undefined {
  return node !== undefined && ts.isStringLiteralLike(node) ? node.text : undefined;
}
