/**
 * Feeds the agent: every file in pieces, in order, under the link's back-pressure, and the same pieces to the independent count.
 *
 * FE1. Memory does not follow the input: one piece is read, sent and counted before the next.
 * FE2. The agent moves while messages flow (see `itinerary.ts`).
 */
import type { CountedFile } from "../count/count-messages.ts";
import type { Corpus } from "./corpus.ts";
import { Itinerary, type Leg } from "./itinerary.ts";
import { readPieces } from "./read-pieces.ts";

/** Largest piece of a file in one message. */
export const PIECE_MAX: number = 64 * 1024;
/** Small inputs are cut into about this many pieces, so that messages flow during the moves. */
const PIECES_WANTED = 48;

/** What a message says of its piece. */
export interface PiecePlace {
  /** Index of the file, from 0. */
  readonly fileIndex: number;
  readonly first: boolean;
  readonly last: boolean;
}

/** Sends one piece as one message; resolves when the link accepted it. */
export type SendPiece = (bytes: Uint8Array, place: PiecePlace) => Promise<void>;

/** The other count. */
export interface CountSink {
  push(bytes: Uint8Array): Promise<void>;
  endFile(): void;
}

/** What feeding needs from the run. */
export interface FeedOptions {
  readonly corpus: Corpus;
  readonly send: SendPiece;
  readonly count: CountSink;
  /** A file was read whole and sent. */
  readonly file: (path: Buffer, bytes: number) => Promise<void>;
  readonly move: (leg: Leg) => Promise<void>;
  /** The last move is over; messages go on. */
  readonly arrived: () => Promise<void>;
  readonly onProgress: (fed: Fed) => void;
}

/** What was fed so far. */
export interface Fed {
  readonly messages: number;
  readonly bytes: number;
}

/** What feeding came to. `files`: how much of each was read. */
export interface FeedResult extends Fed {
  readonly files: readonly CountedFile[];
}

/** The piece size for an input. */
export function pieceBytesFor(totalBytes: number): number {
  return Math.min(PIECE_MAX, Math.max(1, Math.ceil(totalBytes / PIECES_WANTED)));
}

/** Feed everything; resolves when the last message was accepted and the last move is over (FE1, FE2). */
export async function feed(options: FeedOptions): Promise<FeedResult> {
  const run = new Feeding(options);
  for (const file of options.corpus.files) await run.file(file.path);
  return run.finish();
}

class Feeding {
  readonly #options: FeedOptions;
  readonly #itinerary: Itinerary;
  readonly #pieceBytes: number;
  /** Bytes and files of the first pass: each counts, so that a folder of empty files has a middle too. */
  readonly #whole: number;
  readonly #files: CountedFile[] = [];
  #messages = 0;
  #bytes = 0;

  constructor(options: FeedOptions) {
    this.#options = options;
    const { bytes, files } = options.corpus;
    this.#pieceBytes = pieceBytesFor(bytes);
    this.#whole = bytes + files.length;
    this.#itinerary = new Itinerary({
      move: options.move,
      arrived: options.arrived,
      pad: () => this.#pad(),
    });
  }

  async file(path: Buffer): Promise<void> {
    const before = this.#bytes;
    const fileIndex = this.#files.length;
    for await (const { bytes, first, last } of readPieces(path, this.#pieceBytes)) {
      await this.#itinerary.reached(this.#share());
      await this.#options.send(bytes, { fileIndex, first, last });
      this.#sent(bytes.length);
      await this.#options.count.push(bytes);
    }
    this.#options.count.endFile();
    const bytes = this.#bytes - before;
    this.#files.push({ path, bytes });
    await this.#options.file(path, bytes);
  }

  async finish(): Promise<FeedResult> {
    await this.#itinerary.finish();
    return { messages: this.#messages, bytes: this.#bytes, files: this.#files };
  }

  /** A message without content, of the file before: it changes no count. */
  async #pad(): Promise<void> {
    const fileIndex = Math.max(0, this.#files.length - 1);
    await this.#options.send(new Uint8Array(0), { fileIndex, first: false, last: false });
    this.#sent(0);
  }

  #sent(bytes: number): void {
    this.#messages++;
    this.#bytes += bytes;
    this.#itinerary.sent();
    this.#options.onProgress({ messages: this.#messages, bytes: this.#bytes });
  }

  #share(): number {
    return (this.#bytes + this.#files.length) / this.#whole;
  }
}
