/** The bytes of agent files (docs/spec/agent-file.md, AF1, AF2; FR1, FR2, FW1). */
import { errorCodeOf } from "@glia-os/abi/errors";
import type { AgentId, ClusterId, Epoch } from "@glia-os/abi/ids";
import { createEd25519Signer, generateEd25519Key } from "@glia-os/hal";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type AgentFileHeader,
  AgentFileReader,
  AgentFileWriter,
  FILE_CHUNK_MAX,
  FILE_START_MAX,
  readFileStart,
} from "../../src/index.ts";
import { CRYPTO } from "./node-crypto.ts";

const signer = createEd25519Signer(generateEd25519Key());
const SECRET = new Uint8Array(32).fill(7);
const MANIFEST = Uint8Array.of(1, 2, 3);
const header = (changes: Partial<AgentFileHeader> = {}): AgentFileHeader => ({
  cluster: "ab".repeat(32) as ClusterId,
  nodeKey: signer.publicKey,
  agent: "cd".repeat(16) as AgentId,
  epoch: 4 as Epoch,
  name: "counter",
  exportedMs: 1_700_000_000_000,
  seal: { kind: "passphrase", salt: new Uint8Array(16).fill(9), logN: 14, r: 8, p: 1 },
  ...changes,
});

function written(pieces: readonly Uint8Array[], changes: Partial<AgentFileHeader> = {}): Uint8Array {
  const writer = new AgentFileWriter(header(changes), SECRET, CRYPTO, signer);
  const parts = [
    ...writer.start(MANIFEST),
    ...pieces.flatMap((piece) => writer.push(piece)),
    writer.finish(),
  ];
  return new Uint8Array(Buffer.concat(parts));
}

/** The content of a file that comes in steps of `step` bytes. */
function read(file: Uint8Array, step = file.length, secret = SECRET): Uint8Array {
  const start = readFileStart(file.subarray(0, FILE_START_MAX), CRYPTO.digests);
  const reader = new AgentFileReader(start, secret, CRYPTO);
  const content: Uint8Array[] = [];
  for (let at = start.bytes.length; at < file.length; at += step)
    content.push(...reader.push(file.subarray(at, at + step)));
  reader.finish();
  return new Uint8Array(Buffer.concat(content));
}

function codeOf(work: () => unknown): string | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    return errorCodeOf(error) ?? String(error);
  }
}

describe("an agent file", () => {
  test("gives back what was written, whatever the pieces are", () => {
    const seed = Date.now() % 2 ** 31;
    console.log(`seed ${seed}`);
    const pieces = fc.array(fc.uint8Array({ maxLength: 3000 }), { maxLength: 6 });
    fc.assert(
      fc.property(pieces, fc.integer({ min: 1, max: 5000 }), (given, step) => {
        const content = Buffer.concat([Uint8Array.of(0, 0, 0, 3), MANIFEST, ...given]);
        expect(Buffer.compare(read(written(given), step), content)).toBe(0);
      }),
      { seed, numRuns: 60 },
    );
  });

  test.each([FILE_CHUNK_MAX - 7, FILE_CHUNK_MAX - 6, 2 * FILE_CHUNK_MAX - 7, 3_500_000])(
    "FW1: %i bytes of content in one piece or many come back",
    (length) => {
      const whole = new Uint8Array(length).map((_, at) => at % 251);
      const halves = [whole.subarray(0, length / 2), whole.subarray(length / 2)];
      for (const file of [written([whole]), written(halves)])
        expect(Buffer.compare(read(file, 100_000).subarray(7), whole)).toBe(0);
    },
  );

  test("says what its header says, for both seals", () => {
    const cluster = { kind: "cluster", clusterKey: signer.publicKey, ephemeral: SECRET } as const;
    for (const changes of [{}, { seal: cluster }])
      expect(readFileStart(written([], changes), CRYPTO.digests).header).toEqual(header(changes));
  });

  test("AF2: every flipped bit is refused by type", () => {
    const file = written([new Uint8Array(40).fill(5)]);
    const codes = new Set<string | undefined>();
    for (let bit = 0; bit < file.length * 8; bit++) {
      const bad = file.slice();
      bad[bit >> 3] = (bad[bit >> 3] as number) ^ (1 << (bit & 7));
      codes.add(codeOf(() => read(bad)));
    }
    expect([...codes].sort()).toEqual(["cells.file-corrupt", "cells.file-not-one", "cells.file-version"]);
  });

  test("AF2: every file that is cut off or goes on is refused", () => {
    const file = written([new Uint8Array(40).fill(5)]);
    for (let length = 0; length < file.length; length++)
      expect(codeOf(() => read(file.subarray(0, length)))).toMatch(/^cells\.file-(corrupt|not-one)$/);
    expect(codeOf(() => read(new Uint8Array([...file, 0])))).toBe("cells.file-corrupt");
  });

  test("AF2: chunks that are left out, doubled or exchanged are refused", () => {
    const file = written([new Uint8Array(3 * FILE_CHUNK_MAX)]);
    const { bytes } = readFileStart(file, CRYPTO.digests);
    const size = 5 + FILE_CHUNK_MAX + 16;
    const chunk = (n: number): Uint8Array =>
      file.subarray(bytes.length + n * size, bytes.length + (n + 1) * size);
    const rest = file.subarray(bytes.length + 3 * size);
    const made = (...order: number[]): Uint8Array =>
      new Uint8Array(Buffer.concat([bytes, ...order.map(chunk), rest]));
    expect(codeOf(() => read(made(0, 1, 2)))).toBeUndefined();
    for (const order of [
      [0, 2],
      [0, 1, 1, 2],
      [1, 0, 2],
      [0, 2, 1],
    ])
      expect(codeOf(() => read(made(...order)))).toBe("cells.file-corrupt");
  });

  test("another secret is refused before anything is opened with it", () => {
    expect(codeOf(() => read(written([]), 10, new Uint8Array(32)))).toBe("cells.file-wrong-key");
  });

  test("FR1: a header that another node signed is refused", () => {
    const other = createEd25519Signer(generateEd25519Key());
    const writer = new AgentFileWriter(header({ nodeKey: other.publicKey }), SECRET, CRYPTO, signer);
    const file = Buffer.concat([...writer.start(MANIFEST), writer.finish()]);
    expect(codeOf(() => readFileStart(file, CRYPTO.digests))).toBe("cells.file-corrupt");
  });

  test("AF1: parameters of scrypt that would cost a reader more than its bounds are refused", () => {
    for (const seal of [
      { logN: 19, r: 8, p: 1 },
      { logN: 13, r: 8, p: 1 },
      { logN: 14, r: 9, p: 1 },
      { logN: 14, r: 8, p: 5 },
    ]) {
      const file = written([], { seal: { kind: "passphrase", salt: new Uint8Array(16), ...seal } });
      expect(codeOf(() => readFileStart(file, CRYPTO.digests))).toBe("cells.file-corrupt");
    }
  });

  test("random bytes are refused", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        expect(codeOf(() => readFileStart(bytes, CRYPTO.digests))).toMatch(/^cells\.file-/);
        const headed = new Uint8Array([0x47, 0x4c, 0x41, 0x46, 1, 0, 0, 0, 20, ...bytes]);
        expect(codeOf(() => readFileStart(headed, CRYPTO.digests))).toMatch(/^cells\.file-/);
      }),
      { numRuns: 300 },
    );
  });
});
