/** The pipeline that documents go through: from files to passages, each a stage with its own agent. */
import { pipe, source, stage } from "@glia-os/cells/orchestration";
import { type Passage, passagesOf } from "@glia-os/example-semantic-search/passages";

/** A document as text. */
export interface Document {
  /** Path below the folder. */
  readonly file: string;
  readonly text: string;
}

const documents = source({
  name: "documents",
  start: (all: readonly Document[]) => ({ all, at: 0 }),
  next(own): { readonly value: Document } | undefined {
    const value = own.all[own.at];
    own.at += 1;
    return value === undefined ? undefined : { value };
  },
});

const passages = stage({
  name: "passages",
  each: ({ file, text }: Document): readonly Passage[] => passagesOf(file, text),
});

/** Documents in, passages out. */
export const ingestion = pipe(documents, passages);
