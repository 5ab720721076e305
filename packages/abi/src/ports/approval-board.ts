/**
 * Where questions to people wait for their answers (docs/time-travel.md).
 *
 * AB1. An approval is named by a hash of everything that was shown. Other arguments make another approval, which nobody has answered.
 * AB2. An approval has one answer for ever. Of two that come at the same time, one is refused.
 * AB3. `post` and `answer` resolve when what they say survives the process. An answer may come while nobody waits for it.
 */
import type { CancelSignal } from "./cancel-signal.ts";
import type { Approval } from "./outside.ts";

/** What somebody is asked. */
export interface ApprovalRequest {
  /** Which call of which program asks; the same in every run of it. 1 to 512 characters. */
  readonly key: string;
  /** 1 to 10,000 characters. */
  readonly question: string;
  /** What the question is about, as JSON text of at most 65,536 characters; null for nothing. */
  readonly args: string | null;
}

/** An approval as it stands. */
export interface PostedApproval extends ApprovalRequest {
  /** Its name (AB1): 32 hexadecimal digits. */
  readonly id: string;
  /** When it was asked, in milliseconds since the Unix epoch. */
  readonly askedMs: number;
  /** Its answer, once there is one. */
  readonly answer?: Approval & { readonly atMs: number };
}

/** Approvals of one place, such as the folder of a journal. */
export interface ApprovalBoard {
  /**
   * Ask; asking the same again changes nothing. @throws `oversight.changed-arguments` when the same call asked something else before,
   * `oversight.board-full`, `oversight.board-damaged`
   */
  post(request: ApprovalRequest): Promise<PostedApproval>;
  /** Wait for the answer of a posted approval. Rejects when `cancel` is raised. @throws `oversight.unknown-approval` */
  answered(id: string, cancel: CancelSignal): Promise<Approval>;
  /** Answer (AB2). @throws `oversight.unknown-approval`, `oversight.answered-before`, `oversight.bad-answer`, `oversight.board-damaged` */
  answer(id: string, approval: Approval): Promise<PostedApproval>;
  /** Every approval, oldest first. O(approvals). @throws `oversight.board-damaged` */
  list(): Promise<readonly PostedApproval[]>;
  /** Forget what a call asked and was answered, so that it asks anew: for what was rolled back. Returns how many were forgotten. */
  withdraw(wanted: (approval: PostedApproval) => boolean): Promise<number>;
}
