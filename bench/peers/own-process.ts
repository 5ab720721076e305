/**
 * Contestants in a process of their own, as Erlang, Go and Python have. In a process that several share, the engine compiles the
 * kernel's code for all the programs it has seen there, and whoever runs later is slower: up to twice, measured.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Contestant } from "../src/suite.ts";

const WARM_UPS = 5;
const WARM_UP = 10_000;

type Answers = AsyncIterator<string, undefined>;

async function ask(child: ChildProcess, answers: Answers, question: string): Promise<number> {
  child.stdin!.write(`${question}\n`);
  const answer = await answers.next();
  const value = Number(answer.value);
  if (answer.done === true || !Number.isFinite(value))
    throw new RangeError(`a contestant answered ${question} with ${answer.value}`);
  return value;
}

/** The contestant `name` of a module under `peers/`, started and warm. Undefined when it is missing there. */
async function start(module: string, name: string): Promise<Contestant | undefined> {
  const args = [...process.execArgv, join(import.meta.dirname, "serve.ts"), module, name];
  const child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
  const answers = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  const close = (): void => {
    child.stdin!.end();
  };
  const how = await answers.next();
  if (how.value === "missing") {
    close();
    return undefined;
  }
  if (how.value === "value") return { value: () => ask(child, answers, "value"), close };
  if (how.value !== "run") throw new RangeError(`${module} could not start ${name}`);
  for (let i = 0; i < WARM_UPS; i++) await ask(child, answers, String(WARM_UP));
  return {
    async run(times) {
      await ask(child, answers, String(times));
    },
    close,
  };
}

/** A peer that may be missing. */
export function inOwnProcess(module: string, name: string): () => Promise<Contestant | undefined> {
  return () => start(module, name);
}

/** One of `glia/workloads.ts` or another module of ours, which never is missing. */
export function ours(name: string, module = "glia/workloads.ts"): () => Promise<Contestant> {
  return async () => {
    const contestant = await start(module, name);
    if (contestant === undefined) throw new RangeError(`${module} has no contestant ${name}`);
    return contestant;
  };
}
