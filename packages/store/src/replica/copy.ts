/**
 * Bring one journal in line with another, through the port alone.
 *
 * C1. What both hold is compared by the hashes of sealed segments and the bytes of open ones. A domain that begins as its original does is
 *     caught up: whole segments as they are, the rest batch by batch. Any other is removed and copied whole.
 * C2. `beforeRemoving` is awaited before anything that may have been acknowledged is removed.
 * C3. A copy that was broken off anywhere can be begun again.
 */
import type { DomainHead, Journal, JournalBatch, SegmentInfo } from "@glia-os/abi/ports";

const DOMAINS = 1_000;

/** Make `target` hold what `source` holds. */
export async function copyJournal(
  source: Journal,
  target: Journal,
  beforeRemoving: () => Promise<void>,
): Promise<void> {
  const left = new Map<string, DomainHead>();
  for await (const head of headsOf(target)) left.set(head.domain, head);
  for await (const head of headsOf(source)) {
    const held = left.get(head.domain);
    left.delete(head.domain);
    const begins = held !== undefined && (await beginsAlike(source, target, head, held));
    if (held !== undefined && !begins) {
      await beforeRemoving();
      await target.remove(head.domain);
    }
    if (begins && held.nextSeq === head.nextSeq && held.firstSeq === head.firstSeq)
      await sealAlike(source, target, head);
    else await catchUp(source, target, head, begins ? held.nextSeq : head.firstSeq);
  }
  for (const domain of left.keys()) {
    await beforeRemoving();
    await target.remove(domain);
  }
}

async function* headsOf(journal: Journal): AsyncGenerator<DomainHead, void, undefined> {
  for (let after = ""; ; ) {
    const heads = await journal.domains(after, DOMAINS);
    yield* heads;
    const last = heads.at(-1);
    if (last === undefined || heads.length < DOMAINS) return;
    after = last.domain;
  }
}

/** C1. */
async function beginsAlike(
  source: Journal,
  target: Journal,
  original: DomainHead,
  held: DomainHead,
): Promise<boolean> {
  const inRange =
    held.nextSeq > original.firstSeq && held.nextSeq <= original.nextSeq && held.epoch <= original.epoch;
  if (!inRange || held.firstSeq > original.firstSeq || held.nextSeq === held.firstSeq) return false;
  const hashes = new Map((await source.segments(original.domain)).map((one) => [one.firstSeq, one.hash]));
  const sealed = (await target.segments(original.domain)).filter(
    ({ lastSeq }) => lastSeq >= original.firstSeq,
  );
  if (sealed.some(({ firstSeq, hash }) => hashes.get(firstSeq) !== hash)) return false;
  const openSeq = (sealed.at(-1)?.lastSeq ?? Math.max(held.firstSeq, original.firstSeq) - 1) + 1;
  if (openSeq >= held.nextSeq) return true;
  const theirs = source.read(original.domain, openSeq)[Symbol.asyncIterator]();
  for await (const batch of target.read(original.domain, openSeq)) {
    const { value } = await theirs.next();
    if (!sameBatch(batch, value as JournalBatch | undefined)) return false;
  }
  return true;
}

function sameBatch(one: JournalBatch, other: JournalBatch | undefined): boolean {
  return (
    other !== undefined &&
    one.epoch === other.epoch &&
    one.firstSeq === other.firstSeq &&
    one.count === other.count &&
    Buffer.compare(one.body, other.body) === 0
  );
}

/** Everything from record `nextSeq` on, sealed where the original is sealed. */
async function catchUp(
  source: Journal,
  target: Journal,
  original: DomainHead,
  nextSeq: number,
): Promise<void> {
  const { domain } = original;
  let next = nextSeq;
  for (const segment of await source.segments(domain)) {
    // Sealed there, and maybe open here.
    if (segment.lastSeq === next - 1) await target.seal(domain);
    if (segment.lastSeq < next) continue;
    if (segment.firstSeq === next) await target.acceptSegment(await source.readSegment(domain, next));
    else await finishSegment(source, target, segment, next);
    next = segment.lastSeq + 1;
  }
  for await (const batch of source.read(domain, next)) {
    if (batch.firstSeq >= original.nextSeq) break;
    await target.append(batch);
    next = batch.firstSeq + batch.count;
  }
  await target.truncate(domain, original.firstSeq);
}

async function finishSegment(
  source: Journal,
  target: Journal,
  { domain, lastSeq }: SegmentInfo,
  next: number,
): Promise<void> {
  for await (const batch of source.read(domain, next)) {
    if (batch.firstSeq > lastSeq) break;
    await target.append(batch);
  }
  await target.seal(domain);
}

/** Seal what is open at the target, where the original sealed it. */
async function sealAlike(source: Journal, target: Journal, { domain }: DomainHead): Promise<void> {
  const last = (await source.segments(domain)).at(-1);
  const held = await target.head(domain);
  if (last !== undefined && held?.nextSeq === last.lastSeq + 1) await target.seal(domain);
}
