/**
 * The TypeScript in Markdown.
 *
 * A fence ```` ```ts ```` is a program that runs by itself. ```` ```ts no-run ```` is not run and says why in a comment right after the
 * block: `<!-- no-run: it needs a model's key -->`. A line `console.log(x); // => 3` or a line `// => 3` below it says what is printed;
 * what blocks say they print must appear in their output in that order, each on a line of its own.
 */

/** One program. `line` is the first line of its text in the file. */
export interface Block {
  readonly file: string;
  readonly line: number;
  readonly text: string;
  readonly expected: readonly string[];
}

/** A block that cannot be judged. */
export interface BlockProblem {
  readonly file: string;
  readonly line: number;
  readonly message: string;
}

interface Fence {
  readonly mark: string;
  readonly info: string;
  readonly line: number;
  readonly body: string[];
}

/** The programs of a Markdown file, and the fences that break the rules. */
export function blocksOf(file: string, markdown: string): { blocks: Block[]; problems: BlockProblem[] } {
  const blocks: Block[] = [];
  const problems: BlockProblem[] = [];
  const lines = markdown.split(/\r?\n/);
  let open: Fence | undefined;
  for (const [index, line] of lines.entries()) {
    const fence = /^\s*(`{3,}|~{3,})\s*(.*)$/.exec(line);
    if (open === undefined) {
      if (fence !== null)
        open = { mark: fence[1] ?? "", info: (fence[2] ?? "").trim(), line: index + 2, body: [] };
      continue;
    }
    const closes = fence !== null && (fence[1] ?? "").startsWith(open.mark) && fence[2] === "";
    if (!closes) {
      open.body.push(line);
      continue;
    }
    take(open, lines.slice(index + 1));
    open = undefined;
  }
  if (open !== undefined) problems.push({ file, line: open.line - 1, message: "the fence is never closed" });
  return { blocks, problems };

  function take({ info, line, body }: Fence, rest: readonly string[]): void {
    const [language = "", ...options] = info.split(/\s+/);
    if (language !== "ts" && language !== "typescript") return;
    if (options.length === 0)
      blocks.push({ file, line, text: body.join("\n"), expected: expectedOutput(body) });
    else if (options.join(" ") !== "no-run")
      problems.push({ file, line: line - 1, message: `"${info}" is no fence we know: ts, or ts no-run` });
    else if (!/^<!-- no-run: \S.+-->$/.test(rest.find((text) => text.trim() !== "")?.trim() ?? "")) {
      problems.push({
        file,
        line: line - 1,
        message: 'ts no-run without a comment "<!-- no-run: why -->" after the block',
      });
    }
  }
}

function expectedOutput(body: readonly string[]): string[] {
  return body.flatMap((line) => {
    const found = /\/\/ => ?(.*)$/.exec(line);
    return found === null ? [] : [(found[1] ?? "").trimEnd()];
  });
}

/** The first expected line that the output does not have in its place, or undefined when all are there. */
export function missingOutput(expected: readonly string[], stdout: string): string | undefined {
  const printed = stdout.split(/\r?\n/).map((line) => line.trimEnd());
  let from = 0;
  for (const line of expected) {
    const at = printed.indexOf(line, from);
    if (at < 0) return line;
    from = at + 1;
  }
  return undefined;
}
