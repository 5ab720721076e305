/** Guests that move between real processes while they are in the middle of a call. */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { decodeReport, encodeChunk, encodeReportRequest } from "../src/word-count.ts";
import { guestPath } from "./guests.ts";

const root = join(import.meta.dirname, "..", "..", "..");
const node24 = join(root, "conformance", "runtimes", "node24", "node_modules", ".bin", "node");
const runtimes = [process.execPath, ...(existsSync(node24) ? [node24] : [])];

interface Stop {
  readonly node: string;
  readonly replies: string[];
  readonly snapshot: string;
}

function stop(runtime: string, input: Readonly<Record<string, unknown>>): Stop {
  const output = execFileSync(
    runtime,
    ["--conditions=@glia-os/source", "--no-warnings", join(import.meta.dirname, "hop-child.ts")],
    { input: JSON.stringify(input), encoding: "utf8", maxBuffer: 256 * 1024 * 1024 },
  );
  return JSON.parse(output) as Stop;
}

/** A small generator of numbers (mulberry32), so that a printed seed repeats a run. */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Runs `messages` with a move to another process at `hops` random places, and once without; both replies. */
async function compare(
  guest: string,
  messages: readonly Uint8Array[],
  hops: number,
  seed: number,
): Promise<void> {
  const module = await guestPath(guest);
  const encoded = messages.map((message) => Buffer.from(message).toString("base64"));
  const whole = stop(process.execPath, { module, messages: encoded });
  const random = randomFrom(seed);
  const cuts = Array.from({ length: hops }, () => Math.floor(random() * (encoded.length + 1))).sort(
    (a, b) => a - b,
  );
  const replies: string[] = [];
  const nodes = new Set<string>();
  let snapshot: string | undefined;
  let from = 0;
  for (const [hop, to] of [...cuts, encoded.length].entries()) {
    const runtime = runtimes[hop % runtimes.length] as string;
    const made = stop(runtime, {
      module,
      messages: encoded.slice(from, to),
      ...(snapshot === undefined ? {} : { snapshot }),
    });
    replies.push(...made.replies);
    nodes.add(made.node);
    snapshot = made.snapshot;
    from = to;
  }
  console.log(`${guest}: seed ${seed}, ${hops} hops over ${[...nodes].join(" and ")}`);
  expect(replies.length).toBeGreaterThan(0);
  expect(replies).toEqual(whole.replies);
}

function u32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}

it("a guest 200 calls deep moves between processes 14 times and ends with the same result as one that stayed", async () => {
  const seed = Date.now() % 2 ** 31;
  const random = randomFrom(seed);
  const numbers = Array.from({ length: 400 }, () => u32(Math.floor(random() * 2 ** 32)));
  await compare("counter", [u32(200), ...numbers, u32(0), u32(1), u32(5)], 14, seed);
});

it("a counting guest moves between processes in the middle of words and code points and counts the same", async () => {
  const seed = (Date.now() + 1) % 2 ** 31;
  const random = randomFrom(seed);
  const alphabet = ["the ", "Straße", "漢", "İx", "\n", "\u{10400}", " a", "\xff", "été "];
  const bytes = Buffer.concat(
    Array.from({ length: 6000 }, () => {
      const part = alphabet[Math.floor(random() * alphabet.length)] as string;
      return part === "\xff" ? Buffer.of(0xff) : Buffer.from(part);
    }),
  );
  const messages: Uint8Array[] = [];
  for (let at = 0, sequence = 1; at < bytes.length; sequence++) {
    const piece = bytes.subarray(at, at + 1 + Math.floor(random() * 200));
    messages.push(
      encodeChunk({
        sequence,
        fileIndex: 0,
        first: at === 0,
        last: at + piece.length >= bytes.length,
        bytes: piece,
      }),
    );
    at += piece.length;
  }
  messages.push(encodeReportRequest());
  await compare("word-count", messages, 10, seed);
  const whole = stop(process.execPath, {
    module: await guestPath("word-count"),
    messages: messages.map((m) => Buffer.from(m).toString("base64")),
  });
  expect(decodeReport(Buffer.from(whole.replies[0] ?? "", "base64"))).toMatchObject({
    bytes: bytes.length,
    lost: 0,
    duplicated: 0,
  });
});
