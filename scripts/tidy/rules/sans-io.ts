/**
 * Sans-IO packages take time, randomness, network and disk as ports. Both their source and their built JavaScript are
 * parsed and searched for what would make a run differ between machines: clocks, timers, randomness, host types, garbage
 * collection order, locale, and functions of Math whose last bit the ECMAScript specification leaves to the engine.
 */
import { isBuiltin } from "node:module";
import ts from "typescript";
import { importsOf } from "../imports.ts";
import { sansIo } from "../layers.ts";
import type { Finding, Rule } from "../rule.ts";
import { freeIdentifiers, isFree } from "../scopes.ts";
import { lineOf, type Tree } from "../tree.ts";

const time = "take a Clock from @glia-os/abi/ports";
const random = "take a Random from @glia-os/abi/ports";
const host = "take what you need as a port from @glia-os/abi/ports";
const cancel = "take a CancelSignal from @glia-os/abi/ports";
const collected = "keep an explicit owner: when the collector runs is not decided by the program";

/** Banned globals, and what to use. */
const banned: Readonly<Record<string, string>> = {
  ...Object.fromEntries(["Date", "performance", "Temporal"].map((name) => [name, time])),
  ...Object.fromEntries(
    ["setTimeout", "setInterval", "setImmediate", "clearTimeout", "clearInterval", "clearImmediate"].map(
      (name) => [name, time],
    ),
  ),
  queueMicrotask: "run the step from the machine's own queue",
  crypto: random,
  Intl: "compare by code point",
  ...Object.fromEntries(["AbortSignal", "AbortController"].map((name) => [name, cancel])),
  ...Object.fromEntries(["WeakRef", "FinalizationRegistry"].map((name) => [name, collected])),
  ...Object.fromEntries(
    [
      "process",
      "navigator",
      "fetch",
      "Buffer",
      "console",
      "structuredClone",
      "require",
      "Worker",
      "WebSocket",
    ].map((name) => [name, host]),
  ),
  ...Object.fromEntries(["TextEncoder", "TextDecoder", "URL"].map((name) => [name, host])),
};

/** The parts of Math that are exact on every engine. */
const exactMath = new Set(
  "abs ceil floor round trunc sign min max imul clz32 fround sqrt E LN10 LN2 LOG10E LOG2E PI SQRT1_2 SQRT2".split(
    " ",
  ),
);

const globalObjects = new Set(["globalThis", "self", "window", "global"]);

export const sansIoSource: Rule = {
  name: "sans-io-source",
  absolute: true,
  check: (tree) =>
    sansIoPackages(tree).flatMap((dir) =>
      tree.scripts(`${dir}/src`).flatMap((file) => impurities(tree, file)),
    ),
};

export const sansIoBuilt: Rule = {
  name: "sans-io-built",
  absolute: true,
  check: (tree) =>
    sansIoPackages(tree).flatMap((dir) => {
      const built = tree.paths.filter((path) => path.startsWith(`${dir}/dist/`) && path.endsWith(".js"));
      return built.flatMap((file) => impurities(tree, file));
    }),
};

function sansIoPackages(tree: Tree): string[] {
  return tree.packages
    .filter(({ dir, short }) => dir.startsWith("packages/") && sansIo.includes(short))
    .map(({ dir }) => dir);
}

function impurities(tree: Tree, path: string): Finding[] {
  const file = tree.parse(path);
  const findings: Finding[] = [];
  const report = (node: ts.Node, message: string, fix: string): void => {
    findings.push({ file: path, line: lineOf(file, node.getStart(file)), message, fix });
  };
  for (const { specifier, line } of importsOf(file)) {
    if (isBuiltin(specifier)) findings.push({ file: path, line, message: `imports ${specifier}`, fix: host });
  }
  freeIdentifiers(file, (node) => {
    const fix = Object.hasOwn(banned, node.text) ? banned[node.text] : undefined;
    if (fix !== undefined) report(node, `uses ${node.text}`, fix);
    else if (node.text === "Math") judgeMath(node, report);
    else if (globalObjects.has(node.text)) judgeGlobalObject(node, report);
  });
  const visit = (node: ts.Node): void => {
    if (isInexactPower(node))
      report(node, "uses **", "multiply, shift, or write the constant: its last bit is the engine's choice");
    if (isLocaleCall(node)) report(node, "uses a locale", "compare by code point");
    ts.forEachChild(node, visit);
  };
  visit(file);
  return findings;
}

type Report = (node: ts.Node, message: string, fix: string) => void;

function judgeMath(node: ts.Identifier, report: Report): void {
  const member = memberOf(node);
  if (member === undefined)
    report(node, "uses Math as a value", "name the member: only the exact ones are allowed");
  else if (member === "random") report(node, "uses Math.random", random);
  else if (!exactMath.has(member))
    report(
      node,
      `uses Math.${member}`,
      "use integer arithmetic or a table: its last bit is the engine's choice",
    );
}

function judgeGlobalObject(node: ts.Identifier, report: Report): void {
  const member = memberOf(node);
  if (member === undefined) report(node, `uses ${node.text} as a value`, host);
  else if (member === "Math" || Object.hasOwn(banned, member))
    report(node, `uses ${node.text}.${member}`, banned[member] ?? random);
}

/** The name after the dot, or in the brackets when it is a literal. */
function memberOf(node: ts.Identifier): string | undefined {
  const parent = node.parent;
  if (ts.isPropertyAccessExpression(parent) && parent.expression === node) return parent.name.text;
  const inBrackets =
    ts.isElementAccessExpression(parent) && parent.expression === node
      ? parent.argumentExpression
      : undefined;
  return inBrackets !== undefined && ts.isStringLiteralLike(inBrackets) ? inBrackets.text : undefined;
}

/** `**` on anything but two bigint literals, which are exact. */
function isInexactPower(node: ts.Node): boolean {
  if (!ts.isBinaryExpression(node)) return false;
  const operator = node.operatorToken.kind;
  if (operator === ts.SyntaxKind.AsteriskAsteriskEqualsToken) return true;
  if (operator !== ts.SyntaxKind.AsteriskAsteriskToken) return false;
  return !(isBigInt(node.left) && isBigInt(node.right));
}

function isBigInt(node: ts.Expression): boolean {
  if (ts.isBigIntLiteral(node)) return true;
  const called = ts.isCallExpression(node) ? node.expression : undefined;
  return called !== undefined && ts.isIdentifier(called) && called.text === "BigInt" && isFree(called);
}

function isLocaleCall(node: ts.Node): boolean {
  if (!ts.isCallExpression(node) || !ts.isPropertyAccessExpression(node.expression)) return false;
  return node.expression.name.text === "localeCompare" || node.expression.name.text.startsWith("toLocale");
}
