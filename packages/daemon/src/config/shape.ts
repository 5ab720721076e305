/** What a value may look like, as data: one description from which checks, environment variables and documents are made. */

/** A text. */
export interface TextShape {
  readonly kind: "text";
  /** What it must match. Default: anything that is not empty. */
  readonly pattern?: RegExp;
  /** Characters at most. Default 4096. */
  readonly max?: number;
  /** What it is, for a message: "an address HOST:PORT". */
  readonly is: string;
}

/** One of a few words. */
export interface ChoiceShape {
  readonly kind: "choice";
  readonly of: readonly string[];
}

/** A whole number. */
export interface NumberShape {
  readonly kind: "number";
  readonly min: number;
  readonly max: number;
  /** Its unit, for a message. */
  readonly unit?: string;
}

/** True or false. */
export interface FlagShape {
  readonly kind: "flag";
}

/** Several of a kind. */
export interface ListShape {
  readonly kind: "list";
  readonly of: Shape;
  readonly max: number;
  /** A field of each item that no two may share. */
  readonly distinct?: string;
}

/** Named fields. */
export interface RecordShape {
  readonly kind: "record";
  readonly fields: Readonly<Record<string, Field>>;
}

/** What a value may look like. */
export type Shape = TextShape | ChoiceShape | NumberShape | FlagShape | ListShape | RecordShape;

/** A field of a record. */
export interface Field {
  readonly shape: Shape;
  readonly required?: boolean;
  /** What it says, for documents. */
  readonly says: string;
  /** Whether a running node takes a change of it, of all that is in it. */
  readonly live?: boolean;
}
