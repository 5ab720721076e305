/**
 * A journal that is opened when it is first asked, since one costs a thread.
 *
 * LJ1. Calls reach it in the order in which they were made, also those that were made before it was open.
 * LJ2. Opened once; one that could not be opened refuses every call the same way.
 */
import type { JoinedBatches, Journal, JournalBatch } from "@glia-os/abi/ports";

/** The journal that `open` opens. */
export function lateJournal(open: () => Promise<Journal>): Journal {
  let opening: Promise<Journal> | undefined;
  const opened = (): Promise<Journal> => {
    opening ??= open();
    return opening;
  };
  async function* read(domain: string, fromSeq: number): AsyncIterable<JournalBatch> {
    yield* (await opened()).read(domain, fromSeq);
  }
  async function* readJoined(domain: string, fromSeq: number): AsyncIterable<JoinedBatches> {
    const journal = await opened();
    yield* journal.readJoined?.(domain, fromSeq) ?? journal.read(domain, fromSeq);
  }
  return {
    append: async (batch) => (await opened()).append(batch),
    read,
    readJoined,
    head: async (domain) => (await opened()).head(domain),
    domains: async (after, limit) => (await opened()).domains(after, limit),
    seal: async (domain) => (await opened()).seal(domain),
    segments: async (domain) => (await opened()).segments(domain),
    readSegment: async (domain, firstSeq) => (await opened()).readSegment(domain, firstSeq),
    acceptSegment: async (segment) => (await opened()).acceptSegment(segment),
    truncate: async (domain, beforeSeq) => (await opened()).truncate(domain, beforeSeq),
    remove: async (domain) => (await opened()).remove(domain),
    close: async () => (await opening?.catch(() => undefined))?.close(),
  };
}
