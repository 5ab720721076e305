/** The option `--on-failure`: how a durable program goes on when it failed. */
import type { DurableProgram, RestartEvent } from "@glia-os/durable";
import type { Context } from "../context.ts";
import { UsageError } from "../errors.ts";
import { callName } from "./domain-summary.ts";

const CHOICES = ["resume", "fresh", "escalate"] as const;
const REPLACE = "replace=";

/** What may be given. */
export type FailureChoice =
  | (typeof CHOICES)[number]
  | { readonly choice: "replace"; readonly result: unknown };

/** The choice of an option. @throws {UsageError} */
export function failureChoice(text: string | undefined): FailureChoice | undefined {
  if (text === undefined) return undefined;
  const choice = CHOICES.find((each) => each === text);
  if (choice !== undefined) return choice;
  if (text.startsWith(REPLACE)) return { choice: "replace", result: parsed(text.slice(REPLACE.length)) };
  throw new UsageError(
    `--on-failure ${text.slice(0, 40)} is no choice`,
    `Give ${CHOICES.join(", ")}, or ${REPLACE}JSON.`,
  );
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch (error) {
    throw new UsageError(
      `the result of --on-failure is no JSON: ${(error as Error).message}`,
      `Give it as JSON, such as ${REPLACE}null or ${REPLACE}'{"paid":false}'.`,
    );
  }
}

/** A program whose failures are dealt with as the option says; without one, as it says itself. */
export function withChoice(program: DurableProgram, choice: FailureChoice | undefined): DurableProgram {
  if (choice === undefined) return program;
  return { ...program, recovery: { ...program.recovery, onFailure: choice } };
}

const WORDS: Readonly<Record<RestartEvent["choice"], string>> = {
  resume: "It goes on from its journal.",
  fresh: "It begins afresh.",
  replace: "It goes on with another result.",
  escalate: "It is not restarted.",
};

/** Say what was decided about a failure. */
export function tellRestart(event: RestartEvent, { terminal }: Context): void {
  const { domain, choice, at, error, times } = event;
  const call = at.call === undefined ? at.name : `${callName(at.call.op)} of ${at.call.service}`;
  terminal.record({ event: "failed", domain, choice, seq: at.seq, key: at.call?.key, times, error });
  terminal.note(`${domain} failed at record ${at.seq} (${call}): ${error.message}. ${WORDS[choice]}`);
}
