/**
 * Telling each other that the peer was approved.
 *
 * CF1. The first unidirectional stream of each side carries the one byte 1 and ends: "I approved you".
 * CF2. A connection is announced when this side approved the peer and the peer's byte is here. Streams that come earlier wait.
 * CF3. Any other content ends the connection.
 */

const APPROVED = Uint8Array.of(1);

/** Numbers of the first unidirectional streams (RFC 9000 section 2.1), by the role of the side that opens it. */
const FIRST_OF_CLIENT = 2;
const FIRST_OF_SERVER = 3;

/** The bytes of a confirmation. */
export function confirmationBytes(): Uint8Array {
  return APPROVED;
}

/** The number of the stream on which the peer confirms. */
export function confirmationId(peerIsServer: boolean): number {
  return peerIsServer ? FIRST_OF_SERVER : FIRST_OF_CLIENT;
}

/** Reads the peer's confirmation as it comes. */
export class ConfirmationReader {
  #length = 0;
  #isWrong = false;

  /** More bytes; false when this is no confirmation. */
  take(bytes: Uint8Array): boolean {
    this.#isWrong ||= this.#length + bytes.byteLength > APPROVED.length || bytes[0] !== APPROVED[0];
    this.#length += bytes.byteLength;
    return !this.#isWrong;
  }

  /** Whether what ended now was a whole confirmation. */
  isWhole(): boolean {
    return !this.#isWrong && this.#length === APPROVED.length;
  }
}
