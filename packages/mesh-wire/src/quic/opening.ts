/**
 * The one stream of a QUIC connection of the mesh.
 *
 * OP1. The dialler opens it and sends one byte 0, because a stream is heard of with its first byte; the acceptor takes that byte away. After it
 *      come the frames of docs/spec/frame.md.
 * OP2. The connection ends with the stream, and the port is let go of (K3).
 */
import type { QuicConnection, QuicStream } from "@glia-os/quic";
import { ProtocolViolationError } from "../errors.ts";

const OPENING = Uint8Array.of(0);

/** Opens the stream as the dialler. @throws the error of the connection */
export async function openStream(connection: QuicConnection, letGo: () => void): Promise<QuicStream> {
  const stream = await connection.openStream();
  stream.write(OPENING);
  endTogether(connection, stream, letGo);
  return stream;
}

/** Waits for the stream as the acceptor. @throws {ProtocolViolationError} */
export async function takeStream(connection: QuicConnection, letGo: () => void): Promise<QuicStream> {
  const stream = await firstStream(connection);
  endTogether(connection, stream, letGo);
  connection.onStream((other) => other.destroy());
  const opening = await firstByte(stream);
  if (opening === OPENING[0]) return stream;
  stream.destroy();
  // A dialler that has a session by then, over TLS or from the other side, goes without a word.
  if (opening === undefined) throw new ProtocolViolationError("its stream ended before its first byte");
  throw new ProtocolViolationError("the first byte of its stream is wrong");
}

function firstStream(connection: QuicConnection): Promise<QuicStream> {
  return new Promise((resolve, reject) => {
    connection.onStream(resolve);
    void connection.closed.then(() => reject(new ProtocolViolationError("it opened no stream")));
  });
}

/** The first byte, or undefined when the stream ends before it; nothing after it is taken. */
async function firstByte(stream: QuicStream): Promise<number | undefined> {
  for (;;) {
    const byte = stream.read(1) as Uint8Array | null;
    if (byte !== null) return byte[0];
    if (stream.readableEnded || stream.destroyed) return undefined;
    await changed(stream);
  }
}

function changed(stream: QuicStream): Promise<void> {
  return new Promise((resolve) => {
    const events = ["readable", "end", "close"] as const;
    const settle = (): void => {
      for (const event of events) stream.off(event, settle);
      resolve();
    };
    for (const event of events) stream.on(event, settle);
  });
}

function endTogether(connection: QuicConnection, stream: QuicStream, letGo: () => void): void {
  stream.once("close", () => {
    void connection.close().then(letGo);
  });
}
