/** A model that says what it is told: for tests of programs. */
import type { CancelSignal, Model } from "@glia-os/abi/ports";
import { ScriptEndedError } from "./errors.ts";

/** Plain data that a model answers with. */
export type Plain = Readonly<Record<string, unknown>>;
/** One answer: data, an error to fail with, or a function of the request and its number from 0. */
export type ScriptedAnswer = Plain | Error | ((request: Plain, number: number) => Plain | Error);

/** A model that was asked. */
export interface ScriptedModel extends Model {
  /** Every request so far, as it came. */
  readonly asked: readonly Plain[];
}

/**
 * Answers in order, one per request. With `repeat` the last one answers for ever; else one request too many fails with
 * {@link ScriptEndedError}.
 */
export function createScriptedModel(
  answers: readonly ScriptedAnswer[],
  { repeat = false }: { readonly repeat?: boolean } = {},
): ScriptedModel {
  const asked: Plain[] = [];
  return {
    asked,
    async complete(request: Plain, _cancel: CancelSignal): Promise<Plain> {
      const number = asked.push(request) - 1;
      const answer = answers[repeat ? Math.min(number, answers.length - 1) : number];
      if (answer === undefined) throw new ScriptEndedError(answers.length);
      const said = typeof answer === "function" ? answer(request, number) : answer;
      if (said instanceof Error) throw said;
      return said;
    },
  };
}
