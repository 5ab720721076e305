/** What the command line and its counting thread say to each other. */
import type { Count } from "./tally.ts";
import type { WordCount } from "./words.ts";

/** A file and how much of it was counted. */
export interface CountedFile {
  readonly path: Uint8Array;
  readonly bytes: number;
}

/** To the thread. */
export type CountRequest =
  | { readonly kind: "chunk"; readonly buffer: ArrayBuffer; readonly bytes: number }
  | { readonly kind: "end-file" }
  | { readonly kind: "finish" }
  | {
      readonly kind: "recount";
      readonly files: readonly CountedFile[];
      readonly words: readonly WordCount[];
    };

/** From the thread. A credit gives a chunk's buffer back, to be filled again. `digest` is the CRC-32 of all bytes counted, in order. */
export type CountReply =
  | { readonly kind: "credit"; readonly buffer: ArrayBuffer; readonly bytes: number }
  | { readonly kind: "count"; readonly count: Count; readonly digest: number }
  | { readonly kind: "recount"; readonly counts: readonly number[]; readonly digest: number };
