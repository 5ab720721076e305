/**
 * Makes conformance/vectors/increment.json: `node --conditions=@glia-os/source test/increment-vectors.ts`. The vectors are committed;
 * running this again on a later version must not change `raw` and `runs`.
 */
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { checkpointOf, encodeIncrement } from "../src/snapshot/index.ts";
import { type VectorImage, vectorImage } from "./snapshot-vectors.ts";

const PAGE = 4096;

const base: VectorImage = {
  moduleHash: "2e".repeat(32),
  profile: "metered",
  pending: { requestId: 1, op: "receive", args: [1024, 4096] },
  sections: {
    control: { bytes: 24, runs: [[8, "0000100000000000"]] },
    globals: { bytes: 8, runs: [[0, "0000100000000000"]] },
    memory: {
      bytes: 3 * PAGE,
      runs: [
        [0, "11223344"],
        [2 * PAGE - 2, "aabbccdd"],
      ],
    },
    stack: { bytes: 8, runs: [[0, "0100000002000000"]] },
  },
};

/** A state like the base but for this. */
function like(
  requestId: number,
  sections: Partial<VectorImage["sections"]>,
  gone: readonly string[] = [],
): VectorImage {
  const all = { ...base.sections, ...(sections as VectorImage["sections"]) };
  const kept = Object.fromEntries(Object.entries(all).filter(([name]) => !gone.includes(name)));
  return { ...base, pending: { ...base.pending, requestId }, sections: kept };
}

const states: readonly (readonly [what: string, state: VectorImage])[] = [
  ["nothing but the request changed", like(2, {})],
  [
    "a few bytes of two pages, which zero runs hold in few bytes",
    like(2, {
      memory: {
        bytes: 3 * PAGE,
        runs: [
          [0, "1122334455"],
          [300, "01000001"],
          [2 * PAGE - 2, "aabbccde"],
        ],
      },
    }),
  ],
  [
    "memory that grew by a page, and frames that shrank",
    like(3, {
      memory: {
        bytes: 4 * PAGE,
        runs: [
          [0, "11223344"],
          [2 * PAGE - 2, "aabbccdd"],
          [4 * PAGE - 1, "7f"],
        ],
      },
      stack: { bytes: 4, runs: [[0, "01000000"]] },
    }),
  ],
  ["a page that became zeros", like(4, { memory: { bytes: 3 * PAGE, runs: [[2 * PAGE - 2, "aabbccdd"]] } })],
  [
    "a section that came and one that went",
    like(5, { host: { bytes: 3, runs: [[0, "a16178"]] } }, ["globals"]),
  ],
];

/** Sealed again after a change of the bytes before the digest. */
function resealed(increment: Uint8Array, change: (body: Buffer) => void): string {
  const body = Buffer.from(increment.subarray(0, -32));
  change(body);
  return Buffer.concat([body, createHash("sha256").update(body).digest()]).toString("hex");
}

function refused(increment: Uint8Array): { what: string; code: string; hex: string }[] {
  const bad = "wasm.snapshot-corrupt";
  const hex = Buffer.from(increment).toString("hex");
  // The key, then the two bytes that begin a byte string of 32.
  const base = Buffer.from(increment).indexOf("base");
  const entries: readonly (readonly [string, string, string])[] = [
    ["the magic of a snapshot", bad, resealed(increment, (body) => void body.write("GLSN"))],
    ["version 2", "wasm.snapshot-version", resealed(increment, (body) => void body.writeUInt8(2, 4))],
    [
      "another base",
      "wasm.snapshot-mismatch",
      resealed(increment, (body) => void body.writeUInt8(body.readUInt8(base + 6) ^ 1, base + 6)),
    ],
    ["a digest of other bytes", bad, `${hex.slice(0, -2)}${hex.endsWith("00") ? "01" : "00"}`],
    ["no end", bad, hex.slice(0, -66)],
    ["bytes after its end", bad, `${hex}00`],
  ];
  return entries.map(([what, code, bytes]) => ({ what, code, hex: bytes }));
}

if (import.meta.main) {
  const from = checkpointOf(vectorImage(base));
  const written = states.map(([what, state]) => {
    const form = (compress: boolean): string =>
      Buffer.from(encodeIncrement(from, vectorImage(state), { compress }).bytes).toString("hex");
    return { what, state, raw: form(false), runs: form(true) };
  });
  const chain = encodeIncrement(from, vectorImage(states[1]?.[1] as VectorImage));
  const second = encodeIncrement(chain.next, vectorImage(states[2]?.[1] as VectorImage));
  const path = join(import.meta.dirname, "..", "..", "..", "conformance", "vectors", "increment.json");
  const vectors = {
    spec: "docs/spec/snapshot.md",
    base: { state: base, name: from.id },
    accepted: written,
    chain: {
      what: "two increments, the second to the state after the first",
      increments: [chain.bytes, second.bytes].map((bytes) => Buffer.from(bytes).toString("hex")),
      state: states[2]?.[1],
      name: second.next.id,
    },
    refused: refused(chain.bytes),
  };
  writeFileSync(path, `${JSON.stringify(vectors, undefined, 2)}\n`);
}
