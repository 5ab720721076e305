/** The handshake between two builds (docs/spec/envelope.md). */

/** Raised when a record of this package changes in a way older builds cannot read. */
export const ABI_VERSION = 1;
