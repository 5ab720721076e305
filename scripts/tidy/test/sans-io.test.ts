import { describe, expect, test } from "vitest";
import { sansIoBuilt, sansIoSource } from "../rules/sans-io.ts";
import { broken, manifest } from "./broken.ts";

const base = {
  "packages/kernel/package.json": manifest("kernel"),
  "packages/host/package.json": manifest("host"),
};

function inKernel(text: string): string[] {
  return broken(sansIoSource, { ...base, "packages/kernel/src/a.ts": text }).map((found) =>
    found.replace(/^\S+ /, ""),
  );
}

describe("each impurity is found", () => {
  const impure: [string, string][] = [
    ["Date.now()", "uses Date"],
    ["new Date()", "uses Date"],
    ["performance.now()", "uses performance"],
    ["setTimeout(f, 1)", "uses setTimeout"],
    ["setInterval(f, 1)", "uses setInterval"],
    ["setImmediate(f)", "uses setImmediate"],
    ["queueMicrotask(f)", "uses queueMicrotask"],
    ["Math.random()", "uses Math.random"],
    ['Math["random"]()', "uses Math.random"],
    ["Math.log2(3)", "uses Math.log2"],
    ["Math.pow(2, 3)", "uses Math.pow"],
    ["const { random } = Math", "uses Math as a value"],
    ["2 ** 3", "uses **"],
    ["let x = 1; x **= 2", "uses **"],
    ["crypto.getRandomValues(a)", "uses crypto"],
    ["new Intl.Collator()", "uses Intl"],
    ["a.localeCompare(b)", "uses a locale"],
    ["a.toLocaleLowerCase()", "uses a locale"],
    ["process.exit()", "uses process"],
    ["navigator.hardwareConcurrency", "uses navigator"],
    ['import fs from "node:fs"', "imports node:fs"],
    ['import "fs"', "imports fs"],
    ['await import("node:net")', "imports node:net"],
    ["let s: AbortSignal", "uses AbortSignal"],
    ["new AbortController()", "uses AbortController"],
    ["new WeakRef(o)", "uses WeakRef"],
    ["new FinalizationRegistry(f)", "uses FinalizationRegistry"],
    ["fetch('')", "uses fetch"],
    ["globalThis.Date.now()", "uses globalThis.Date"],
    ['globalThis["setTimeout"]', "uses globalThis.setTimeout"],
    ["globalThis[name]", "uses globalThis as a value"],
    ["const o = { process }", "uses process"],
    ["export { Date }", "uses Date"],
    ["const later = setTimeout", "uses setTimeout"],
  ];
  test.each(impure)("%s", (text, message) => {
    expect(inKernel(text)).toContain(message);
  });
});

describe("what only looks impure passes", () => {
  const pure = [
    "// Date.now() and setTimeout would be wrong here; 2 ** 3 too",
    'const text = "Math.random() and process";',
    `const text = \`Date \${1} performance\`;`,
    "clock.Date.now(); task.process(); port.setTimeout(1);",
    "interface Port { setTimeout(ms: number): void; process: string; Date: number }",
    "const o = { Date: 1, process: 2, fetch() { return 3; } };",
    "class A { performance = 1; get crypto() { return 2; } }",
    "function run(process: string, fetch: () => void) { fetch(); return process; }",
    'import { process } from "./process.ts"; process();',
    "export class Worker {} export const w = new Worker();",
    "const { process: p } = o; p();",
    "const [URL] = o; URL();",
    "type F = (a: { fetch: string }) => [Date: string];",
    "Math.floor(1.5) + Math.imul(2, 3) + Math.sqrt(4) + Math.PI;",
    "const big = 2n ** 64n + BigInt(2) ** BigInt(n);",
    "for (const process of list) process.step();",
    'export { Date } from "./date.ts";',
    "a * b; import.meta.url;",
    "try { f(); } catch (process) { g(process); }",
  ];
  test.each(pure)("%s", (text) => {
    expect(inKernel(text)).toEqual([]);
  });
});

test("a declaration in one function does not hide the global in another", () => {
  expect(
    inKernel("function a(process: string) { return process; }\nfunction b() { return process; }"),
  ).toEqual(["uses process"]);
});

test("built JavaScript is judged as it ships, at its line", () => {
  const files = { ...base, "packages/kernel/dist/index.js": 'var a = "Date";\nvar t = Date.now();\n' };
  expect(broken(sansIoBuilt, files)).toEqual(["packages/kernel/dist/index.js:2 uses Date"]);
});

test("a package that does input and output is left alone", () => {
  const files = { ...base, "packages/host/src/a.ts": "Date.now()", "packages/host/dist/a.js": "Date.now()" };
  expect([...broken(sansIoSource, files), ...broken(sansIoBuilt, files)]).toEqual([]);
});
