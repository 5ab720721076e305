/** What `glia top` can look at, again and again: a program of `glia run`, or the mesh as a node sees it. */

/** One thing to look at. */
export interface Watched {
  /** What is said on standard error when it has ended. */
  readonly endNote: string;
  /** Resolves when it ends or closes the connection. */
  readonly ended: Promise<void>;
  /** Look; undefined when it has just ended. */
  look(): Promise<Look | undefined>;
  /** A key of the terminal that is none of `top`'s own. Whether it changed what is shown. */
  key?(key: string): boolean;
  close(): void;
}

/** What was seen. */
export interface Look {
  /** For programs (`--json`). */
  readonly record: object;
  /** The lines people see. With each call as the keys want them now. */
  lines(): readonly string[];
}
