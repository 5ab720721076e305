/** Programs in C and Rust that are moved by pre-copy again and again while they run, with what WASI keeps for them. */
import { readFileSync } from "node:fs";
import type { GuestHost, StepOutcome } from "@glia-os/abi/ports";
import { expect, it } from "vitest";
import {
  createWasmEngine,
  PreCopySource,
  PreCopyTarget,
  type WasiLaunch,
  type WasmInstance,
  type WasmProgram,
  wasiPreview1,
} from "../src/index.ts";
import { foreignGuest } from "./foreign-modules.ts";
import { randomFrom } from "./random-module.ts";

const PROSE = "It was the best of times, it was the worst of times\nwe had everything before us\n".repeat(9);
const seed = Number(process.env["GLIA_WASM_SEED"] ?? Date.now() % 2 ** 31);

interface Journey {
  readonly output: string;
  readonly outcome: StepOutcome;
  readonly fuel: number;
  readonly moves: number;
}

/** Runs to the end in slices; after each the guest is moved when `slice` is given, and runs on in the middle of the rounds. */
async function journey(program: WasmProgram, slice: (() => number) | undefined): Promise<Journey> {
  let output = "";
  const host: GuestHost & { output(stream: 1 | 2, bytes: Uint8Array): void } = {
    log: () => undefined,
    wallMs: () => 1_700_000_000_000,
    random: (target) => void target.fill(9),
    reply: () => 0,
    output: (_, bytes) => {
      output += Buffer.from(bytes).toString("latin1");
    },
  };
  const tracking = await program.tracking();
  let it: WasmInstance = program.instantiate({}, host);
  let moves = 0;
  const run = (): StepOutcome =>
    it.step(it.pending === undefined ? undefined : { value: 0 }, slice?.() ?? 2 ** 40);
  let outcome = run();
  const going = (): boolean => outcome.kind === "yielded" || outcome.kind === "pending";
  while (going()) {
    if (slice !== undefined) {
      const source = new PreCopySource(it, tracking, { rounds: 2 });
      const target = new PreCopyTarget(program, {}, host);
      for (const piece of source.round()) {
        target.push(piece);
        if (going()) outcome = run();
      }
      if (!going()) break;
      for (const piece of source.last()) target.push(piece);
      it.dispose();
      it = target.finish();
      moves += 1;
    }
    outcome = run();
  }
  return { output, outcome, fuel: it.fuelUsed, moves };
}

it.each([
  ["C", "sort", { args: ["guest", "200"] }, 200_000],
  ["Rust", "collect", { args: ["guest", "1"], stdin: new TextEncoder().encode(PROSE) }, 20_000],
] as const)(
  "%s: %s says the same and uses the same fuel as when it stays",
  { timeout: 300_000 },
  async (_, name, launch: WasiLaunch, most) => {
    console.log(`seed ${seed}`);
    const engine = createWasmEngine({ hostModules: [wasiPreview1(launch)] });
    const module = readFileSync(await foreignGuest(name, "preemptive"));
    const program = await engine.admit(module, ["glia.v1", "wasi_snapshot_preview1"]);
    const below = randomFrom(seed);
    const stayed = await journey(program, undefined);
    const moved = await journey(program, () => 1 + below(most));
    expect(stayed.outcome.kind).toBe("finished");
    expect({ ...moved, moves: 0 }).toEqual(stayed);
    expect(moved.moves).toBeGreaterThan(5);
  },
);
