/** Streams: delivery, order, back-pressure, ends. */
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { finished } from "node:stream/promises";
import { describe, expect, test } from "vitest";
import { noAddon } from "./addon.ts";
import { failure, nextStream, pair, readAll, until } from "./peers.ts";

const MIB = 1024 * 1024;

describe.skipIf(noAddon !== undefined)(`streams, needs a compiler and Node's headers${noAddon ?? ""}`, () => {
  test("16 MiB arrive whole and in order", async () => {
    const { accepted, dialled } = await pair();
    const sent = randomBytes(16 * MIB);
    const stream = await dialled.openStream();
    stream.end(sent);
    const received = await readAll(await nextStream(accepted));
    expect(received.length).toBe(sent.length);
    expect(received.equals(sent)).toBe(true);
    expect(dialled.stats().bytesSent).toBe(sent.length + 1);
    expect(accepted.stats().bytesReceived).toBe(sent.length + 1);
  });

  test("a reply comes back on the stream of the request", async () => {
    const { accepted, dialled } = await pair();
    accepted.onStream(async (stream) => stream.end(`you said ${await readAll(stream)}`));
    const stream = await dialled.openStream();
    stream.end("hello");
    expect(String(await readAll(stream))).toBe("you said hello");
  });

  test("the side that accepted opens streams as well", async () => {
    const { accepted, dialled } = await pair();
    const stream = await accepted.openStream();
    stream.end("from the server");
    expect(String(await readAll(await nextStream(dialled)))).toBe("from the server");
  });

  test("a unidirectional stream goes one way", async () => {
    const { accepted, dialled } = await pair();
    const sending = await dialled.openStream({ unidirectional: true });
    sending.end("one way");
    const receiving = await nextStream(accepted);
    expect(sending.isUnidirectional && receiving.isUnidirectional).toBe(true);
    expect(sending.readable).toBe(false);
    expect(receiving.writable).toBe(false);
    expect(receiving.id).toBe(sending.id);
    expect(String(await readAll(receiving))).toBe("one way");
  });

  test("a writer that nobody reads is held up after a bounded number of bytes", async () => {
    const { accepted, dialled } = await pair();
    const stream = await dialled.openStream();
    const arrived = nextStream(accepted);
    const block = Buffer.alloc(64 * 1024, 7);
    let offered = 0;
    while (stream.write(block)) offered += block.length;
    const reader = await arrived;
    // Let everything flow that flows without a reader: until nothing was taken for a while on either side.
    let before = -1;
    while (before !== dialled.stats().bytesSent + accepted.stats().bytesReceived) {
      before = dialled.stats().bytesSent + accepted.stats().bytesReceived;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    while (stream.writableLength < 2 * MIB) stream.write(block);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(dialled.stats().bytesSent).toBeLessThanOrEqual(4 * MIB);
    expect(stream.writableLength).toBeGreaterThanOrEqual(MIB);
    stream.end();
    const total = (await readAll(reader)).length;
    expect(total).toBe(dialled.stats().bytesSent - 1);
    expect(total).toBeGreaterThan(offered);
  });

  test("a stream that is held up does not hold up another", async () => {
    const { accepted, dialled } = await pair();
    const held = await dialled.openStream();
    held.write(Buffer.alloc(2 * MIB));
    await nextStream(accepted);
    const other = await dialled.openStream();
    accepted.onStream(async (stream) => stream.end(await readAll(stream)));
    other.end("through");
    expect(String(await readAll(other))).toBe("through");
  });

  test("web streams carry the bytes with back-pressure", async () => {
    const { accepted, dialled } = await pair();
    accepted.onStream((stream) => {
      const { readable, writable } = stream.web();
      void readable!.pipeTo(writable!);
    });
    const { readable, writable } = (await dialled.openStream()).web();
    const sent = randomBytes(3 * MIB);
    const writer = writable!.getWriter();
    const writing = (async () => {
      for (let at = 0; at < sent.length; at += 50_000) {
        await writer.ready;
        await writer.write(sent.subarray(at, at + 50_000));
      }
      await writer.close();
    })();
    const hash = createHash("sha256");
    for await (const chunk of readable!) hash.update(chunk);
    await writing;
    expect(hash.digest("hex")).toBe(createHash("sha256").update(sent).digest("hex"));
  });

  test("1000 requests share a connection although the peer allows 100 streams at once", async () => {
    const { accepted, dialled, server } = await pair();
    accepted.onStream(async (stream) => stream.end(await readAll(stream)));
    const answers = await Promise.all(
      Array.from({ length: 1000 }, async (_, index) => {
        const stream = await dialled.openStream();
        stream.end(`request ${index}`);
        return String(await readAll(stream));
      }),
    );
    expect(answers).toEqual(Array.from({ length: 1000 }, (_, index) => `request ${index}`));
    await until(() => server.stats().streams === 0);
  });

  test("more than 1024 waiting opens are refused", async () => {
    const { dialled } = await pair();
    const opens = Array.from({ length: 100 + 1024 }, () => dialled.openStream());
    for (const open of opens) open.catch(() => {});
    expect(await failure(dialled.openStream())).toMatchObject({ code: "quic.too-many" });
    await Promise.all(opens.slice(0, 100));
    await dialled.close();
    expect(await failure(opens[200]!)).toMatchObject({ code: "quic.connection-closed" });
  });

  test("a reset reaches the reader with its code, and the connection stays", async () => {
    const { accepted, dialled } = await pair();
    const stream = await dialled.openStream();
    stream.write("unfinished");
    const reader = await nextStream(accepted);
    await once(reader, "readable");
    stream.reset(4711);
    const error = await failure(readAll(reader));
    expect(error).toMatchObject({ code: "quic.stream-reset", details: { streamCode: 4711 } });
    const other = await dialled.openStream();
    other.end("still here");
    expect(String(await readAll(await nextStream(accepted)))).toBe("still here");
  });

  test("a reader that goes away stops the writer", async () => {
    const { accepted, dialled } = await pair();
    const stream = await dialled.openStream();
    stream.write("first");
    const reader = await nextStream(accepted);
    reader.destroy();
    await until(() => stream.destroyed);
    expect((stream.errored as { code?: string } | null)?.code).toMatch(/^quic\.stream-(stopped|reset)$/);
    expect(dialled.isClosed).toBe(false);
  });

  test("half a stream can end while the other goes on", async () => {
    const { accepted, dialled } = await pair();
    const stream = await dialled.openStream();
    stream.end();
    const reader = await nextStream(accepted);
    expect((await readAll(reader)).length).toBe(0);
    for (let turn = 0; turn < 20; turn += 1) {
      reader.write(`${turn} `);
      await new Promise((resolve) => setImmediate(resolve));
    }
    reader.end();
    expect(String(await readAll(stream))).toBe(Array.from({ length: 20 }, (_, turn) => `${turn} `).join(""));
  });

  test("empty and odd writes deliver exactly their bytes", async () => {
    const { accepted, dialled } = await pair();
    const stream = await dialled.openStream();
    stream.write(Buffer.alloc(0));
    stream.write("");
    stream.cork();
    for (let index = 0; index < 300; index += 1) stream.write(String.fromCharCode(97 + (index % 26)));
    stream.uncork();
    stream.end("é");
    const text = String(await readAll(await nextStream(accepted)));
    expect(text.length).toBe(301);
    expect(text.endsWith("nopé") || text.endsWith("é")).toBe(true);
  });

  test("a finished stream is delivered although its writer was released and the connection closes", async () => {
    const { accepted, dialled } = await pair();
    const stream = await dialled.openStream({ unidirectional: true });
    const sent = randomBytes(200_000);
    const received = nextStream(accepted).then((stream) => readAll(stream));
    stream.end(sent);
    await finished(stream);
    await dialled.close();
    expect((await received).equals(sent)).toBe(true);
  });

  test("what was read off a finished stream before its connection closed stays readable", async () => {
    const { accepted, dialled } = await pair();
    const stream = await dialled.openStream({ unidirectional: true });
    const sent = randomBytes(100_000);
    const arrived = nextStream(accepted);
    stream.end(sent);
    const reader = await arrived;
    reader.read(0);
    await until(() => reader.readableLength === sent.length);
    await new Promise((resolve) => setImmediate(resolve));
    await dialled.close();
    await accepted.closed;
    expect((await readAll(reader)).equals(sent)).toBe(true);
  });

  test("a stream whose peer fails without anybody listening does not end the process", async () => {
    const { accepted, dialled } = await pair();
    const stream = await dialled.openStream();
    stream.write("x");
    const reader = await nextStream(accepted);
    await dialled.close({ code: 9 });
    await until(() => reader.destroyed && stream.destroyed);
    expect(reader.errored).toMatchObject({ code: "quic.connection-closed" });
  });
});
