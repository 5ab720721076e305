/**
 * The count itself: files, lines, words, bytes and the most frequent words of a sequence of files.
 *
 * T1. Bytes and lines as `wc -c` and `wc -l`: a line is a 0x0A byte.
 * T2. Text is UTF-8 with every invalid sequence replaced by U+FFFD (Encoding Standard), file by file.
 */
import { createFold } from "./fold.ts";
import { type FrequencyLimits, FrequencyTable } from "./frequency.ts";
import { type WordCount, WordScanner, type WordSink } from "./words.ts";

/** How many of the most frequent words are reported. */
export const TOP_WORDS = 10;

/** What was counted. */
export interface Count {
  readonly files: number;
  readonly lines: number;
  readonly words: number;
  readonly bytes: number;
  /** The most frequent words, most frequent first, ties by code point; empty when `distinctExceeded`. */
  readonly top: readonly WordCount[];
  /** Whether there were more distinct words than are counted exactly. */
  readonly distinctExceeded: boolean;
}

const NEWLINE = 0x0a;

/** The words of files that arrive in pieces (T2). */
export class FileWords {
  readonly #scanner: WordScanner;
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });

  constructor(sink: WordSink) {
    this.#scanner = new WordScanner(createFold(), sink);
  }

  /** The next piece of the current file. */
  push(chunk: Uint8Array): void {
    this.#scanner.push(this.#decoder.decode(chunk, { stream: true }));
  }

  /** The current file is over. */
  endFile(): void {
    this.#scanner.push(this.#decoder.decode());
    this.#scanner.end();
  }
}

/** Counts files that arrive in pieces (T1, T2). */
export class Tally {
  readonly #frequencies: FrequencyTable;
  readonly #text: FileWords;
  #files = 0;
  #lines = 0;
  #words = 0;
  #bytes = 0;

  constructor(limits?: FrequencyLimits) {
    this.#frequencies = new FrequencyTable(limits);
    this.#text = new FileWords((word, length) => {
      this.#words++;
      this.#frequencies.add(word, length);
    });
  }

  /** The next piece of the current file. */
  push(chunk: Uint8Array): void {
    this.#bytes += chunk.length;
    for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, at + 1)) this.#lines++;
    this.#text.push(chunk);
  }

  /** The current file is over. */
  endFile(): void {
    this.#text.endFile();
    this.#files++;
  }

  /** The count so far, of whole files. */
  result(): Count {
    return {
      files: this.#files,
      lines: this.#lines,
      words: this.#words,
      bytes: this.#bytes,
      top: this.#frequencies.top(TOP_WORDS),
      distinctExceeded: this.#frequencies.overflowed,
    };
  }
}
