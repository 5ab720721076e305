/** `glia approvals`, `glia approve` and `glia deny`: what programs ask of people. */
import { userInfo } from "node:os";
import type { PostedApproval } from "@glia-os/abi/ports";
import { UnknownApprovalError } from "@glia-os/host";
import type { Context } from "../context.ts";
import { folderWithPrograms } from "../durable/history/with-journal.ts";
import { UsageError } from "../errors.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { boardOf } from "./oversight-folder.ts";

/** List the approvals of a journal that wait, or all. */
export async function approvalsCommand(
  folder: string,
  { all = false }: { readonly all?: boolean },
  { terminal }: Context,
): Promise<ExitCode> {
  await folderWithPrograms(folder);
  const found = (await boardOf(folder).list()).filter(({ answer }) => all || answer === undefined);
  for (const approval of found) {
    terminal.record({ event: "approval", ...approval });
    for (const line of linesOf(approval)) terminal.line(line);
  }
  terminal.record({ ok: true, approvals: found.length });
  if (found.length === 0) terminal.line(all ? "Nothing was asked." : "Nothing waits for an answer.");
  return EXIT.ok;
}

/** Options of an answer, as texts. */
export interface AnswerOptions {
  readonly by?: string;
  readonly reason?: string;
}

/** Approve. */
export function approveCommand(
  folder: string,
  id: string,
  options: AnswerOptions,
  context: Context,
): Promise<ExitCode> {
  return answer(folder, id, true, options, context);
}

/** Deny. */
export function denyCommand(
  folder: string,
  id: string,
  options: AnswerOptions,
  context: Context,
): Promise<ExitCode> {
  return answer(folder, id, false, options, context);
}

async function answer(
  folder: string,
  id: string,
  approved: boolean,
  { by = userInfo().username, reason }: AnswerOptions,
  { terminal }: Context,
): Promise<ExitCode> {
  await folderWithPrograms(folder);
  const board = boardOf(folder);
  const posted = wanted(await board.list(), id);
  const said = { approved, by, ...(reason === undefined ? {} : { reason }) };
  const answered = await board.answer(posted.id, said);
  terminal.record({ ok: true, ...answered });
  terminal.line(`${approved ? "Approved" : "Denied"}: ${answered.question}`);
  return EXIT.ok;
}

/** The approval with this id, or the only one whose id begins with it. */
function wanted(approvals: readonly PostedApproval[], id: string): PostedApproval {
  const found = approvals.filter((each) => each.id.startsWith(id.toLowerCase()));
  if (found.length > 1)
    throw new UsageError(`${id} begins the ids of ${found.length} approvals`, "Give more of the id.");
  const [only] = id === "" ? [] : found;
  if (only === undefined) throw new UnknownApprovalError(id);
  return only;
}

function linesOf({ id, key, question, args, askedMs, answer: given }: PostedApproval): readonly string[] {
  const said = given?.approved === true ? "approved" : "denied";
  const reason = given?.reason === undefined ? "" : `: ${given.reason}`;
  return [
    `${id}  ${question}`,
    `    asked by ${key} at ${new Date(askedMs).toISOString()}`,
    ...(args === null ? [] : [`    ${args}`]),
    ...(given === undefined ? [] : [`    ${said} by ${given.by}${reason}`]),
  ];
}
