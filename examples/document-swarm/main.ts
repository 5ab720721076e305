/** `node main.ts FOLDER QUESTION... [--top N] [--indexers N] [--json]`: a swarm of agents indexes a folder and answers a question about it. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { createLocalSystem } from "@glia-os/cells/agent";
import { createSystemClock, createSystemRandom, createSystemTimers } from "@glia-os/hal";
import { type Answer, coordinator, type Indexed } from "./coordinator.ts";
import type { Question } from "./indexer.ts";
import type { Document } from "./pipeline.ts";

const INDEX_MS = 600_000;
const INDEXERS_MOST = 64;

/** The .md and .txt files below a folder, in order of path. */
export function documentsBelow(folder: string): Document[] {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" });
  return files
    .filter((file) => /\.(md|txt)$/.test(file))
    .sort()
    .map((file) => ({ file, text: readFileSync(join(folder, file), "utf8") }));
}

/** Index documents with so many indexers and ask questions; what was indexed where, and an answer for each question. */
export async function askSwarm(
  documents: readonly Document[],
  questions: readonly Question[],
  indexers = 4,
): Promise<{ readonly indexed: Indexed; readonly answers: readonly Answer[] }> {
  const system = createLocalSystem({
    clock: createSystemClock(),
    random: createSystemRandom(),
    timers: createSystemTimers(),
  });
  try {
    const swarm = await system.spawn(coordinator, { name: "coordinator", input: { indexers } });
    const indexed = (await system.ask(swarm, "index", documents, { timeoutMs: INDEX_MS })) as Indexed;
    const answers: Answer[] = [];
    for (const question of questions)
      answers.push((await system.ask(swarm, "ask", question, { timeoutMs: INDEX_MS })) as Answer);
    return { indexed, answers };
  } finally {
    await system.close();
  }
}

/** What the program prints. */
export function report(indexed: Indexed, { found, answered, of }: Answer): string {
  const spread = Object.entries(indexed).map(([name, count]) => `${name} ${count}`);
  const head = `passages: ${spread.join(", ")}; ${answered} of ${of} indexers answered`;
  if (found.length === 0) return `${head}\nnothing to search: no .md or .txt file there`;
  const lines = found.map(({ score, passage: { file, line, text } }) => {
    const shown = text.replace(/\s+/g, " ").slice(0, 160);
    return `${score.toFixed(3)}  ${file}:${line}\n       ${shown}`;
  });
  return [head, ...lines].join("\n");
}

const USAGE = "usage: node main.ts FOLDER QUESTION... [--top N] [--indexers N] [--json]";

/** What the command line asks for; undefined where it does not say it rightly. */
function asked(args: readonly string[]) {
  const options = {
    top: { type: "string", default: "5" },
    indexers: { type: "string", default: "4" },
    json: { type: "boolean", default: false },
  } as const;
  try {
    const { values, positionals } = parseArgs({ args: [...args], allowPositionals: true, options });
    const [folder, ...words] = positionals;
    const [top, indexers] = [Number(values.top), Number(values.indexers)];
    if (folder === undefined || words.length === 0 || !Number.isInteger(top) || top < 1) return undefined;
    if (!Number.isInteger(indexers) || indexers < 1 || indexers > INDEXERS_MOST) return undefined;
    return { folder, question: { text: words.join(" "), top }, indexers, json: values.json };
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
      const documents = documentsBelow(wish.folder);
      const { indexed, answers } = await askSwarm(documents, [wish.question], wish.indexers);
      const [answer] = answers as [Answer];
      console.log(wish.json ? JSON.stringify({ indexed, ...answer }, null, 2) : report(indexed, answer));
    } catch (error) {
      console.error(`document-swarm: ${error instanceof Error ? error.message : String(error)}`);
      process.exitCode = 1;
    }
}
