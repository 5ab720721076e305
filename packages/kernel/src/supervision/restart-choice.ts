/**
 * How a child goes on after it failed, beyond OTP: from its journal, afresh, with the failing result replaced, or not at all.
 *
 * RC1. A choice is checked before anything follows from it: what is none escalates, and says so.
 */
import { shown } from "../shown.ts";
import { BadRestartChoiceError } from "./errors.ts";

/**
 * `resume`: from where it was, by its journal. `fresh`: from its beginning, with another input where one is given. `replace`: from where it
 * was, as if the call that failed had come to this result. `escalate`: not here; the failure is the next level's.
 */
export type RestartChoice =
  | { readonly choice: "resume" }
  | { readonly choice: "fresh"; readonly input?: unknown }
  | { readonly choice: "replace"; readonly result: unknown }
  | { readonly choice: "escalate" };

/** A choice, or the name of one that needs nothing else. */
export type RestartAnswer = RestartChoice | "resume" | "fresh" | "escalate";

/** A child's failure, as who chooses sees it. */
export interface ChildFailure {
  /** The id of the child. */
  readonly child: string;
  /** Why it ended. */
  readonly reason: unknown;
  /** How many times in a row it failed so after as many syscalls, this time included; 0 where that is not counted. */
  readonly times: number;
  /** Failures in a row without a life of a whole period, this one included. */
  readonly failures: number;
}

const NAMES: readonly unknown[] = ["resume", "fresh", "replace", "escalate"];

/** The choice an answer is. @throws {BadRestartChoiceError} (RC1) */
export function checkedChoice(answer: unknown): RestartChoice {
  const choice = typeof answer === "string" ? { choice: answer } : answer;
  if (typeof choice !== "object" || choice === null || !NAMES.includes((choice as RestartChoice).choice))
    throw new BadRestartChoiceError(`${shown(answer, 100)} is none of ${NAMES.join(", ")}`);
  if ((choice as RestartChoice).choice === "replace" && !Object.hasOwn(choice, "result"))
    throw new BadRestartChoiceError("replace has no result");
  return choice as RestartChoice;
}
