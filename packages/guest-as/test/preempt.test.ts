/** Guests that move between real processes in the middle of a hot loop or a deep recursion, wherever their fuel runs out. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { existsSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compileAssemblyScript } from "@glia-os/guest-as/build";
import { instrument } from "@glia-os/wasm/pipeline";
import { afterAll, beforeAll, expect, it } from "vitest";

const root = join(import.meta.dirname, "..", "..", "..");
const node24 = join(root, "conformance", "runtimes", "node24", "node_modules", ".bin", "node");
const runtimes = [process.execPath, existsSync(node24) ? node24 : process.execPath];

/** Programs of the guest `compute`, with sizes that take a few milliseconds. */
const PROGRAMS = [
  ["fib", 0, 22],
  ["matrix product", 1, 64],
  ["sieve", 2, 100_000],
  ["words in a map of strings", 3, 3000],
  ["trees", 4, 9],
  ["host calls", 5, 2000],
] as const;

interface Stop {
  readonly node: string;
  readonly reply?: Uint8Array;
  readonly snapshot?: Uint8Array;
  readonly fuelUsed: number;
}

let folder = "";
let module = "";
let children: ChildProcess[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "glia-preempt-"));
  module = join(folder, "compute.wasm");
  const original = await compileAssemblyScript(
    join(import.meta.dirname, "..", "assembly", "guests", "compute.ts"),
  );
  writeFileSync(module, (await instrument(original, { profile: "preemptive" })).bytes);
  children = runtimes.map((execPath) =>
    fork(join(import.meta.dirname, "slice-child.ts"), {
      execPath,
      execArgv: ["--conditions=@glia-os/source", "--no-warnings"],
      serialization: "advanced",
    }),
  );
}, 60_000);
afterAll(async () => {
  for (const child of children) child.kill();
  await rm(folder, { recursive: true, force: true });
});

async function slice(at: number, input: Readonly<Record<string, unknown>>): Promise<Stop> {
  const child = children[at % children.length] as ChildProcess;
  child.send({ module, ...input });
  const [answer] = (await once(child, "message")) as [Stop];
  return answer;
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

it.each(PROGRAMS)(
  "%s moves between processes wherever its fuel runs out, with the same result and fuel",
  async (name, program, size) => {
    const request = new Uint8Array(8);
    new DataView(request.buffer).setUint32(0, program, true);
    new DataView(request.buffer).setUint32(4, size, true);
    const whole = await slice(0, { request, fuel: Number.MAX_SAFE_INTEGER });
    expect(whole.reply).toHaveLength(8);
    const seed = Date.now() % 2 ** 31;
    const random = randomFrom(seed);
    const fuel = (): number => 1 + Math.floor((random() * whole.fuelUsed) / 15);
    const nodes = new Set<string>();
    let hops = 0;
    let stop = await slice(0, { request, fuel: fuel() });
    while (stop.reply === undefined) {
      nodes.add(stop.node);
      hops += 1;
      stop = await slice(hops, { snapshot: stop.snapshot, fuel: fuel() });
    }
    console.log(
      `${name}: seed ${seed}, ${hops} hops over ${[...nodes].join(" and ")}, ${stop.fuelUsed} fuel`,
    );
    expect(hops).toBeGreaterThan(10);
    expect(Buffer.from(stop.reply).toString("hex")).toBe(Buffer.from(whole.reply ?? []).toString("hex"));
    expect(stop.fuelUsed).toBe(whole.fuelUsed);
  },
);
