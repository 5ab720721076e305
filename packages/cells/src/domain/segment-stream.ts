/**
 * The journal of a cell as a stream of bytes, and back (docs/spec/domain-cell.md): its sealed segments, each behind its length.
 *
 * SS1. Reading ahead seals what is open and gives what was not given yet, for as long as that is much; what is left comes when the cell stands still.
 * SS2. When segments that were not given are gone because of a checkpoint, the stream begins anew: a length of 0 says so.
 * SS4. What is asked of the journal in one turn reaches it together: to seal, to list and to read what follows is one wait, where one segment does.
 * SS3. A length is checked before anything is held for it. What came is joined twice for each segment, however small the chunks.
 */
import { errorCodeOf } from "@glia-os/abi/errors";
import type { Journal, SegmentInfo } from "@glia-os/abi/ports";
import { BadImageError } from "../errors.ts";
import { CHUNK_BYTES } from "../frozen-cell.ts";

/** Largest segment that moves. */
export const SEGMENT_BYTES_MAX: number = 64 * 1024 * 1024;
/** With about this much or less that was not given, another round is not worth its time. */
const ROUND_BYTES = 32_768;
const ROUNDS_MAX = 8;
/** Lists of one round, each but the last outrun by a checkpoint. */
const LISTS_MAX = 8;
const LENGTH_BYTES = 4;
/** Largest chunk: one that crosses ahead gets a length in front (image-stream.ts). */
const OUT_BYTES: number = CHUNK_BYTES - LENGTH_BYTES;
const ANEW: Uint8Array = new Uint8Array(LENGTH_BYTES);

/** A segment that was read before it was known to be there. */
interface Follower {
  readonly firstSeq: number;
  readonly bytes: Uint8Array;
}

/** The source's side. */
export class SegmentSource {
  readonly #journal: Journal;
  readonly #domain: string;
  readonly #parts: Uint8Array[] = [];
  #nextSeq = 0;
  #rounds = 0;
  #bytes = 0;
  /** Everything of a cell that stands still was collected. */
  #isWhole = false;

  constructor(journal: Journal, domain: string) {
    this.#journal = journal;
    this.#domain = domain;
  }

  /** Bytes that were given. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The next chunk while the cell runs; undefined when the rest is little (SS1). */
  async ahead(): Promise<Uint8Array | undefined> {
    if (this.#parts.length === 0 && this.#rounds < ROUNDS_MAX && (await this.#isMuch())) {
      this.#rounds += 1;
      await this.#collect();
    }
    return this.#parts.length === 0 ? undefined : this.#chunk();
  }

  /** The next chunk of a cell that stands still; undefined after the last. */
  async rest(): Promise<Uint8Array | undefined> {
    if (this.#parts.length === 0 && !this.#isWhole) {
      await this.#collect();
      this.#isWhole = true;
    }
    return this.#parts.length === 0 ? undefined : this.#chunk();
  }

  /** Whether what was not given is worth a round: by its share of the records, since the journal tells the bytes of all of them only. */
  async #isMuch(): Promise<boolean> {
    if (this.#rounds === 0) return true;
    const head = await this.#journal.head(this.#domain);
    if (head === undefined) return false;
    const { firstSeq, nextSeq, bytes } = head;
    const fresh = nextSeq - Math.max(this.#nextSeq, firstSeq);
    return (bytes * fresh) / Math.max(1, nextSeq - firstSeq) > ROUND_BYTES;
  }

  /** A checkpoint may remove segments between the list and their reading; then the list is asked for again (SS2). */
  async #collect(): Promise<void> {
    for (let list = 1; ; list++) {
      try {
        return await this.#takeNew();
      } catch (error) {
        if (errorCodeOf(error) !== "store.segment-unknown" || list === LISTS_MAX) throw error;
      }
    }
  }

  async #takeNew(): Promise<void> {
    const { segments, follows } = await this.#sealed();
    const [oldest] = segments;
    if (this.#nextSeq > 0 && oldest !== undefined && oldest.firstSeq > this.#nextSeq) {
      this.#parts.push(ANEW);
      this.#nextSeq = 0;
    }
    for (const { firstSeq, lastSeq } of segments) {
      if (firstSeq < this.#nextSeq) continue;
      const known = follows?.firstSeq === firstSeq ? follows.bytes : undefined;
      const segment = known ?? (await this.#journal.readSegment(this.#domain, firstSeq));
      const length = new Uint8Array(LENGTH_BYTES);
      new DataView(length.buffer).setUint32(0, segment.length);
      this.#parts.push(length, segment);
      this.#nextSeq = lastSeq + 1;
    }
  }

  /** All segments, of which the last was just closed, and the one that follows what was given, if there is one (SS4). */
  async #sealed(): Promise<{
    readonly segments: readonly SegmentInfo[];
    readonly follows: Follower | undefined;
  }> {
    const sealing = this.#journal.seal(this.#domain);
    const listing = this.#journal.segments(this.#domain);
    const [sealed, listed, follows] = await Promise.all([sealing, listing, this.#follower()]);
    // A journal need not perform in order what was asked for at once.
    const isListed = sealed === undefined || listed.some(({ firstSeq }) => firstSeq === sealed.firstSeq);
    return { segments: isListed ? listed : await this.#journal.segments(this.#domain), follows };
  }

  async #follower(): Promise<Follower | undefined> {
    const firstSeq = this.#nextSeq;
    if (firstSeq === 0) return undefined;
    try {
      return { firstSeq, bytes: await this.#journal.readSegment(this.#domain, firstSeq) };
    } catch {
      return undefined; // There is none yet, or no more. Whoever needs it asks again and hears why.
    }
  }

  /** Parts as one chunk. */
  #chunk(): Uint8Array {
    const taken: Uint8Array[] = [];
    let bytes = 0;
    for (let part = this.#parts[0]; part !== undefined && bytes < OUT_BYTES; part = this.#parts[0]) {
      const piece = part.subarray(0, OUT_BYTES - bytes);
      taken.push(piece);
      bytes += piece.length;
      if (piece.length === part.length) this.#parts.shift();
      else this.#parts[0] = part.subarray(piece.length);
    }
    this.#bytes += bytes;
    return joined(taken, bytes);
  }
}

/** The destination's side: takes the stream apart again. */
export class SegmentReader {
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  /** Bytes that must be there before they are looked at: a length, then the segment behind it. */
  #needed = LENGTH_BYTES;

  /** What a chunk completes: segments, and `anew` where everything before is void (SS2). @throws {BadImageError} */
  *push(chunk: Uint8Array): Generator<Uint8Array | "anew", void, undefined> {
    this.#held.push(chunk);
    this.#heldBytes += chunk.length;
    while (this.#heldBytes >= this.#needed) {
      const bytes = joined(this.#held, this.#heldBytes);
      this.#held = [bytes];
      const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
      if (length > SEGMENT_BYTES_MAX) throw new BadImageError(`a segment says it has ${length} bytes`);
      this.#needed = LENGTH_BYTES + length;
      if (bytes.length < this.#needed) return;
      const rest = bytes.subarray(this.#needed);
      this.#held = rest.length === 0 ? [] : [rest];
      this.#heldBytes = rest.length;
      this.#needed = LENGTH_BYTES;
      yield length === 0 ? "anew" : bytes.slice(LENGTH_BYTES, LENGTH_BYTES + length);
    }
  }

  /** @throws {BadImageError} inside a segment. */
  end(): void {
    if (this.#heldBytes > 0) throw new BadImageError("it ends inside a segment");
  }
}

function joined(parts: readonly Uint8Array[], bytes: number): Uint8Array {
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return only;
  const whole = new Uint8Array(bytes);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
