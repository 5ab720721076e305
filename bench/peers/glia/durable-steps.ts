/** Durable steps on a journal of files: a task calls a service, and its next call starts when the answer is flushed. */
import type { DurableProgram } from "@glia-os/durable";
import { openFileJournal } from "@glia-os/store/journal";
import type { Contestant, ContestantFactory } from "../../src/suite.ts";
import { loopDelay } from "../loop-delay.ts";
import { ANSWERS, caller, reader } from "./durable-programs.ts";
import { domainsOn, journalFolder, Turnstile } from "./durable-world.ts";

const ONE_BY_ONE = 300;
const DOMAINS = 1_000;
const STEPS = 50_000;
/** What the records of one step come to. */
const BODY_BYTES = 120;

async function stepping(program: DurableProgram<null>, count: number) {
  const { folder, remove } = journalFolder();
  const journal = await openFileJournal({ folder });
  const kind = program === caller ? "tool" : "files";
  const turnstile = new Turnstile(kind, ANSWERS[kind], count);
  const domains = domainsOn(journal, [program as DurableProgram], { step: turnstile.service });
  const started = Array.from({ length: count }, (_, i) => domains.start(`domain-${i}`, program, null));
  await Promise.all(started);
  await turnstile.held();
  const close = async (): Promise<void> => {
    await domains.close();
    await journal.close();
    remove();
  };
  return { turnstile, close };
}

/** Microseconds per step of one writer. */
async function alone(program: DurableProgram<null>): Promise<Contestant> {
  const { turnstile, close } = await stepping(program, 1);
  return {
    async value() {
      const begin = performance.now();
      await turnstile.allow(ONE_BY_ONE);
      return ((performance.now() - begin) * 1_000) / ONE_BY_ONE;
    },
    close,
  };
}

/** Steps per second of a thousand domains together. */
async function together(program: DurableProgram<null>): Promise<Contestant> {
  const { turnstile, close } = await stepping(program, DOMAINS);
  return {
    async value() {
      const begin = performance.now();
      await turnstile.allow(STEPS);
      return STEPS / ((performance.now() - begin) / 1_000);
    },
    close,
  };
}

/** Batches per second that the journal alone takes of a thousand writers, each with one record at a time. */
async function journalAlone(): Promise<Contestant> {
  const { folder, remove } = journalFolder();
  const journal = await openFileJournal({ folder });
  const body = new Uint8Array(BODY_BYTES).fill(7);
  let firstSeq = 1;
  return {
    async value() {
      const begin = performance.now();
      for (let left = STEPS; left > 0; left -= DOMAINS) {
        const appended = Array.from({ length: DOMAINS }, (_, i) =>
          journal.append({ domain: `domain-${i}`, epoch: 1, firstSeq, count: 1, body }),
        );
        await Promise.all(appended);
        firstSeq += 1;
      }
      return STEPS / ((performance.now() - begin) / 1_000);
    },
    async close() {
      await journal.close();
      remove();
    },
  };
}

async function delay(): Promise<Contestant> {
  const { turnstile, close } = await stepping(reader, 1);
  const all = turnstile.allow(Number.MAX_SAFE_INTEGER);
  all.catch(() => {});
  return { value: loopDelay, close };
}

/** By name, for a process of their own. */
export const contestants: Readonly<Record<string, ContestantFactory>> = {
  repeatable: () => alone(reader),
  once: () => alone(caller),
  "thousand-repeatable": () => together(reader),
  "thousand-once": () => together(caller),
  journal: journalAlone,
  delay,
};
