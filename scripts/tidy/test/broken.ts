/** Runs one rule on a tree written by hand, for the rules' tests. */
import type { Rule } from "../rule.ts";
import { treeOf } from "../tree.ts";

/** A package.json as text. */
export function manifest(name: string, more: Record<string, unknown> = {}): string {
  return JSON.stringify(
    { name: `@glia-os/${name}`, exports: { ".": { "@glia-os/source": "./src/index.ts" } }, ...more },
    null,
    2,
  );
}

/** What the rule finds, as `file:line message`. */
export function broken(rule: Rule, files: Record<string, string>): string[] {
  return rule.check(treeOf(files)).map(({ file, line, message }) => `${file}:${line} ${message}`);
}
