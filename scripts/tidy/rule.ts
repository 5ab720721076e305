/** What a rule is, and what it finds. */
import type { Tree } from "./tree.ts";

/** One place that breaks a rule: what is wrong there, and what to do about it. */
export interface Finding {
  readonly file: string;
  readonly line: number;
  readonly message: string;
  readonly fix: string;
}

/** A rule looks at the whole tree. An absolute rule fails the run; advice is printed and never fails. */
export interface Rule {
  readonly name: string;
  readonly absolute: boolean;
  check(tree: Tree): Finding[];
}
