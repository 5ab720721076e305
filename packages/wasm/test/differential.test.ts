/**
 * The original and every profile compute the same, also when moved through bytes at random amounts of fuel.
 *
 * `GLIA_WASM_SEEDS` sets how many random modules are tried, `GLIA_WASM_SEED` the first seed.
 */
import { expect, it } from "vitest";
import { UnsupportedFeatureError } from "../src/errors.ts";
import {
  createWasmEngine,
  decodeSnapshot,
  encodeSnapshot,
  type Profile,
  type WasmInstance,
  type WasmProgram,
} from "../src/index.ts";
import { instrument } from "../src/pipeline/index.ts";
import { webAssembly } from "../src/web-assembly.ts";
import { foreignModule } from "./foreign-generator.ts";
import { assemble, RecordingHost } from "./guest.ts";
import { randomFrom, randomModule } from "./random-module.ts";

const first = Number(process.env["GLIA_WASM_SEED"] ?? Date.now() % 2 ** 31);
const count = Number(process.env["GLIA_WASM_SEEDS"] ?? (process.env["GLIA_SOAK"] === "1" ? 400 : 12));

interface Result {
  /** The status, or "trap". */
  readonly status: number | string;
  readonly reply: string;
}

/** Runs the module as it is, with an engine of nothing but host functions. */
function bare(bytes: Uint8Array): Result {
  let memory: { readonly buffer: ArrayBuffer } | undefined;
  let reply = "";
  const host = {
    yield: () => 0,
    now: () => 1234n,
    reply(pointer: number, length: number) {
      reply = Buffer.from((memory?.buffer ?? new ArrayBuffer()).slice(pointer, pointer + length)).toString(
        "hex",
      );
      return 0;
    },
  };
  const { exports } = new webAssembly.Instance(new webAssembly.Module(bytes), { "glia.v1": host });
  memory = exports["memory"] as { readonly buffer: ArrayBuffer };
  try {
    return { status: (exports["glia_main"] as () => number)(), reply };
  } catch {
    return { status: "trap", reply };
  }
}

/** Runs to the end; `hop` may replace the instance wherever it stops. */
function guest(
  of: WasmProgram,
  slice: () => number | undefined,
  hop: (it: WasmInstance, host: RecordingHost) => WasmInstance,
): Result & { readonly fuel: number; readonly stops: number } {
  const host = new RecordingHost();
  let it = of.instantiate({}, host);
  let stops = 0;
  let outcome = it.step(undefined, slice());
  while (outcome.kind === "pending" || outcome.kind === "yielded") {
    stops += 1;
    const answer = outcome.kind === "pending" ? { value: 0 } : undefined;
    it = hop(it, host);
    outcome = it.step(answer, slice());
  }
  const reply = Buffer.from(host.replies[0] ?? []).toString("hex");
  return { status: outcome.kind === "finished" ? outcome.status : "trap", reply, fuel: it.fuelUsed, stops };
}

async function program(bytes: Uint8Array, profile: Profile): Promise<WasmProgram> {
  return createWasmEngine().admit((await instrument(bytes, { profile })).bytes, ["glia.v1"]);
}

async function compare(seed: number, original: Uint8Array): Promise<number> {
  const expected = bare(original);
  const whole = () => undefined;
  const stay = (it: WasmInstance): WasmInstance => it;
  const cooperative = guest(await program(original, "cooperative"), whole, stay);
  const metered = guest(await program(original, "metered"), whole, stay);
  const of = await program(original, "preemptive");
  const preemptive = guest(of, whole, stay);
  const below = randomFrom(seed ^ 0x5bd1e995);
  const most = 1 + Math.ceil(metered.fuel / 12);
  const cut = guest(
    of,
    () => 1 + below(most),
    (it, host) => {
      if (below(3) === 0) return it;
      const bytes = Buffer.concat([...encodeSnapshot(it.snapshot(), { compress: false })]);
      it.dispose();
      return of.restore(decodeSnapshot(bytes), {}, host);
    },
  );
  for (const [name, run] of Object.entries({ cooperative, metered, preemptive, cut }))
    expect({ status: run.status, reply: run.reply }, `seed ${seed}, ${name}`).toEqual(expected);
  expect(cut.fuel, `seed ${seed}`).toBe(preemptive.fuel);
  return cut.stops;
}

it("random modules compute the same in every profile, moved at random fuel, with the same fuel", {
  timeout: 600_000,
}, async () => {
  let stops = 0;
  for (let seed = first; seed < first + count; seed++) {
    const text = randomModule(seed).replace("(memory 1 3)", `(memory (export "memory") 1 3)`);
    stops += await compare(seed, assemble(text));
  }
  console.log(`seeds ${first} to ${first + count - 1}: ${stops} stops`);
  expect(stops).toBeGreaterThan(count);
});

it("so do modules of another generator: whatever is not refused computes the same", {
  timeout: 1_200_000,
}, async () => {
  const [seeds, refusals] = [Math.ceil(count / 2), new Map<string, number>()];
  let [stops, functions] = [0, 0];
  for (let seed = first; seed < first + seeds; seed++) {
    const module = foreignModule(seed);
    try {
      stops += await compare(seed, assemble(module.text));
      functions += module.functions;
    } catch (error) {
      if (!(error instanceof UnsupportedFeatureError))
        throw Object.assign(new TypeError(`seed ${seed}`), { cause: error });
      refusals.set(error.message, (refusals.get(error.message) ?? 0) + 1);
    }
  }
  console.log(`seeds ${first} to ${first + seeds - 1}: ${functions} functions, ${stops} stops`, refusals);
  expect([...refusals.values()].reduce((sum, one) => sum + one, 0)).toBeLessThan(seeds / 2);
});
