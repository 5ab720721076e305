/**
 * Tells the names a file declares from the names it takes from its surroundings.
 *
 * Good enough for looking for globals: a name counts as declared when a declaration of it stands in an enclosing scope,
 * wherever in that scope; `var` belongs to its function, and types and values share one namespace.
 */
import ts from "typescript";

/** Calls `found` for every identifier that refers to something the file does not declare. */
export function freeIdentifiers(file: ts.SourceFile, found: (name: ts.Identifier) => void): void {
  const scopes = declaredNames(file);
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node) && refersToValueOrType(node) && !isDeclared(node, scopes)) found(node);
    ts.forEachChild(node, visit);
  };
  visit(file);
}

/** Whether `name`, used at `node`, is taken from the surroundings and not declared by the file. */
export function isFree(node: ts.Identifier): boolean {
  return !isDeclared(node, declaredNames(node.getSourceFile()));
}

type Scopes = ReadonlyMap<ts.Node, ReadonlySet<string>>;
const cache = new WeakMap<ts.SourceFile, Scopes>();

function declaredNames(file: ts.SourceFile): Scopes {
  const known = cache.get(file);
  if (known !== undefined) return known;
  const scopes = new Map<ts.Node, Set<string>>();
  const visit = (node: ts.Node): void => {
    const name = declaredName(node);
    if (name !== undefined) {
      const scope = scopeOf(node);
      const names = scopes.get(scope) ?? new Set();
      scopes.set(scope, names.add(name));
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  cache.set(file, scopes);
  return scopes;
}

function declaredName(node: ts.Node): string | undefined {
  const declares =
    ts.isVariableDeclaration(node) ||
    ts.isParameter(node) ||
    ts.isBindingElement(node) ||
    ts.isFunctionDeclaration(node) ||
    ts.isFunctionExpression(node) ||
    ts.isClassLike(node) ||
    ts.isInterfaceDeclaration(node) ||
    ts.isTypeAliasDeclaration(node) ||
    ts.isTypeParameterDeclaration(node) ||
    ts.isImportSpecifier(node) ||
    ts.isImportClause(node) ||
    ts.isNamespaceImport(node);
  return declares && node.name !== undefined && ts.isIdentifier(node.name) ? node.name.text : undefined;
}

function scopeOf(declaration: ts.Node): ts.Node {
  const inner = ts.isFunctionExpression(declaration) || ts.isClassExpression(declaration);
  if (inner) return declaration;
  const hoisted = isVar(declaration);
  let node = declaration.parent;
  while (!ts.isSourceFile(node) && !(hoisted ? ts.isFunctionLike(node) : isScope(node))) node = node.parent;
  return node;
}

function isVar(node: ts.Node): boolean {
  let at = node;
  while (ts.isBindingElement(at) || ts.isObjectBindingPattern(at) || ts.isArrayBindingPattern(at))
    at = at.parent;
  return ts.isVariableDeclaration(at) && (ts.getCombinedNodeFlags(at) & ts.NodeFlags.BlockScoped) === 0;
}

function isScope(node: ts.Node): boolean {
  return (
    ts.isBlock(node) ||
    ts.isFunctionLike(node) ||
    ts.isClassLike(node) ||
    ts.isInterfaceDeclaration(node) ||
    ts.isTypeAliasDeclaration(node) ||
    ts.isForStatement(node) ||
    ts.isForInStatement(node) ||
    ts.isForOfStatement(node) ||
    ts.isCatchClause(node) ||
    ts.isCaseBlock(node) ||
    ts.isModuleBlock(node)
  );
}

function isDeclared(node: ts.Identifier, scopes: Scopes): boolean {
  for (let at: ts.Node | undefined = node; at !== undefined; at = at.parent) {
    if (scopes.get(at)?.has(node.text) === true) return true;
  }
  return false;
}

/** Not a property name, a label, or the outside name of an import or export. */
function refersToValueOrType(node: ts.Identifier): boolean {
  const parent = node.parent;
  if (ts.isPropertyAccessExpression(parent)) return parent.name !== node;
  if (ts.isQualifiedName(parent)) return parent.right !== node;
  if (ts.isExportSpecifier(parent))
    return (parent.propertyName ?? parent.name) === node && !isReexport(parent);
  if (ts.isImportSpecifier(parent) || ts.isMetaProperty(parent) || ts.isNamespaceExport(parent)) return false;
  if (ts.isBindingElement(parent)) return parent.propertyName !== node;
  if (ts.isLabeledStatement(parent) || ts.isBreakOrContinueStatement(parent)) return false;
  if (ts.isNamedTupleMember(parent)) return parent.name !== node;
  if (ts.isTypePredicateNode(parent)) return parent.parameterName !== node;
  if (ts.isJSDoc(parent)) return false;
  const named = parent as ts.NamedDeclaration;
  const isMemberName =
    ts.isPropertyAssignment(parent) ||
    ts.isClassElement(parent) ||
    ts.isTypeElement(parent) ||
    ts.isEnumMember(parent);
  return !(isMemberName && named.name === node);
}

function isReexport(node: ts.ExportSpecifier): boolean {
  return node.parent.parent.moduleSpecifier !== undefined;
}
