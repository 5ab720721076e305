/** Programs in C and Rust, with their standard libraries, as guests that move between real processes. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Stop, Stopped } from "./fixtures/hop-child.ts";
import { foreignGuest, prebuilt } from "./foreign-modules.ts";

const node24 = join(prebuilt, "..", "..", "runtimes", "node24", "node_modules", ".bin", "node");
const runtimes = [process.execPath, ...(existsSync(node24) ? [node24] : [])];

async function run(runtime: string, stop: Stop): Promise<Stopped> {
  const file = join(import.meta.dirname, "fixtures", "hop-child.ts");
  const child = spawn(runtime, ["--conditions=@glia-os/source", "--no-warnings", file], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  child.stdin.end(JSON.stringify(stop));
  const output: Buffer[] = [];
  child.stdout.on("data", (bytes: Buffer) => output.push(bytes));
  const [code] = (await once(child, "close")) as [number | null];
  expect(code).toBe(0);
  return JSON.parse(Buffer.concat(output).toString()) as Stopped;
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

interface Journey {
  readonly name: string;
  readonly profile?: "cooperative" | "preemptive";
  readonly stop: Omit<Stop, "module" | "snapshot" | "stops">;
  /** Most stops of the guest between two moves. */
  readonly stride: number;
}

/** Runs a guest once in one process and once over many; both must have done the same. */
async function sameOverHops({ name, profile = "cooperative", stop, stride }: Journey): Promise<Stopped> {
  const module = await foreignGuest(name, profile);
  // Without slices: where a guest is stopped must not show in the fuel it used.
  const { fuel: _slice, ...unsliced } = stop;
  const whole = await run(process.execPath, { ...unsliced, module });
  const seed = Date.now() % 2 ** 31;
  const random = randomFrom(seed);
  let hops = 0;
  let received = 0;
  let output = "";
  const replies: string[] = [];
  for (let snapshot: string | undefined, last: Stopped | undefined; ; snapshot = last.snapshot) {
    last = await run(runtimes[hops % runtimes.length] as string, {
      ...stop,
      // What the guest was launched with is in its snapshot: from the second process on, none of it is given.
      ...(snapshot === undefined ? {} : { snapshot, args: [], stdin: "", files: {} }),
      module,
      messages: stop.messages.slice(received),
      stops: 1 + Math.floor(random() * stride),
    });
    output += last.output;
    replies.push(...last.replies);
    received += last.received;
    if (last.snapshot === undefined) {
      console.log(`${name}, ${profile}: seed ${seed}, ${hops} hops, fuel ${last.fuelUsed}`);
      expect({ ...last, output, replies, received, node: "" }).toEqual({ ...whole, node: "" });
      expect(hops).toBeGreaterThanOrEqual(8);
      return whole;
    }
    hops += 1;
  }
}

const u32 = (value: number): string => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes.toString("base64");
};
const text = (line: string): string => Buffer.from(line).toString("base64");
const PROSE = "It was the best of times, it was the worst of times\nwe had everything before us\n".repeat(9);

/** A dozen processes are started one after the other, each from source: on a machine with other work that takes as long as it takes. */
const LONG = { timeout: 300_000 };

describe("a guest moved between processes ends like one that stayed", LONG, () => {
  it("C: in the middle of qsort, with the comparator on its stack", async () => {
    const whole = await sameOverHops({
      name: "sort",
      stop: { args: ["400", "250"], messages: [] },
      stride: 6,
    });
    expect(whole.output).toMatch(
      /^key {4}first .*\nweight first .*\nname {3}first .*\nchecksum [0-9a-f]{8}\n$/,
    );
    expect(whole.status).toBe(Number.parseInt(whole.output.slice(-9), 16) & 127);
  });

  it("C: with messages, a growing heap and 64-bit formatting", async () => {
    const numbers = Array.from({ length: 60 }, (_, at) => (((at + 1) * 2_654_435_761) >>> 0) % 4_000_000_000);
    const whole = await sameOverHops({
      name: "tally",
      stop: { messages: [...numbers.map(u32), u32(0)] },
      stride: 7,
    });
    const sorted = [...numbers].sort((a, b) => a - b);
    const sum = numbers.reduce((total, number) => total + BigInt(number), 0n);
    expect(Buffer.from(whole.replies.at(-1) ?? "", "base64").toString()).toBe(
      `60 numbers, sum ${sum}, median ${sorted[30]}`,
    );
    expect(whole.status).toBe(60);
  });

  it("Rust: in closures behind trait objects, with a seeded HashMap and standard input half read", async () => {
    const whole = await sameOverHops({
      name: "collect",
      stop: { args: ["3"], stdin: text(PROSE), messages: [] },
      stride: 8,
    });
    const words = PROSE.toLowerCase().split(/\s+/).filter(Boolean);
    expect(whole.output).toContain(`\n${words.length} words, ${new Set(words).size} distinct\n`);
    expect(whole.status).toBe(0);
  });

  it("Rust: without WASI, with strings, maps and refusals", async () => {
    const lines = Array.from({ length: 40 }, (_, at) => `account${at % 7} ${at % 5 === 4 ? -1000 : at * 13}`);
    const whole = await sameOverHops({
      name: "ledger",
      stop: { messages: [...lines, "broken", "account1 x", "?", "."].map(text) },
      stride: 5,
    });
    const replies = whole.replies.map((reply) => Buffer.from(reply, "base64").toString());
    expect(replies.filter((reply) => reply.startsWith("refused: ")).length).toBeGreaterThan(5);
    expect(replies.at(-1)?.split("\n")).toHaveLength(7);
    expect(whole.status).toBe(7);
  });
});

describe("pre-empted anywhere and moved, a guest ends like one that stayed, with the same fuel", LONG, () => {
  it("C: sorting, without a single blocking call", async () => {
    const whole = await sameOverHops({
      name: "sort",
      profile: "preemptive",
      stop: { args: ["300"], messages: [], fuel: 60_000 },
      stride: 16,
    });
    expect(whole.fuelUsed).toBeGreaterThan(1_000_000);
    expect(whole.output).toContain("checksum ");
  });

  it("Rust: hashing and formatting", async () => {
    const whole = await sameOverHops({
      name: "collect",
      profile: "preemptive",
      stop: { args: ["0"], stdin: text(PROSE), messages: [], fuel: 8_000 },
      stride: 7,
    });
    expect(whole.status).toBe(0);
    expect(whole.fuelUsed).toBeGreaterThan(200_000);
  });
});

describe("the header for C", () => {
  it("declares every import of the host ABI, and every error code with its value", async () => {
    const header = readFileSync(join(import.meta.dirname, "..", "include", "glia.h"), "utf8");
    const { GUEST_ERRORS, HOST_IMPORTS, SYS_IMPORTS } = await import("@glia-os/abi/wire");
    for (const { name } of HOST_IMPORTS) expect(header).toContain(`GLIA_IMPORT("${name}")`);
    for (const { name } of SYS_IMPORTS) expect(header).toContain(`GLIA_SYS_IMPORT("${name}")`);
    for (const [name, value] of Object.entries(GUEST_ERRORS))
      expect(header).toContain(`GLIA_${name} = ${value},`);
  });
});
