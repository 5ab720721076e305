/** What an agent made by `agent()` answers its node and programs outside, who may ask what other agents may not (agents-service.md). */
import type { AgentProcess } from "../agent/agent-process.ts";
import { recordOf } from "../agent/error-record.ts";
import { BadArgumentError } from "../agent/errors.ts";
import type { AnyAgent } from "../agent/kind.ts";
import type { HostWord } from "./host-words.ts";

const STEPS = 64;

/** Do what a word says; the answer to it as plain data. `more`: messages that wait beside those of the interpreter. */
export function answerWord(
  process: AgentProcess,
  definitions: ReadonlyMap<string, AnyAgent>,
  word: HostWord,
  more: number,
): unknown {
  switch (word.host) {
    case "report":
      return report(process, more);
    case "messages":
      return process.messageLog();
    case "log":
      process.keepLog(word.entries);
      return null;
    case "pause":
      process.pause();
      return null;
    case "resume":
      process.resume();
      return null;
    case "upgrade":
      return upgrade(process, definitions, word.definition);
    case "stop":
      process.stop("stopped");
      return null;
    default:
      return null; // It began already.
  }
}

function report(process: AgentProcess, more: number): unknown {
  const { definition, lifecycle: state, dropped } = process;
  const { name: kind, version } = definition;
  const [waiting, children, profile] = [process.waiting + more, process.children(), process.profile()];
  return { kind, version, state, waiting, dropped, children, profile };
}

/** Null when it was done, an error record when it was refused, and `busy` while a handler is under way: then it is to be asked again. */
function upgrade(process: AgentProcess, definitions: ReadonlyMap<string, AnyAgent>, key: string): unknown {
  const definition = definitions.get(key);
  if (definition === undefined) {
    const why = new BadArgumentError("definition", `the bundle exports no agent ${String(key).slice(0, 80)}`);
    return { error: recordOf(why, "upgrade") };
  }
  let answer: unknown = { busy: true };
  const giveUp = process.upgrade(definition, (error) => {
    answer = error === undefined ? null : { error: recordOf(error, "upgrade") };
  });
  while (process.run(STEPS));
  giveUp();
  return answer;
}
