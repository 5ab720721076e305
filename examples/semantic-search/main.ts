/** `node main.ts FOLDER QUESTION... [--top N] [--json]`: the passages of a folder's documents that are nearest to a question. */
import { parseArgs } from "node:util";
import { createSystemClock, createSystemRandom, createSystemTimers } from "@glia-os/hal";
import { runKernel } from "@glia-os/host";
import { createKernel, type Handle } from "@glia-os/kernel";
import { type Passage, passagesBelow } from "./passages.ts";
import { type Found, type Question, searchAgent } from "./search-agent.ts";

/** Ask questions about passages, of an agent made for them; what was found for each. */
export async function ask(
  passages: readonly Passage[],
  ...questions: readonly Question[]
): Promise<readonly (readonly Found[])[]> {
  const kernel = createKernel({ clock: createSystemClock(), random: createSystemRandom() });
  const machine = runKernel(kernel, { timers: createSystemTimers() });
  const exit = await machine.exitOf<readonly (readonly Found[])[]>(
    kernel.spawn(function* (sys) {
      const service = sys.endpoint();
      const agent = sys.spawn((sys, service: Handle) => searchAgent(sys, service, passages), {
        give: [service],
      });
      const found: (readonly Found[])[] = [];
      for (const question of questions) found.push((yield* sys.call(service, question)) as readonly Found[]);
      sys.kill(agent);
      return found;
    }),
  );
  await machine.ended();
  if (exit.kind !== "ok") throw new RangeError(`the agent did not answer: ${exit.kind}`);
  return exit.value;
}

/** What the program prints. */
export function report(found: readonly Found[]): string {
  if (found.length === 0) return "nothing to search: no .md or .txt file there";
  return found
    .map(({ score, passage: { file, line, text } }) => {
      const shown = text.replace(/\s+/g, " ").slice(0, 160);
      return `${score.toFixed(3)}  ${file}:${line}\n       ${shown}`;
    })
    .join("\n");
}

const USAGE = "usage: node main.ts FOLDER QUESTION... [--top N] [--json]";

/** What the command line asks for; undefined where it does not say it rightly. */
function asked(args: readonly string[]) {
  const options = {
    top: { type: "string", default: "5" },
    json: { type: "boolean", default: false },
  } as const;
  try {
    const { values, positionals } = parseArgs({ args: [...args], allowPositionals: true, options });
    const [folder, ...words] = positionals;
    const top = Number(values.top);
    if (folder === undefined || words.length === 0 || !Number.isInteger(top) || top < 1) return undefined;
    return { folder, text: words.join(" "), top, json: values.json };
  } catch {
    return undefined;
  }
}

if (import.meta.main) {
  const wish = asked(process.argv.slice(2));
  if (wish === undefined) {
    console.error(USAGE);
    process.exitCode = 2;
  } else
    try {
      const [found = []] = await ask(passagesBelow(wish.folder), { text: wish.text, top: wish.top });
      console.log(wish.json ? JSON.stringify(found, null, 2) : report(found));
    } catch (error) {
      console.error(`semantic-search: ${error instanceof Error ? error.message : String(error)}`);
      process.exitCode = 1;
    }
}
