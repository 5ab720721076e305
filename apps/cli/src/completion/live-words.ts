/**
 * The words that running nodes know: agents, members, jobs, nodes of this machine.
 *
 * LW1. A question takes at most {@link ANSWER_MS}, and one that fails or takes longer offers nothing: it is a Tab key that waits.
 * LW2. Only words that no shell takes for more than a word are offered ({@link isPlain}); an agent is called what its author likes.
 */
import type { connectControl, NodeApi } from "@glia-os/daemon";
import { dataDirOf, gliaHome, knownNodes } from "../node/data-dir.ts";
import type { LiveKind } from "./command-words.ts";
import { candidates, type Place } from "./place.ts";

/** How long nodes have, in milliseconds (LW1). */
export const ANSWER_MS = 5000;
/** Most words offered. */
const WORDS_MAX = 1000;
/** Characters of an id that make it one, and no name. */
const ID_BEGUN = /^[0-9a-f]{2,}$/;

/** Everything that may stand at a place and begins with `begun`, in order and once. */
export async function allCandidates(
  place: Place,
  begun: string,
  answerMs: number = ANSWER_MS,
): Promise<readonly string[]> {
  const fixed = candidates(place, begun);
  const live = place.option === undefined ? place.argument?.live : place.option.live;
  const isOption = place.option === undefined && begun.startsWith("-");
  if (live === undefined || isOption) return fixed;
  const { connectControl } = await import("@glia-os/daemon");
  const known = await inTime(liveWords(connectControl, live, place.choice, begun), answerMs);
  const offered = known.filter((word) => word.startsWith(begun) && isPlain(word));
  return [...new Set([...fixed, ...offered])].toSorted().slice(0, WORDS_MAX);
}

/** Whether a word is nothing else to any shell (LW2). */
export function isPlain(word: string): boolean {
  return /^[\w.@%+:,/][\w.@%+:,/-]*$/.test(word);
}

async function inTime(words: Promise<readonly string[]>, ms: number): Promise<readonly string[]> {
  const late = Promise.withResolvers<readonly string[]>();
  const timer = setTimeout(() => late.resolve([]), ms);
  try {
    return await Promise.race([words, late.promise]);
  } catch {
    return [];
  } finally {
    clearTimeout(timer);
  }
}

async function liveWords(
  connect: typeof connectControl,
  kind: LiveKind,
  choice: Place["choice"],
  begun: string,
): Promise<readonly string[]> {
  if (kind === "nodes") return knownNodes(gliaHome());
  const answers = await askNodes(connect, choice, (node) => wordsOf(kind, node, begun));
  return answers.flat();
}

/** What a node knows; ids only where one was begun. */
async function wordsOf(kind: LiveKind, node: NodeApi, begun: string): Promise<readonly string[]> {
  const ids = ID_BEGUN.test(begun);
  const words: string[] = [];
  if (kind === "jobs") return (await node.listJobs()).map(({ id }) => id);
  if (kind !== "members")
    for (const { agent, name } of await node.listAgents()) words.push(name, ...(ids ? [agent] : []));
  if (kind !== "agents")
    for (const { node: id, name } of await node.members()) words.push(name, ...(ids ? [id] : []));
  return words;
}

/** Ask the node that is named, or every one that runs; those that do not answer say nothing. */
async function askNodes<Answer>(
  connect: typeof connectControl,
  { name, data }: Place["choice"],
  ask: (node: NodeApi) => Promise<Answer>,
): Promise<readonly Answer[]> {
  const named = name !== undefined || data !== undefined;
  const folders = named
    ? [dataDirOf(name ?? "", data)]
    : knownNodes(gliaHome()).map((each) => dataDirOf(each, undefined));
  const answers = await Promise.allSettled(
    folders.map(async (folder) => {
      const node = await connect(folder);
      try {
        return await ask(node);
      } finally {
        await node.close();
      }
    }),
  );
  return answers.flatMap((answer) => (answer.status === "fulfilled" ? [answer.value] : []));
}
