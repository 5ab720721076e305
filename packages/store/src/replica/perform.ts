/**
 * Requests performed on any `Journal` through its port.
 *
 * P1. Requests take effect in their order. Appends next to each other are asked at once, so that they share a flush.
 */
import { isGliaError } from "@glia-os/abi/errors";
import type { Journal, JournalBatch } from "@glia-os/abi/ports";
import type { JournalReply, JournalRequest } from "../journal/request.ts";
import type { Answer } from "../serve.ts";

/** The answers to some requests, in order (P1). An error that is not typed is thrown. */
export async function performAll(
  journal: Journal,
  requests: readonly JournalRequest[],
): Promise<readonly Answer<JournalReply>[]> {
  const answers: Promise<Answer<JournalReply>>[] = [];
  for (const request of requests) {
    if (request.op !== "append") await Promise.all(answers);
    answers.push(answerOf(journal, request));
  }
  return Promise.all(answers);
}

/** Whether a request that was answered this way may have changed the journal. */
export function changes({ op }: JournalRequest, answer: Answer<JournalReply>): boolean {
  if ("refused" in answer || op === "read" || op === "head" || op === "domains") return false;
  return op !== "segments" && op !== "readSegment" && !(op === "seal" && answer.reply === undefined);
}

async function answerOf(journal: Journal, request: JournalRequest): Promise<Answer<JournalReply>> {
  try {
    return { reply: await ask(journal, request) };
  } catch (error) {
    if (isGliaError(error)) return { refused: error.toRecord() };
    throw error;
  }
}

async function ask(journal: Journal, request: JournalRequest): Promise<JournalReply> {
  switch (request.op) {
    case "append":
      return (await journal.append(request)) as undefined;
    case "read":
      return readSome(journal, request.domain, request.fromSeq, request.most);
    case "head":
      return journal.head(request.domain);
    case "domains":
      return journal.domains(request.after, request.limit);
    case "seal":
      return journal.seal(request.domain);
    case "segments":
      return journal.segments(request.domain);
    case "readSegment":
      return journal.readSegment(request.domain, request.firstSeq);
    case "acceptSegment":
      return journal.acceptSegment(request.segment);
    case "truncate":
      return journal.truncate(request.domain, request.beforeSeq);
    case "remove":
      return (await journal.remove(request.domain)) as undefined;
  }
}

async function readSome(
  journal: Journal,
  domain: string,
  fromSeq: number,
  most: number,
): Promise<readonly JournalBatch[]> {
  const batches: JournalBatch[] = [];
  let bytes = 0;
  for await (const batch of journal.read(domain, fromSeq)) {
    batches.push(batch);
    bytes += batch.body.length;
    if (bytes >= most) break;
  }
  return batches;
}
