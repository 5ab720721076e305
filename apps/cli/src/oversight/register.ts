/** The commands of approvals and of the audit. */
import type { Command } from "commander";
import { group, type Registrar } from "../registrar.ts";

/** Add them to `glia`. */
export function addOversight(program: Command, register: Registrar): void {
  const list = register.leaf(
    program,
    "approvals <folder>",
    "List what the programs of a journal ask people for, also while none runs.",
    ["glia approvals ./journal", "glia approvals ./journal --all --json"],
  );
  list.option("--all", "also those that were answered");
  register.runs(list, async () => (await import("./approvals.ts")).approvalsCommand);

  const approve = register.leaf(
    program,
    "approve <folder> <id>",
    "Approve what a program asks for, once; it goes on now, or when it is run the next time.",
    ["glia approve ./journal 3f2a"],
  );
  register.runs(answerOptions(approve), async () => (await import("./approvals.ts")).approveCommand);

  const deny = register.leaf(program, "deny <folder> <id>", "Deny what a program asks for, once.", [
    `glia deny ./journal 3f2a --reason "too dear"`,
  ]);
  register.runs(answerOptions(deny), async () => (await import("./approvals.ts")).denyCommand);

  const audit = group(program, "audit", "Look at what durable programs were allowed and refused.");
  const verify = register.leaf(
    audit,
    "verify <path>",
    "Check the audit of a journal's folder, or of a file: names the first entry that was changed, taken out or moved.",
    ["glia audit verify ./journal", "glia audit verify audit-copy.jsonl --head 12:5f0c..."],
  );
  verify.option("--head <head>", "a head that verify printed before, which must be among the entries");
  register.runs(verify, async () => (await import("./audit.ts")).auditVerify);
  const show = register.leaf(audit, "show <path>", "Show the entries of an audit, each checked.", [
    "glia audit show ./journal",
    "glia audit show ./journal --domain order/17 --json",
  ]);
  show.option("--domain <name>", "of this domain only");
  register.runs(show, async () => (await import("./audit.ts")).auditShow);
}

function answerOptions(command: Command): Command {
  return command
    .option("--by <name>", "who decides (default: the user of this process)")
    .option("--reason <text>", "why; the program hears it");
}
