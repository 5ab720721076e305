/** Moving agents that are read while they run (CR6, RP4, IS1, IS2). */
import { errorCodeOf } from "@glia-os/abi/errors";
import { FREEZE_TIMEOUT_MS } from "@glia-os/cells";
import { decodeReport, encodeChunk, encodeReportRequest } from "@glia-os/guest-as/word-count";
import { inOnePiece, LinkTable } from "@glia-os/mesh-core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encodeHead } from "../src/frozen-cell.ts";
import { AHEAD_MARK, type ImagePart, ImageReader, lengthOf } from "../src/image-stream.ts";
import { AGENT, EPOCH, HostUnderTest, manifestOf, message, NODE_B } from "./host-under-test.ts";

const framedPiece = (piece: Uint8Array = new Uint8Array()): Uint8Array =>
  Buffer.concat([lengthOf(piece), piece]);

const codeOf = async (work: Promise<unknown>): Promise<string | undefined> =>
  work.then(
    () => undefined,
    (error: unknown) => errorCodeOf(error),
  );

async function started(guest = "word-count"): Promise<HostUnderTest> {
  const host = new HostUnderTest();
  await host.settle(host.gate.start(AGENT, EPOCH(1), manifestOf(guest)));
  await host.run();
  return host;
}

function send(host: HostUnderTest, seq: number): string {
  const bytes = new TextEncoder().encode(`word${seq % 7} and ${"more ".repeat(seq % 40)}`);
  const payload = encodeChunk({ sequence: seq, fileIndex: 0, first: seq === 1, last: false, bytes });
  return host.gate.deliver(message(seq, payload)).kind;
}

async function report(host: HostUnderTest, seq: number): Promise<ReturnType<typeof decodeReport>> {
  host.gate.deliver(message(seq, encodeReportRequest(), { ask: true }));
  await host.run();
  return decodeReport(host.replies.at(-1)!.payload);
}

/** All chunks of the agent's image, read while it runs and gets a message between any two of them; and the next message's number. */
async function readOut(
  host: HostUnderTest,
  first: number,
): Promise<{ readonly chunks: Uint8Array[]; readonly ahead: number; readonly next: number }> {
  const chunks: Uint8Array[] = [];
  let next = first;
  const source = (await host.settle(host.gate.precopy.begin(AGENT, 0)))!;
  for (let chunk = await source(); chunk !== undefined; chunk = await source()) {
    chunks.push(inOnePiece(chunk).slice());
    expect(send(host, next++)).toBe("accepted");
    await host.run();
  }
  const ahead = chunks.length;
  expect(send(host, next++), "the last one is in the mailbox").toBe("accepted");
  const rest = await host.settle(host.gate.freeze(AGENT));
  for (let chunk = await rest(); chunk !== undefined; chunk = await rest()) chunks.push(chunk.slice());
  return { chunks, ahead, next };
}

async function staged(
  meta: Uint8Array,
  chunks: readonly Uint8Array[],
  to = new HostUnderTest(),
): Promise<HostUnderTest> {
  const left = [...chunks];
  await to.settle(to.gate.stage(AGENT, meta, async () => left.shift()));
  return to;
}

describe("an agent that is read while it runs", () => {
  test("CR6: goes on elsewhere with all it did meanwhile, move after move", async () => {
    const stayed = await started();
    let host = await started();
    let next = 1;
    for (let epoch = 2; epoch < 6; epoch++) {
      const { meta } = host.gate.describe(AGENT)!;
      const out = await readOut(host, next);
      expect(out.ahead).toBeGreaterThan(2);
      next = out.next;
      const to = await staged(meta, out.chunks);
      await host.settle(
        host.gate.retire(AGENT, { agent: AGENT, epoch: EPOCH(epoch), owner: NODE_B, address: undefined }),
      );
      await to.settle(to.gate.activate(AGENT, EPOCH(epoch)));
      host = to;
    }
    for (let seq = 1; seq < next; seq++) send(stayed, seq);
    expect(await report(host, next)).toEqual(await report(stayed, next));
  });

  test("CR6: that goes on where it was, frozen or not, can be moved again", async () => {
    const host = await started();
    const { meta } = host.gate.describe(AGENT)!;
    const source = (await host.settle(host.gate.precopy.begin(AGENT, 0)))!;
    await source();
    await source();
    await host.gate.precopy.giveUp(AGENT);
    await host.gate.precopy.giveUp(AGENT);
    const once = await readOut(host, 1);
    await host.settle(host.gate.thaw(AGENT, EPOCH(2)));
    send(host, once.next);
    await host.run();
    const twice = await readOut(host, once.next + 1);
    const to = await staged(meta, twice.chunks);
    await to.settle(to.gate.activate(AGENT, EPOCH(3)));
    expect(await report(to, twice.next)).toMatchObject({ applied: twice.next - 1, lost: 0 });
  });

  test("CR2: that does not stop in time goes on, and can be moved later", async () => {
    const host = await started();
    const source = (await host.settle(host.gate.precopy.begin(AGENT, 0)))!;
    while ((await source()) !== undefined);
    const refused = codeOf(host.gate.freeze(AGENT));
    await host.pass(FREEZE_TIMEOUT_MS + 1);
    expect(await refused).toBe("cells.no-yield");
    const { meta } = host.gate.describe(AGENT)!;
    const { chunks, next } = await readOut(host, 1);
    const to = await staged(meta, chunks);
    await to.settle(to.gate.activate(AGENT, EPOCH(2)));
    expect(await report(to, next)).toMatchObject({ applied: next - 1, lost: 0 });
  });

  test("is refused when its image was cut or changed, and leaves nothing behind", async () => {
    const host = await started();
    const { meta } = host.gate.describe(AGENT)!;
    const { chunks } = await readOut(host, 1);
    const stream = new Uint8Array(Buffer.concat(chunks));
    const stage = async (bytes: Uint8Array): Promise<string | undefined> => {
      const to = new HostUnderTest();
      const parts = [bytes];
      const code = await codeOf(to.settle(to.gate.stage(AGENT, meta, async () => parts.shift())));
      expect(to.gate.size).toBe(code === undefined ? 1 : 0);
      return code;
    };
    expect(await stage(stream)).toBeUndefined();
    for (const length of [1, 3, 5, 9, stream.length >> 1, stream.length - 1])
      expect(await stage(stream.subarray(0, length)), `cut after ${length}`).toBeDefined();
    for (let at = 0; at < stream.length; at += Math.ceil(stream.length / 40)) {
      const changed = stream.slice();
      changed[at]! ^= 0x40;
      expect(await stage(changed), `bit flipped in byte ${at}`).toBeDefined();
    }
  });

  test("is not read by a host that does not, nor below the least size, and such a host takes none in", async () => {
    const plain = new HostUnderTest(
      (runner) => runner,
      undefined,
      () => [],
      false,
    );
    await plain.settle(plain.gate.start(AGENT, EPOCH(1), manifestOf("word-count")));
    expect(await plain.settle(plain.gate.precopy.begin(AGENT, 0))).toBeUndefined();
    const host = await started();
    expect(await host.settle(host.gate.precopy.begin(AGENT, 2 ** 31))).toBeUndefined();
    const { meta } = host.gate.describe(AGENT)!;
    const { chunks } = await readOut(host, 1);
    const other = new HostUnderTest(
      (runner) => runner,
      undefined,
      () => [],
      false,
    );
    expect(await codeOf(staged(meta, chunks, other))).toBe("cells.bad-image");
    expect(other.gate.size).toBe(0);
  });
});

describe("the form of an image", () => {
  const mail = { mailbox: [], asker: undefined, received: 3, sleepMs: undefined };
  const head = encodeHead({ links: new LinkTable(), mail, suspended: false });

  const partsOf = (chunks: readonly Uint8Array[]): string[] => {
    const reader = new ImageReader();
    const parts: ImagePart[] = chunks.flatMap((chunk) => [...reader.push(chunk)]);
    const names: string[] = [];
    for (const part of parts) {
      const name = part.kind === "guest" ? Buffer.from(part.bytes).toString("latin1") : `<${part.kind}>`;
      if (part.kind === "guest" && names.length > 0 && !names.at(-1)!.startsWith("<"))
        names[names.length - 1] += name;
      else names.push(name);
    }
    return names;
  };

  test("IS1, IS2: whatever the chunks, the same parts come in the same order", () => {
    const piece = fc
      .uint8Array({ minLength: 1, maxLength: 40 })
      .map((bytes) => bytes.map((byte) => 97 + (byte % 26)));
    fc.assert(
      fc.property(fc.array(piece), piece, fc.array(fc.nat(400)), (pieces, rest, cuts) => {
        const whole = Buffer.concat([
          AHEAD_MARK,
          ...pieces.map((one) => framedPiece(one)),
          framedPiece(),
          head,
          rest,
        ]);
        const ends = [...new Set([...cuts.filter((cut) => cut < whole.length), whole.length])].sort(
          (a, b) => a - b,
        );
        const chunks = ends.map((end, at) => new Uint8Array(whole.subarray(ends[at - 1] ?? 0, end)));
        const before = Buffer.concat(pieces).toString("latin1");
        const expected = [
          "<ahead>",
          ...(before === "" ? [] : [before]),
          "<caught-up>",
          "<head>",
          Buffer.from(rest).toString("latin1"),
        ];
        expect(partsOf(chunks)).toEqual(expected);
      }),
    );
  });

  test("IS1: lengths beyond the limits are refused before anything is held", () => {
    const refused = (...bytes: number[]): unknown => {
      try {
        return partsOf([Uint8Array.from(bytes)]);
      } catch (error) {
        return errorCodeOf(error);
      }
    };
    expect(refused(0xff, 0, 0x10, 0, 1)).toBe("cells.bad-image");
    expect(refused(0xff, 0, 0, 0, 0, 0x7f, 0, 0, 0)).toBe("cells.bad-image");
    expect(refused(0x7f, 0, 0, 0)).toBe("cells.bad-image");
  });
});
