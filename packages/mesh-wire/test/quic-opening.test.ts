/** Why the acceptor of a QUIC connection refuses its one stream. */
import { PassThrough } from "node:stream";
import type { QuicConnection, QuicStream } from "@glia-os/quic";
import { expect, it } from "vitest";
import { takeStream } from "../src/quic/opening.ts";

/** A connection that opens this stream. */
function opening(stream: PassThrough): QuicConnection {
  const connection = {
    onStream: (take: (stream: QuicStream) => void) => take(stream as unknown as QuicStream),
    closed: new Promise<void>(() => undefined),
    close: async () => undefined,
  };
  return connection as unknown as QuicConnection;
}

async function refusal(stream: PassThrough): Promise<string> {
  return takeStream(opening(stream), () => undefined).then(
    () => "taken",
    (error: unknown) => String(error),
  );
}

it("OP1: a stream that begins with the opening byte is taken without it", async () => {
  const stream = new PassThrough();
  stream.write(Uint8Array.of(0, 7));
  expect(await refusal(stream)).toBe("taken");
  expect(stream.read()).toEqual(Buffer.of(7));
});

it("OP1: another first byte is told from a dialler that went before its first byte", async () => {
  const wrong = new PassThrough();
  wrong.write(Uint8Array.of(1));
  expect(await refusal(wrong)).toContain("the first byte of its stream is wrong");
  for (const end of [(s: PassThrough) => s.end(), (s: PassThrough) => s.destroy()]) {
    const gone = new PassThrough();
    const refused = refusal(gone);
    end(gone);
    expect(await refused).toContain("its stream ended before its first byte");
  }
});
