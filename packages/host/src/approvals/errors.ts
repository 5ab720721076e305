/** The refusals of a board of approvals, one class per failure. */
import { OversightError } from "@glia-os/abi/errors/oversight";
import type { Approval } from "@glia-os/abi/ports";

/** Somebody answered already. */
export class AnsweredBeforeError extends OversightError<"oversight.answered-before"> {
  constructor(id: string, answer: Approval | undefined) {
    const how = answer?.approved === false ? "denied" : "approved";
    super("oversight.answered-before", `${id} was ${how} before${answer ? ` by ${answer.by}` : ""}`, {
      details: { id, ...answer },
    });
  }
}

/** An answer that says too little or too much. */
export class BadAnswerError extends OversightError<"oversight.bad-answer"> {
  constructor() {
    super("oversight.bad-answer", "the answer does not say who decides, or says more than it may");
  }
}

/** A file of the board that nobody wrote like this. */
export class BoardDamagedError extends OversightError<"oversight.board-damaged"> {
  constructor(file: string, why: string) {
    super("oversight.board-damaged", `${file} cannot be used: ${why}`, { details: { file, why } });
  }
}

/** The board has as many questions as it holds. */
export class BoardFullError extends OversightError<"oversight.board-full"> {
  constructor(most: number) {
    super("oversight.board-full", `the board holds ${most} questions`, { details: { most } });
  }
}

/** The same call asks for something else than was shown. */
export class ChangedArgumentsError extends OversightError<"oversight.changed-arguments"> {
  constructor(key: string, why: string) {
    super("oversight.changed-arguments", why, { details: { key } });
  }
}

/** No such question. */
export class UnknownApprovalError extends OversightError<"oversight.unknown-approval"> {
  constructor(id: string) {
    super("oversight.unknown-approval", `nobody asks for ${id.slice(0, 64)}`, { details: { id } });
  }
}
