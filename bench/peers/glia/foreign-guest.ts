/** The programs in C and Rust of `conformance/guests`, run from start to end in any profile. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { GuestHost, HostModule, StepOutcome } from "@glia-os/abi/ports";
import { createWasmEngine, type WasmProgram, wasiPreview1 } from "@glia-os/wasm";
import { instrument, type Profile } from "@glia-os/wasm/pipeline";

const PREBUILT = join(import.meta.dirname, "../../../conformance/guests/prebuilt");
const SENTENCE = "It was the best of times, it was the worst of times, it was the age of wisdom number ";
/** Fuel of a slice of about a millisecond. */
const SLICE = 20_000_000;

/** What each is given: sizes that take some milliseconds without instrumentation, and no yields of their own. */
const LAUNCHES = {
  sort: { args: ["sort", "4000"], stdin: new Uint8Array() },
  collect: {
    args: ["collect", "0"],
    stdin: new TextEncoder().encode(
      Array.from({ length: 2000 }, (_, at) => `${SENTENCE}${at % 700}\n`).join(""),
    ),
  },
} as const;

/** A name of a program here. */
export type ForeignName = keyof typeof LAUNCHES;
/** Every program here. */
export const FOREIGN_NAMES = Object.keys(LAUNCHES) as ForeignName[];

/** Runs the program once, in a guest of its own, and gives the nanoseconds its steps took and what it wrote. */
export type ForeignRun = () => { readonly ns: number; readonly output: string };

/** A program in a profile; `none` runs the code as it was compiled. */
export async function foreign(profile: Profile, name: ForeignName): Promise<ForeignRun> {
  const program = await admitted(name, profile);
  return () => {
    let output = "";
    const host: GuestHost = {
      log: () => undefined,
      wallMs: () => 0,
      random: (target) => void target.fill(7),
      reply: () => 0,
      output: (_stream, bytes) => {
        output += Buffer.from(bytes).toString("latin1");
      },
    };
    const it = program.instantiate({}, host);
    const fuel = profile === "preemptive" ? SLICE : undefined;
    const start = process.hrtime.bigint();
    let outcome: StepOutcome = it.step(undefined, fuel);
    while (outcome.kind === "yielded") outcome = it.step(undefined, fuel);
    const ns = Number(process.hrtime.bigint() - start);
    if (outcome.kind !== "finished") throw new TypeError(`${name} ended with ${outcome.kind}`);
    it.dispose();
    return { ns, output };
  };
}

async function admitted(name: ForeignName, profile: Profile): Promise<WasmProgram> {
  const { bytes } = await instrument(readFileSync(join(PREBUILT, `${name}.wasm`)), { profile });
  const wasi = wasiPreview1(LAUNCHES[name]);
  const engine = createWasmEngine({ hostModules: [profile === "none" ? neverWaiting(wasi) : wasi] });
  return engine.admit(bytes, ["wasi_snapshot_preview1"]);
}

/** The module with its waiting functions declared as plain ones, so that code as it was compiled is admitted; none of the programs calls them. */
function neverWaiting<Thing>(wasi: HostModule<Thing>): HostModule<Thing> {
  const functions = Object.entries(wasi.functions).map(([name, offer]) => [
    name,
    { ...offer, suspends: false },
  ]);
  return { ...wasi, functions: Object.fromEntries(functions) };
}
