/** The statements in a message. */
import { FieldReader } from "../codec/reader.ts";
import { STATEMENT_MAX } from "./statement.ts";

/** What a statement takes beyond its own limit when it is wrapped. */
const WRAP_BYTES = 64;
/** Statements in one datagram: more than fit. */
const DATAGRAM_STATEMENTS = 16;

/** At most `max` statements. @throws {MalformedMessageError}. */
export function readStatements(reader: FieldReader, max: number = DATAGRAM_STATEMENTS): Uint8Array[] {
  return reader.list("statements", max, (item) =>
    new FieldReader([item], "a statement").bytes("statement", STATEMENT_MAX + WRAP_BYTES, 1),
  );
}
