/**
 * `Journal` in front of anything that answers requests: checks arguments, then asks.
 *
 * Q1. A request that is asked has the right form; a bad argument rejects the returned promise, nothing throws synchronously.
 * Q2. A body belongs to the journal until `append` settles: the caller does not change it.
 */
import { MalformedError } from "@glia-os/abi/errors";
import type { DomainHead, JoinedBatches, Journal, JournalBatch, SegmentInfo } from "@glia-os/abi/ports";
import { BATCH_BYTES, BATCH_RECORDS, DOMAIN_LENGTH, SEGMENT_BYTES_MOST } from "./limits.ts";
import type { JournalReplies, JournalReply, JournalRequest } from "./request.ts";

/** Who answers requests. */
export interface JournalAnswerer {
  /** Answer one checked request; a mutation is durable when the promise resolves. */
  ask(request: JournalRequest): Promise<JournalReply>;
  /** Finish the requests under way and release everything. Idempotent. */
  end(): Promise<void>;
}

type Batches = readonly JournalBatch[];

/** Bytes of bodies that one step of a read asks for. */
const READ_BYTES = 4 * 2 ** 20;
/** The same of a joined read, whose next step is under way while one is used. */
const JOINED_BYTES = 2 ** 20;
const DOMAINS_AT_ONCE = 10_000;
const PRINTABLE = /^[\x21-\x7e]+$/;

/** The port's methods over a {@link JournalAnswerer}. */
export class CheckedJournal implements Journal {
  readonly #answerer: JournalAnswerer;

  constructor(answerer: JournalAnswerer) {
    this.#answerer = answerer;
  }

  async append(batch: JournalBatch): Promise<void> {
    const { epoch, firstSeq, count, body } = batch;
    const domain = checkDomain(batch.domain);
    checkInteger("epoch", epoch, 1, Number.MAX_SAFE_INTEGER);
    checkInteger("count", count, 1, BATCH_RECORDS);
    checkInteger("firstSeq", firstSeq, 1, Number.MAX_SAFE_INTEGER - count);
    checkBytes("body", body, BATCH_BYTES);
    await this.#ask({ op: "append", domain, epoch, firstSeq, count, body });
  }

  async *read(domain: string, fromSeq: number): AsyncGenerator<JournalBatch, void, undefined> {
    checkDomain(domain);
    checkInteger("fromSeq", fromSeq, 1, Number.MAX_SAFE_INTEGER);
    for (let next = fromSeq; ; ) {
      const batches = (await this.#ask({ op: "read", domain, fromSeq: next, most: READ_BYTES })) as Batches;
      yield* batches;
      // A step that is not full was the last one.
      const last = batches.at(-1);
      if (last === undefined || batches.reduce((sum, { body }) => sum + body.length, 0) < READ_BYTES) return;
      next = last.firstSeq + last.count;
    }
  }

  async *readJoined(domain: string, fromSeq: number): AsyncGenerator<JoinedBatches, void, undefined> {
    checkDomain(domain);
    checkInteger("fromSeq", fromSeq, 1, Number.MAX_SAFE_INTEGER);
    let step: Promise<JoinedBatches | undefined> = this.#readStep(domain, fromSeq);
    for (;;) {
      const found = await step;
      if (found === undefined) return;
      const isLast = found.body.length < JOINED_BYTES;
      // The next step is read while this one is used.
      if (!isLast) step = this.#readStep(domain, found.firstSeq + found.count);
      step.catch(() => {});
      yield found;
      if (isLast) return;
    }
  }

  async #readStep(domain: string, fromSeq: number): Promise<JoinedBatches | undefined> {
    const reply = await this.#ask({ op: "read", domain, fromSeq, most: JOINED_BYTES, joined: true });
    if ("body" in reply) return reply;
    const [first, last] = [reply[0], reply.at(-1)];
    if (first === undefined || last === undefined) return undefined;
    const count = last.firstSeq + last.count - first.firstSeq;
    return { firstSeq: first.firstSeq, count, body: joinedBodies(reply) };
  }

  async head(domain: string): Promise<DomainHead | undefined> {
    return this.#ask({ op: "head", domain: checkDomain(domain) });
  }

  async domains(after: string, limit: number): Promise<readonly DomainHead[]> {
    if (typeof after !== "string") throw new MalformedError("after", "it is no string");
    checkInteger("limit", limit, 1, DOMAINS_AT_ONCE);
    return this.#ask({ op: "domains", after, limit });
  }

  async seal(domain: string): Promise<SegmentInfo | undefined> {
    return this.#ask({ op: "seal", domain: checkDomain(domain) });
  }

  async segments(domain: string): Promise<readonly SegmentInfo[]> {
    return this.#ask({ op: "segments", domain: checkDomain(domain) });
  }

  async readSegment(domain: string, firstSeq: number): Promise<Uint8Array> {
    checkInteger("firstSeq", firstSeq, 1, Number.MAX_SAFE_INTEGER);
    return this.#ask({ op: "readSegment", domain: checkDomain(domain), firstSeq });
  }

  async acceptSegment(segment: Uint8Array): Promise<SegmentInfo> {
    checkBytes("segment", segment, SEGMENT_BYTES_MOST);
    return this.#ask({ op: "acceptSegment", segment });
  }

  async truncate(domain: string, beforeSeq: number): Promise<number> {
    checkInteger("beforeSeq", beforeSeq, 1, Number.MAX_SAFE_INTEGER);
    return this.#ask({ op: "truncate", domain: checkDomain(domain), beforeSeq });
  }

  async remove(domain: string): Promise<void> {
    await this.#ask({ op: "remove", domain: checkDomain(domain) });
  }

  close(): Promise<void> {
    return this.#answerer.end();
  }

  #ask<Op extends JournalRequest["op"]>(request: JournalRequest & { op: Op }): Promise<JournalReplies[Op]> {
    return this.#answerer.ask(request) as Promise<JournalReplies[Op]>;
  }
}

function joinedBodies(batches: Batches): Uint8Array {
  const body = new Uint8Array(batches.reduce((sum, each) => sum + each.body.length, 0));
  let at = 0;
  for (const each of batches) {
    body.set(each.body, at);
    at += each.body.length;
  }
  return body;
}

function checkDomain(domain: unknown): string {
  if (typeof domain === "string" && domain.length <= DOMAIN_LENGTH && PRINTABLE.test(domain)) return domain;
  throw new MalformedError("domain", `it is not 1 to ${DOMAIN_LENGTH} printable ASCII characters`);
}

function checkInteger(what: string, value: unknown, least: number, most: number): void {
  if (Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most) return;
  throw new MalformedError(what, `${String(value)} is not a whole number from ${least} to ${most}`);
}

function checkBytes(what: string, value: unknown, most: number): void {
  if (value instanceof Uint8Array && value.length >= 1 && value.length <= most) return;
  throw new MalformedError(what, `it is not 1 to ${most} bytes`);
}
