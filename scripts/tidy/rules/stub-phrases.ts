/** Phrases that mark code as unfinished. What is not there is left out and listed as absent; it is never stood in for. */
import type { Rule } from "../rule.ts";

const phrases: readonly RegExp[] = [
  /\b(TODO|FIXME|XXX|HACK)\b/,
  /\bfor now\b(?!\s*(=|of\b|in\b))/i,
  /\bin (a |the )?(real|actual|full|complete) (implementation|system|version)\b/i,
  /\b(would|could) (normally|actually|really) (be|do|use|call|send|read|write)\b/i,
  /\bin production,? (this|we|it|you) (would|should|could)\b/i,
  /\bplaceholder\b/i,
  /\bnot (yet )?implemented\b/i,
  /\b(simulated|mock|dummy|fake) (result|data|value|response|output|implementation)s?\b/i,
  /\bgoes here\b/i,
  /\bcoming soon\b/i,
  /\bstub(bed)? (implementation|out|for)\b/i,
  /\btemporary (hack|fix|workaround)\b/i,
];

const code = /\.([cm]?[jt]sx?|json|c|h|rs|wat|css|html|sh|proto|sql)$/;

export const stubPhrases: Rule = {
  name: "stub-phrases",
  absolute: true,
  check(tree) {
    const files = tree.paths.filter((path) => {
      if (path.startsWith("scripts/tidy/") || /(^|\/)(dist|build|fixtures|results)\//.test(path))
        return false;
      return /^(packages|apps|examples|bench|conformance|scripts)\//.test(path) && code.test(path);
    });
    return files.flatMap((file) =>
      tree
        .text(file)
        .split("\n")
        .flatMap((text, index) => {
          const phrase = phrases
            .map((pattern) => pattern.exec(text)?.[0])
            .find((match) => match !== undefined);
          if (phrase === undefined) return [];
          const fix = "finish it, or remove it and say in docs/claims.md that it is absent";
          return [{ file, line: index + 1, message: `"${phrase}" marks unfinished code`, fix }];
        }),
    );
  },
};
