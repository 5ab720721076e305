/**
 * A break: a small patch of shipped source with a header that names the test which must notice it.
 *
 *     Break: the receiver forgets which messages it has applied
 *     Claim: cells.messaging
 *     Test: packages/cells/test/mailbox.test.ts > a message sent twice is applied once
 *     Build: packages/guest-as
 *
 *     diff --git a/packages/cells/src/mailbox.ts b/packages/cells/src/mailbox.ts
 *     ...
 *
 * `Break`, `Claim` and `Test` are there once each. `Build` (any number) names packages to build in the copy, after the patch, for
 * tests that use built files. A patch changes files under `src` or `assembly` of packages and apps only: a break of a test
 * proves nothing.
 */

/** A break as its file says it. */
export interface Break {
  readonly name: string;
  readonly summary: string;
  readonly claim: string;
  readonly testFile: string;
  readonly testTitle: string;
  readonly builds: readonly string[];
  readonly patch: string;
}

const shipped = /^(packages|apps)\/[^/]+\/(src|assembly)\//;

/** Reads a break, or says what is wrong with it. */
export function parseBreak(name: string, text: string): Break | { readonly problem: string } {
  const start = text.search(/^diff --git /m);
  if (start < 0) return { problem: `${name} has no diff; make it with git diff` };
  const header = text.slice(0, start);
  const patch = text.slice(start);
  const all = (key: string): string[] =>
    [...header.matchAll(new RegExp(`^${key}: (.+)$`, "gm"))].map(([, value = ""]) => value.trim());
  for (const key of ["Break", "Claim", "Test"]) {
    if (all(key).length !== 1)
      return { problem: `${name} has ${all(key).length} lines "${key}: ..." in its header; it has one` };
  }
  const test = /^(\S+\.test\.ts) > (.+)$/.exec(all("Test")[0] ?? "");
  if (test === null) return { problem: `${name} names its test as "Test: path/to/file.test.ts > its title"` };
  const outside = changedFiles(patch).filter((file) => !shipped.test(file));
  if (outside.length > 0)
    return { problem: `${name} changes ${outside.join(", ")}, which is not shipped source` };
  const [, testFile = "", testTitle = ""] = test;
  return {
    name,
    summary: all("Break")[0] ?? "",
    claim: all("Claim")[0] ?? "",
    testFile,
    testTitle,
    builds: all("Build"),
    patch,
  };
}

/** Picks `count` of the names by a seed: the same seed and names give the same sample. FNV-1a orders them. */
export function sample(names: readonly string[], count: number, seed: string): string[] {
  const rank = (name: string): number => {
    let hash = 0x811c9dc5;
    for (const char of `${seed}/${name}`)
      hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x01000193) >>> 0;
    return hash;
  };
  return [...names].sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1)).slice(0, count);
}

function changedFiles(patch: string): string[] {
  return [...patch.matchAll(/^diff --git a\/(\S+) b\/(\S+)$/gm)].flatMap(([, a = "", b = ""]) =>
    a === b ? [a] : [a, b],
  );
}
