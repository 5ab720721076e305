/** `glia fork FOLDER DOMAIN --at SEQ`: another course of a domain, from one of its records on. */
import { type ForkChange, forkDomain } from "@glia-os/durable";
import { openFileJournal } from "@glia-os/store/journal";
import type { Context } from "../../context.ts";
import { DomainMissingError, UsageError } from "../../errors.ts";
import { EXIT, type ExitCode } from "../../exit-code.ts";
import { checkName, runDurable } from "../run-durable.ts";
import { recordNumber } from "./record-number.ts";
import { folderWithJournal } from "./with-journal.ts";

/** Its options, as texts. */
export interface ForkTexts {
  readonly at: string;
  readonly set?: string;
  readonly as?: string;
  readonly program?: string;
}

/** Fork a domain, and run it on when its program is given. */
export async function forkCommand(
  folder: string,
  domain: string,
  options: ForkTexts,
  context: Context,
): Promise<ExitCode> {
  const { terminal } = context;
  const at = recordNumber("--at", options.at);
  const change = options.set === undefined ? {} : { change: changeOf(options.set) };
  const as = options.as ?? `${domain}@${at}`;
  checkName("--as", as);
  folderWithJournal(folder);
  const journal = await openFileJournal({ folder });
  try {
    if ((await journal.head(domain)) === undefined) throw new DomainMissingError(domain, folder);
    const records = await forkDomain(journal, { domain, at, as, ...change });
    terminal.record({ event: "forked", domain: as, from: domain, at, records });
    terminal.note(`${as} shares ${records} records with ${domain}.`);
  } finally {
    await journal.close();
  }
  if (options.program !== undefined)
    return await runDurable(options.program, { journal: folder, name: as }, context);
  terminal.record({ ok: true, domain: as });
  terminal.line(`glia run PROGRAM.ts --journal ${folder} --name ${as}`);
  return EXIT.ok;
}

const CHANGES: ReadonlySet<string> = new Set(["result", "message", "input"]);

function changeOf(text: string): ForkChange {
  const [what = "", json = ""] = [text.slice(0, text.indexOf("=")), text.slice(text.indexOf("=") + 1)];
  if (!CHANGES.has(what))
    throw new UsageError(
      `--set ${text.slice(0, 40)} sets nothing that a record has`,
      "Give --set result=JSON, --set message=JSON or --set input=JSON.",
    );
  try {
    return { what: what as ForkChange["what"], value: JSON.parse(json) };
  } catch (error) {
    throw new UsageError(
      `--set ${what} is no JSON: ${(error as Error).message}`,
      `Give it in quotes of the shell: --set '${what}={"paid":true}'.`,
    );
  }
}
