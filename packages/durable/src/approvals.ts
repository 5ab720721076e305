/**
 * `sys.approve` of durable programs over a board of approvals: a wait that outlives the process.
 *
 * AP1. The question is durable on the board before anybody can answer, and stands under the key of its call: asked again after a restart,
 *      it is the same question, and an answer that came meanwhile is taken.
 */
import type { Approval, ApprovalBoard, CancelSignal, PostedApproval } from "@glia-os/abi/ports";
import { CancelSource, type ShownQuestion } from "@glia-os/kernel/services";
import type { DurableService } from "./program.ts";

/** Hears of questions that wait for an answer. */
export type OnAsked = (approval: PostedApproval) => void;

/** The service of kind `approver` over a board. `onAsked` hears of each question that nobody has answered yet. */
export function approvalService(board: ApprovalBoard, onAsked: OnAsked = () => {}): DurableService {
  return {
    repeatable: true,
    service: {
      kind: "approver",
      name: "approver",
      concurrency: 65_536,
      perform: (request, settle, { key }) => {
        const cancel = new CancelSource();
        const { question, args } = questionOf(request as string | ShownQuestion);
        askOn(board, { key, question, args }, cancel, onAsked).then(
          (approval) => settle.ok(approval),
          (error: unknown) => settle.fail(error),
        );
        return () => cancel.cancel("the task stopped waiting");
      },
    },
  };
}

/** Ask on a board and wait for the answer (AP1). @throws what the board throws */
export async function askOn(
  board: ApprovalBoard,
  request: { readonly key: string; readonly question: string; readonly args: string | null },
  cancel: CancelSignal,
  onAsked: OnAsked,
): Promise<Approval> {
  const posted = await board.post(request);
  if (posted.answer === undefined) onAsked(posted);
  return await board.answered(posted.id, cancel);
}

function questionOf(request: string | ShownQuestion): ShownQuestion {
  return typeof request === "string" ? { question: request, args: null } : request;
}
