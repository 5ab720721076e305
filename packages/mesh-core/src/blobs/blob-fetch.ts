/**
 * One blob from several sources (docs/spec/blob-exchange.md).
 *
 * BF1. Every chunk is verified when it arrives against the outline, and the whole against its name before anybody sees it.
 * BF2. A source whose chunk does not fit the outline is not asked again under that outline: it or the teller of the outline lies, and
 *      which of them shows at the end. When the whole disproves an outline, the next holder is asked for one.
 * BF3. Verified chunks of a blob of more than {@link PARTS_ABOVE_BYTES} are put into the store one by one: a fetch that failed, or whose
 *      process ended, goes on where it was. They are removed when the whole is stored.
 * BF4. Fast sources give more: each takes the next missing chunk when it is done, {@link PER_SOURCE} at a time.
 */
import { type NodeId, toHex } from "@glia-os/abi/ids";
import type { Blobs, Digests } from "@glia-os/abi/ports";
import type { CallOptions } from "../mesh-types.ts";
import { BlobNotFoundError } from "../overlay-errors.ts";
import {
  BLOB_METHODS,
  CHUNK_BYTES,
  chunkBody,
  haveBody,
  type Outline,
  outlineBody,
  readHaveAnswer,
  readOutline,
} from "./messages.ts";

/** Questions to one source at a time. */
export const PER_SOURCE = 4;
/** Unanswered questions after which a source is given up. */
export const SOURCE_FAILURES_MAX = 3;
/** Chunks of blobs above this are kept one by one (BF3), in bytes. */
export const PARTS_ABOVE_BYTES = 1_048_576;
/** Sources of one fetch. */
export const SOURCES_MAX = 16;
const ASK_MS = 5000;
const CHUNK_MS = 15_000;

/** What fetching takes. */
export interface BlobFetchOptions {
  readonly blobs: Blobs;
  readonly digests: Digests;
  readonly call: (
    node: NodeId,
    method: string,
    body: Uint8Array,
    options: CallOptions,
  ) => Promise<Uint8Array>;
  /** Largest blob taken, in bytes. */
  readonly maxBytes: number;
  readonly stopped: () => boolean;
}

/** How a fetch went. */
export interface BlobFetched {
  readonly bytes: Uint8Array;
  /** Chunks that came over the network. */
  readonly chunks: number;
  /** Chunks that an earlier attempt had left. */
  readonly resumed: number;
  /** Chunks or outlines that were wrong. */
  readonly wrong: number;
}

/** One fetch. */
export class BlobFetch {
  readonly #o: BlobFetchOptions;
  readonly #hash: string;
  #chunks = 0;
  #resumed = 0;
  #wrong = 0;

  constructor(options: BlobFetchOptions, hash: string) {
    this.#o = options;
    this.#hash = hash;
  }

  /** Fetch, verify, store. @throws {BlobNotFoundError}, and what the store throws. */
  async run(sources: readonly NodeId[]): Promise<BlobFetched> {
    const holders = await this.#holders(sources.slice(0, SOURCES_MAX));
    let why = holders.length === 0 ? "no source has it" : "";
    for (const teller of holders) {
      const outline = await this.#outlineOf(teller);
      if (typeof outline === "string") {
        why = outline;
        continue;
      }
      const bytes = await this.#assemble(outline, holders);
      if (typeof bytes === "string") why = bytes;
      else return { bytes, chunks: this.#chunks, resumed: this.#resumed, wrong: this.#wrong };
    }
    throw new BlobNotFoundError(this.#hash, why || "no source could give it whole");
  }

  async #holders(sources: readonly NodeId[]): Promise<NodeId[]> {
    const body = haveBody([this.#hash]);
    const asked = sources.map(async (node) => {
      const answer = await this.#o.call(node, BLOB_METHODS.have, body, { timeoutMs: ASK_MS });
      return readHaveAnswer(answer, 1)[0] === true ? node : undefined;
    });
    const answers = await Promise.allSettled(asked);
    return answers.flatMap((answer) =>
      answer.status === "fulfilled" && answer.value !== undefined ? [answer.value] : [],
    );
  }

  async #outlineOf(teller: NodeId): Promise<Outline | string> {
    try {
      const answer = await this.#o.call(teller, BLOB_METHODS.outline, outlineBody(this.#hash), {
        timeoutMs: CHUNK_MS,
      });
      const outline = readOutline(answer);
      return outline.bytes > this.#o.maxBytes
        ? `it has ${outline.bytes} bytes, more than ${this.#o.maxBytes}`
        : outline;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }

  /** The verified whole, or why there is none. */
  async #assemble(outline: Outline, holders: readonly NodeId[]): Promise<Uint8Array | string> {
    const { blobs, digests } = this.#o;
    const bytes = new Uint8Array(outline.bytes);
    const keeps = outline.bytes > PARTS_ABOVE_BYTES;
    const missing = keeps ? await this.#resume(outline, bytes) : outline.chunks.map((_, index) => index);
    missing.reverse();
    const assembly: Assembly = { outline, bytes, keeps, missing, useless: new Set() };
    // What a source failed to give may come back when the others are done already: again, with those that are of use.
    for (let useful = holders; missing.length > 0 && useful.length > 0 && !this.#o.stopped(); ) {
      await Promise.all(useful.map((node) => this.#drain(node, assembly)));
      useful = useful.filter((node) => !assembly.useless.has(node));
    }
    if (missing.length > 0) return `${missing.length} chunks could not be fetched`;
    const proved = toHex(digests.sha256(bytes)) === this.#hash;
    if (proved) await blobs.put(bytes);
    else this.#wrong++;
    if (keeps) for (const chunk of new Set(outline.chunks)) await forget(blobs, chunk);
    return proved ? bytes : "the outline of a source was wrong";
  }

  /** Take what an earlier attempt left; the indexes that are missing. */
  async #resume(outline: Outline, bytes: Uint8Array): Promise<number[]> {
    const missing: number[] = [];
    for (const [index, hash] of outline.chunks.entries()) {
      const left = (await this.#o.blobs.has(hash))
        ? await this.#o.blobs.get(hash).catch(() => undefined)
        : undefined;
      if (left === undefined || left.length !== sizeOf(outline, index)) missing.push(index);
      else {
        bytes.set(left, index * CHUNK_BYTES);
        this.#resumed++;
      }
    }
    return missing;
  }

  /** Take chunks from one source until none is missing or it is of no use (BF4). */
  async #drain(node: NodeId, assembly: Assembly): Promise<void> {
    const { missing, useless } = assembly;
    let failures = 0;
    const worker = async (): Promise<void> => {
      while (!useless.has(node) && !this.#o.stopped()) {
        const index = missing.pop();
        if (index === undefined) return;
        try {
          await this.#accept(node, assembly, index);
        } catch {
          missing.push(index);
          if (++failures >= SOURCE_FAILURES_MAX) useless.add(node);
        }
      }
    };
    await Promise.all(Array.from({ length: PER_SOURCE }, worker));
  }

  async #accept(node: NodeId, { outline, bytes, keeps, useless }: Assembly, index: number): Promise<void> {
    const { digests, blobs, call } = this.#o;
    const body = chunkBody(this.#hash, index);
    const chunk = await call(node, BLOB_METHODS.chunk, body, { timeoutMs: CHUNK_MS, trafficClass: "bulk" });
    if (chunk.length !== sizeOf(outline, index) || toHex(digests.sha256(chunk)) !== outline.chunks[index]) {
      this.#wrong++;
      useless.add(node);
      throw new BlobNotFoundError(this.#hash, `chunk ${index} was wrong`);
    }
    if (keeps) await blobs.put(chunk);
    bytes.set(chunk, index * CHUNK_BYTES);
    this.#chunks++;
  }
}

/** What one attempt under one outline works on. */
interface Assembly {
  readonly outline: Outline;
  readonly bytes: Uint8Array;
  /** Whether chunks are put into the store one by one (BF3). */
  readonly keeps: boolean;
  /** Indexes that nobody is fetching. */
  readonly missing: number[];
  /** Sources whose chunk did not fit the outline, or that did not answer. */
  readonly useless: Set<NodeId>;
}

function sizeOf({ bytes }: Outline, index: number): number {
  return Math.min(CHUNK_BYTES, bytes - index * CHUNK_BYTES);
}

/** Remove a part, unless somebody put it again meanwhile. */
async function forget(blobs: Blobs, hash: string): Promise<void> {
  const [info] = await blobs.list(before(hash), 1);
  if (info?.hash === hash) await blobs.delete(hash, info.stamp);
}

/** The hash just below: `list` gives what follows. */
function before(hash: string): string {
  const digits = "0123456789abcdef";
  let at = hash.length - 1;
  while (at >= 0 && hash[at] === "0") at--;
  if (at < 0) return "";
  const lower = digits[digits.indexOf(hash[at] as string) - 1] as string;
  return hash.slice(0, at) + lower + "f".repeat(hash.length - 1 - at);
}
