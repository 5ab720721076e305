/** Prints docs/spec/errors.md from the code table: `node --conditions=@glia-os/source packages/abi/scripts/print-errors.ts [--write]`. */
import { writeFileSync } from "node:fs";
import { ERROR_CODES } from "@glia-os/abi/errors/all";

const HEADER = `# Error codes

Printed from \`packages/abi/src/errors/codes\` by \`packages/abi/scripts/print-errors.ts\`; do not edit by hand. Record version: 1.

Every refusal is a \`GliaError\`. Programs look at \`code\`, which is stable; messages may change. As data (JSON, CBOR, logs) an error is
\`{code, message, changed, fix, retryable, details?}\`. A reader keeps a code it does not know (\`RemoteError\`). "Again" says whether the very
same call may succeed later.
`;

/** The text of docs/spec/errors.md. */
export function errorsPage(): string {
  const namespaces = Map.groupBy(Object.entries(ERROR_CODES), ([code]) => code.slice(0, code.indexOf(".")));
  let page = HEADER;
  for (const [namespace, rows] of [...namespaces].sort(([a], [b]) => (a < b ? -1 : 1))) {
    page += `\n## \`${namespace}\`\n\n| code | again | what changed | what to do |\n|---|---|---|---|\n`;
    for (const [code, facts] of rows.sort(([a], [b]) => (a < b ? -1 : 1))) {
      page += `| \`${code}\` | ${facts.retryable ? "yes" : "no"} | ${facts.changed} | ${facts.fix} |\n`;
    }
  }
  return page;
}

if (import.meta.main) {
  const page = errorsPage();
  if (process.argv.includes("--write")) {
    writeFileSync(new URL("../../../docs/spec/errors.md", import.meta.url), page);
  } else process.stdout.write(page);
}
