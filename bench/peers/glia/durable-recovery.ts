/** What it takes to go on: replaying a journal, and recovering the domains of one. */
import type { JoinedBatches, Journal } from "@glia-os/abi/ports";
import { type DurableProgram, Replay, replayLive } from "@glia-os/durable";
import { createSystemDigests } from "@glia-os/hal";
import { openFileJournal } from "@glia-os/store/journal";
import { createMemoryJournal } from "@glia-os/store/journal-memory";
import type { Contestant, ContestantFactory } from "../../src/suite.ts";
import { ANSWERS, caller, reader, waiter } from "./durable-programs.ts";
import { domainsOn, journalFolder, Turnstile } from "./durable-world.ts";

const STEPS = 20_000;
/** What is read and replayed; the figure is for ten times as many. */
const MANY_STEPS = 100_000;
const TEN_TIMES = 10;
const PARKED = 10_000;
const AT_ONCE = 1_000;
const NS_PER_MS = 1e6;

/** Let one domain, of this name, make some steps. */
async function record(journal: Journal, name: string, program: DurableProgram<null>, steps: number) {
  const kind = program === caller ? "tool" : "files";
  const turnstile = new Turnstile(kind, ANSWERS[kind], 1);
  const domains = domainsOn(journal, [program as DurableProgram], { step: turnstile.service });
  await domains.start(name, program, null);
  await turnstile.held();
  await turnstile.allow(steps);
  await domains.close();
}

function replayOf(name: string, program: DurableProgram<null>): Replay {
  return new Replay({
    domain: name,
    programOf: () => program as DurableProgram,
    digests: createSystemDigests(),
  });
}

/** Nanoseconds per step of replaying a journal that is in memory. */
async function replaying(program: DurableProgram<null>): Promise<Contestant> {
  const journal = createMemoryJournal();
  await record(journal, "a", program, STEPS);
  const batches: JoinedBatches[] = [];
  for await (const some of journal.readJoined?.("a", 1) ?? journal.read("a", 1)) batches.push(some);
  await journal.close();
  return {
    value() {
      const begin = performance.now();
      const replay = replayOf("a", program);
      for (const { body, firstSeq, count } of batches) replay.feed(body, firstSeq, count);
      return ((performance.now() - begin) * NS_PER_MS) / STEPS;
    },
  };
}

/** Milliseconds per million steps of reading one domain from a journal of files and replaying it. */
async function replayingMany(): Promise<Contestant> {
  const { folder, remove } = journalFolder();
  const journal = await openFileJournal({ folder });
  const memory = createMemoryJournal();
  await record(memory, "a", caller, MANY_STEPS);
  let appended: Promise<void>[] = [];
  for await (const batch of memory.read("a", 1)) {
    appended.push(journal.append(batch));
    if (appended.length < AT_ONCE) continue;
    await Promise.all(appended);
    appended = [];
  }
  await Promise.all(appended);
  await memory.close();
  return {
    async value() {
      const begin = performance.now();
      await replayLive(journal, "a", () => replayOf("a", caller));
      return (performance.now() - begin) * TEN_TIMES;
    },
    async close() {
      await journal.close();
      remove();
    },
  };
}

/** Milliseconds to open a journal and resume all its domains, each of which waits for a message. */
async function recovering(): Promise<Contestant> {
  const { folder, remove } = journalFolder();
  const journal = await openFileJournal({ folder });
  const domains = domainsOn(journal, [waiter as DurableProgram]);
  for (let i = 0; i < PARKED; i += AT_ONCE) {
    const some = Array.from({ length: AT_ONCE }, (_, k) => domains.start(`domain-${i + k}`, waiter, i + k));
    await Promise.all(some);
  }
  await domains.close();
  await journal.close();
  return {
    async value() {
      const begin = performance.now();
      const opened = await openFileJournal({ folder });
      const again = domainsOn(opened, [waiter as DurableProgram]);
      const { resumed, refused } = await again.recover();
      const took = performance.now() - begin;
      if (resumed.length !== PARKED || refused.length > 0) throw new RangeError("not all domains came back");
      await again.close();
      await opened.close();
      return took;
    },
    close: remove,
  };
}

/** By name, for a process of their own. */
export const contestants: Readonly<Record<string, ContestantFactory>> = {
  repeatable: () => replaying(reader),
  once: () => replaying(caller),
  million: replayingMany,
  parked: recovering,
};
