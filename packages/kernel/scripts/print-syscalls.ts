/** Prints docs/spec/syscalls.md from the syscall table: `node --conditions=@glia-os/source packages/kernel/scripts/print-syscalls.ts [--write]`. */
import { writeFileSync } from "node:fs";
import { ALL_RIGHTS, RIGHTS, rightNames, SYSCALLS, type SyscallRow } from "@glia-os/abi/syscalls";
import { OPCODE_NAMES } from "../src/internal.ts";

const HEADER = `# System calls

Printed from \`packages/abi/src/syscalls/table.ts\` by \`packages/kernel/scripts/print-syscalls.ts\`; do not edit by hand. Record version: 1.

Everything a task does to the world is one of these calls. Each takes one road: authorize, meter, journal, perform, trace.

- **S1.** Numbers are stable and never reused: they are written into journals and snapshots.
- **S2.** An argument marked *secret* is never journaled, traced or logged; only its handle is.
- **S3.** The effect class decides journaling. \`local\`: nothing is recorded. \`read\`: the outcome is recorded with the next group commit.
  \`idempotent\`: as \`read\`, and the call may be performed again after a crash. \`once\`: the intent is durable before the effect starts.
- A call that waits is performed by \`yield* sys.name(...)\`; the others are plain calls.
- Every call can fail with \`kernel.outside-task\`; one that waits also with \`kernel.cancelled\`, \`kernel.killed\`, \`kernel.operation-reused\`
  and \`kernel.operation-not-used\`. The other codes of a call stand in the table; what each means: [errors.md](errors.md).
- *Performed* says whether this build's kernel performs the call. A call that it does not perform yet says with what it comes: its number,
  name and class are fixed, and \`sys\` has no method for it.
- \`exec\`, \`fetch\`, \`file\`, \`model\` and \`approve\` go to services that the shell offers (\`Kernel.service\`); a task without a handle of one
  reaches nothing. They fail also with what the service fails with.

`;

/** The calls this kernel does not perform yet, and what brings them. */
export const COMES_WITH: Readonly<Record<string, string>> = {};

function argumentsOf(row: SyscallRow): string {
  const texts = row.args.map(
    ({ name, type, secret }) => `${name}: ${type.replaceAll("|", "\\|")}${secret ? " *secret*" : ""}`,
  );
  return texts.join(", ") || "-";
}

function rowText(row: SyscallRow): string {
  const cells = [
    String(row.number),
    `\`${row.name}\``,
    argumentsOf(row),
    row.result,
    row.right === "none" ? "-" : row.right,
    row.blocking ? "yes" : "no",
    row.effect,
    row.errors.map((code) => `\`${code}\``).join(" ") || "-",
    Object.hasOwn(OPCODE_NAMES, row.number) ? "yes" : `comes with ${COMES_WITH[row.name] ?? "nothing"}`,
    row.summary,
  ];
  return `| ${cells.join(" | ")} |\n`;
}

/** The text of docs/spec/syscalls.md. */
export function syscallsPage(): string {
  let page = HEADER;
  page += "| # | name | arguments | result | right | waits | effect | errors | performed | what it does |\n";
  page += "|---|---|---|---|---|---|---|---|---|---|\n";
  for (const row of [...SYSCALLS.values()].sort((a, b) => a.number - b.number)) page += rowText(row);
  page +=
    "\n## Rights\n\nRights are bits of a set. Deriving a capability can only take bits away.\n\n| right | bit |\n|---|---|\n";
  for (const name of rightNames(ALL_RIGHTS)) page += `| ${name} | 0x${RIGHTS[name].toString(16)} |\n`;
  return page;
}

if (import.meta.main) {
  const page = syscallsPage();
  if (process.argv.includes("--write")) {
    writeFileSync(new URL("../../../docs/spec/syscalls.md", import.meta.url), page);
  } else process.stdout.write(page);
}
