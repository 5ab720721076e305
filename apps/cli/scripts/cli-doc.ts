/**
 * docs/cli.md, made of the help of every command.
 *
 * Run: node --conditions=@glia-os/source apps/cli/scripts/print-cli-doc.ts > docs/cli.md
 */
import { PassThrough } from "node:stream";
import { createProgram } from "../src/program.ts";
import { Terminal } from "../src/terminal/terminal.ts";
import { helpPages } from "./help-pages.ts";

const INTRODUCTION = `# The command line

\`glia\` is the command of the npm package \`glia\`. This page shows the help of every command as the program prints it
(\`glia COMMAND --help\`); \`apps/cli/scripts/print-cli-doc.ts\` writes the page and a test compares the two.

## What all commands share

Results go to standard output, everything else to standard error. An error is one line: what was wrong and what to do.
\`-v\` adds the stack trace.

With \`--json\`, standard output carries JSON lines and nothing else. A command that ends prints one final line with
\`"ok":true\`, or \`{"ok":false,"error":{"code","message","changed","fix","retryable","details"}}\`. Codes are listed in
[spec/errors.md](spec/errors.md). \`mesh start\` and \`mesh join\` print lines with an \`event\`: \`ready\` (node, name, role,
cluster, address, transport, pid, data, and joinLine for \`mesh start\`), \`node-event\` for what happens in the mesh, and
\`stopped\` (why, peakRssBytes).

Colour is used on a terminal only, and never when \`NO_COLOR\` is set. Progress is repainted on a terminal and printed as plain
lines elsewhere.

| Exit code | Meaning |
|---|---|
| 0 | Done. For \`mesh start\` and \`mesh join\`: stopped by Ctrl-C or SIGTERM once they were running. |
| 1 | Refused or failed; also when the reader of standard output went away before the end. |
| 2 | The command line makes no sense. |
| 130 | Interrupted (Ctrl-C, SIGTERM, SIGHUP) before the work was done. |

## Where nodes keep their data

\`--data DIR\`, or else a folder of the node's name under \`$GLIA_HOME\`, or under \`$XDG_STATE_HOME/glia\`, or under
\`~/.local/state/glia\`. The name is \`--name\`, or the machine's name and the role. Commands that ask a node (\`mesh status\`,
\`mesh token\`, \`agent ...\`) find it by \`--data\` or \`--name\`; without either they take the only node that runs and refuse to
guess among several.

## What \`glia demo\` prints with \`--json\`

One line. Its keys, in this order: \`ok\`, \`transport\`, \`nodes\`, \`files\`, \`lines\`, \`words\`, \`bytes\`, \`top\`,
\`topApproximate\`, \`expected\` (the independent count: files, lines, words, bytes, top), \`sent\`, \`applied\`, \`lost\`,
\`duplicated\`, \`migrations\` (each: from, to, strategy, bytes, downtimeMs, epoch, phases, messagesDuring), \`owner\`,
\`duplicatesRefused\`, \`peakRssBytes\` (by node, and cli), \`elapsedMs\`, \`differences\`.

What is counted: every regular file below the folder, symbolic links not followed. Bytes and lines as \`wc -c\` and \`wc -l\`
count them. A word is a maximal run of code points of Unicode 16.0 category L* or Nd after decoding UTF-8 with invalid bytes
replaced; words are compared after simple lower-case mapping. A word of more than 64 bytes is shown as
\`[prefix, count, bytes]\`: its first 40 bytes and its length. Up to 1,000,000 distinct words everything is exact. Beyond, the
agent's counts of frequent words are upper bounds (Space-Saving) and \`topApproximate\` is true; the independent count then
reads the files a second time and checks each bound. Files are read up to the length they had when they were opened.
`;

/** The whole page. */
export function cliDoc(): string {
  const sink = new PassThrough();
  const terminal = new Terminal({ out: sink, err: sink, json: false, verbose: false });
  const interrupt = new AbortController().signal;
  const program = createProgram({ terminal, interrupt, stdin: process.stdin }, { code: 0 }, () => "");
  const pages = helpPages(program).map(({ name, text }) => `## ${name}\n\n\`\`\`text\n${text}\n\`\`\`\n`);
  return `${INTRODUCTION}\n${pages.join("\n")}`;
}
