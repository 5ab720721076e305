/**
 * Makes conformance/vectors/snapshot.json: `node --conditions=@glia-os/source test/snapshot-vectors.ts`. The vectors are
 * committed; running this again on a later version must not change `raw`.
 */
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { InstanceImage } from "@glia-os/abi/ports";
import { encode } from "cborg";
import { encodeSnapshot } from "../src/snapshot/index.ts";

/** An image as JSON: a section is its length and the byte runs in it that are not zero, as [offset, hexadecimal]. */
export interface VectorImage {
  readonly moduleHash: string;
  readonly profile: string;
  readonly pending: { readonly requestId: number; readonly op: string; readonly args: readonly number[] };
  readonly sections: Readonly<
    Record<string, { readonly bytes: number; readonly runs: readonly (readonly [number, string])[] }>
  >;
}

/** The image a vector describes. */
export function vectorImage(described: VectorImage): InstanceImage {
  const sections = Object.entries(described.sections).map(([name, { bytes, runs }]) => {
    const content = new Uint8Array(bytes);
    for (const [offset, hex] of runs) content.set(Buffer.from(hex, "hex"), offset);
    return [name, content] as const;
  });
  return { ...described, sections: Object.fromEntries(sections) };
}

const typical: VectorImage = {
  moduleHash: "1f".repeat(32),
  profile: "cooperative",
  pending: { requestId: 3, op: "receive", args: [1024, 66560] },
  sections: {
    control: {
      bytes: 16,
      runs: [
        [0, "01"],
        [8, "0000100000000000"],
      ],
    },
    globals: {
      bytes: 16,
      runs: [
        [0, "ffffffffffffffff"],
        [8, "9a99999999990940"],
      ],
    },
    memory: {
      bytes: 65_536,
      runs: [
        [8192, "676c6961"],
        [16_380, "0102030405060708"],
      ],
    },
    stack: { bytes: 12, runs: [[0, "0100000002000000030000ff"]] },
  },
};
const images: readonly (readonly [string, VectorImage])[] = [
  ["a guest with two pages written and one run over a page boundary", typical],
  [
    "empty sections and no arguments",
    {
      ...typical,
      pending: { requestId: 1, op: "yield", args: [] },
      sections: { memory: { bytes: 0, runs: [] } },
    },
  ],
  [
    "a section longer than a frame, written in its first and last page only",
    {
      ...typical,
      pending: { requestId: 9007199254740991, op: "sleep", args: [5_000_000_000] },
      sections: {
        memory: {
          bytes: 1_179_648,
          runs: [
            [0, "01"],
            [1_179_647, "ff"],
          ],
        },
      },
    },
  ],
];

function sealed(...parts: readonly (string | Uint8Array)[]): string {
  const body = Buffer.concat(
    parts.map((part) => (typeof part === "string" ? Buffer.from(part, "hex") : part)),
  );
  return Buffer.concat([body, createHash("sha256").update(body).digest()]).toString("hex");
}

function headed(header: unknown): Buffer {
  const content = encode(header);
  const prefix = Buffer.from("474c534e0100000000", "hex");
  prefix.writeUInt32LE(content.length, 5);
  return Buffer.concat([prefix, content]);
}

/** A frame over block `block` of section `section`, with page 0 marked and holding `payload`. */
function frame(
  section: number,
  block: number,
  encoding: number,
  payload: Uint8Array,
  claimed = payload.length,
  bitmap = "01",
): Buffer {
  const head = Buffer.alloc(44);
  head.set([1, section, encoding, 0]);
  head.writeUInt32LE(block, 4);
  head.writeUInt32LE(claimed, 8);
  head.set(Buffer.from(bitmap, "hex"), 12);
  return Buffer.concat([head, payload]);
}

function refused(): { what: string; code: string; hex: string }[] {
  const module = Buffer.alloc(32, 7);
  const good = { module, profile: "cooperative", pending: [1, "yield", []], sections: [["memory", 4096]] };
  const page = Buffer.alloc(4096, 5);
  const bad = "wasm.snapshot-corrupt";
  const header = (change: Readonly<Record<string, unknown>>): string =>
    sealed(headed({ ...good, ...change }), "00");
  const entries: readonly (readonly [string, string, string])[] = [
    ["empty", bad, ""],
    ["another magic", bad, sealed("474c534d0100000000")],
    ["version 0", "wasm.snapshot-version", sealed("474c534e0000000000")],
    ["version 2", "wasm.snapshot-version", sealed("474c534e0200000000")],
    ["a header of no bytes", bad, sealed("474c534e0100000000")],
    ["a header that claims 4 GiB", bad, sealed("474c534e01ffffffff")],
    ["a header that is an array", bad, sealed(headed([]), "00")],
    ["an unknown key in the header", bad, header({ extra: 1 })],
    ["a module hash of 31 bytes", bad, header({ module: Buffer.alloc(31) })],
    ["arguments that are no integers", bad, header({ pending: [1, "yield", ["x"]] })],
    [
      "section names out of order",
      bad,
      header({
        sections: [
          ["stack", 0],
          ["memory", 0],
        ],
      }),
    ],
    ["a section name with other characters", bad, header({ sections: [["../memory", 0]] })],
    ["a negative section length", bad, header({ sections: [["memory", -1]] })],
    [
      "sections over the limit of 1 MiB",
      "wasm.snapshot-too-big",
      header({ sections: [["memory", 1_048_577]] }),
    ],
    ["a frame of an unknown kind", bad, sealed(headed(good), "02")],
    ["a frame of a section that is not there", bad, sealed(headed(good), frame(1, 0, 0, page), "00")],
    ["a frame past the end of its section", bad, sealed(headed(good), frame(0, 1, 0, page), "00")],
    ["the same frame twice", bad, sealed(headed(good), frame(0, 0, 0, page), frame(0, 0, 0, page), "00")],
    ["a frame without pages", bad, sealed(headed(good), frame(0, 0, 0, new Uint8Array(), 0, "00"), "00")],
    ["a page past the end of its section", bad, sealed(headed(good), frame(0, 0, 0, page, 4096, "02"), "00")],
    ["an unknown encoding", bad, sealed(headed(good), frame(0, 0, 2, page), "00")],
    [
      "a payload longer than its pages",
      bad,
      sealed(headed(good), frame(0, 0, 0, Buffer.alloc(4097, 1)), "00"),
    ],
    [
      "a compressed payload that is no Zstandard",
      bad,
      sealed(headed(good), frame(0, 0, 1, page.subarray(0, 100)), "00"),
    ],
    ["a digest of other bytes", bad, `${sealed(headed(good), frame(0, 0, 0, page), "00").slice(0, -2)}00`],
    ["no end", bad, Buffer.concat([headed(good), frame(0, 0, 0, page)]).toString("hex")],
  ];
  return entries.map(([what, code, hex]) => ({ what, code, hex }));
}

if (import.meta.main) {
  const accepted = images.map(([what, image]) => {
    const hex = (compress: boolean): string =>
      Buffer.concat([...encodeSnapshot(vectorImage(image), { compress })]).toString("hex");
    return { what, image, raw: hex(false), zstd: hex(true) };
  });
  const path = join(import.meta.dirname, "..", "..", "..", "conformance", "vectors", "snapshot.json");
  writeFileSync(
    path,
    `${JSON.stringify({ spec: "docs/spec/snapshot.md", accepted, refused: refused() }, undefined, 2)}\n`,
  );
}
