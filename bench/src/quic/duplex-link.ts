/** The same work over any Node stream: what QUIC and TLS are measured with. */
import type { Duplex } from "node:stream";

/** The first byte of a stream says what it is for. */
export const MODE = { echo: 0x65, sink: 0x73 } as const;
/** Bytes of one write in bulk. */
export const WRITE_BYTES: number = 64 * 1024;

/** One stream to the other process. */
export interface Link {
  /** Bytes there and back. */
  echo(bytes: Uint8Array): Promise<void>;
  /** That many bytes there, until the other process says it has them. Once per link. */
  send(total: number): Promise<void>;
  /** Close the connection. */
  close(): Promise<void>;
}

/** Serves a stream: gives back what comes, or counts to the number in the first bytes and answers one byte. */
export function serveDuplex(stream: Duplex): void {
  stream.on("error", () => {});
  let left = -1;
  let mode = 0;
  stream.on("data", (chunk: Buffer) => {
    let data = chunk;
    if (mode === 0) {
      mode = data[0]!;
      left = mode === MODE.sink ? data.readDoubleLE(1) : 0;
      data = data.subarray(mode === MODE.sink ? 9 : 1);
    }
    if (mode === MODE.echo && data.length > 0) stream.write(data);
    if (mode !== MODE.sink) return;
    left -= data.length;
    if (left <= 0) stream.write(Buffer.of(1));
  });
}

/** The first bytes of a stream. */
export function opening(mode: number, total: number): Buffer {
  const head = Buffer.alloc(mode === MODE.sink ? 9 : 1, mode);
  if (mode === MODE.sink) head.writeDoubleLE(total, 1);
  return head;
}

/** A link over streams that `open` makes; the first use of a stream decides what it is for. */
export function duplexLink(open: () => Promise<Duplex>, close: () => Promise<void>): Link {
  let echoing: Promise<Duplex> | undefined;
  return {
    async echo(bytes) {
      echoing ??= open().then((stream) => {
        stream.on("error", () => {});
        stream.write(opening(MODE.echo, 0));
        return stream;
      });
      const stream = await echoing;
      const back = received(stream, bytes.length);
      stream.write(bytes);
      await back;
    },
    async send(total) {
      const stream = await open();
      stream.on("error", () => {});
      const answered = received(stream, 1);
      stream.write(opening(MODE.sink, total));
      const block = Buffer.alloc(WRITE_BYTES, 7);
      for (let sent = 0; sent < total; sent += block.length)
        if (!stream.write(block)) await new Promise<void>((resolve) => stream.once("drain", () => resolve()));
      await answered;
    },
    close,
  };
}

function received(stream: Duplex, count: number): Promise<void> {
  return new Promise((resolve) => {
    let left = count;
    const take = (chunk: Buffer): void => {
      left -= chunk.length;
      if (left > 0) return;
      stream.off("data", take);
      resolve();
    };
    stream.on("data", take);
  });
}
