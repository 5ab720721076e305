/** No file names a folder of the machine it was written on. */
import type { Rule } from "../rule.ts";

const paths: readonly RegExp[] = [
  /(?<![\w.$}-])\/(?:home|Users)\/[a-z][\w.-]*/i,
  /(?<![\w.$}-])\/root\/[\w.]/,
  /(?<![\w.$}\-/])\/work\/[\w.]/,
  /\b[A-Z]:\\\\?(?:Users|work)\\/i,
];

const binary = /\.(wasm|png|jpe?g|gif|ico|gz|tgz|zip|bin|node|der|p12|pdf)$/;

export const machinePaths: Rule = {
  name: "machine-paths",
  absolute: true,
  check(tree) {
    const files = tree.paths.filter(
      (path) => !/(^|\/)dist\//.test(path) && !path.startsWith("scripts/tidy/") && !binary.test(path),
    );
    return files.flatMap((file) =>
      tree
        .text(file)
        .split("\n")
        .flatMap((text, index) => {
          const named = paths.map((pattern) => pattern.exec(text)?.[0]).find((match) => match !== undefined);
          if (named === undefined) return [];
          const fix = "use a path relative to the file, os.tmpdir(), or a name such as DIR";
          return [{ file, line: index + 1, message: `names the machine path ${named}`, fix }];
        }),
    );
  },
};
