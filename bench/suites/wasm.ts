/**
 * What instrumentation costs a guest: its time in each profile over the time of the module as it was compiled, in the same process
 * and the same round, and what one yield costs.
 *
 * Six programs are AssemblyScript (`compute` of guest-as), compiled with the flags the SDK gives. Matrix product and sieve work on
 * plain memory, the rest on managed objects. One is C (`sort`: qsort with comparators in a table, and formatting), one is Rust
 * (`collect`: a hash map of words, closures behind trait objects, formatting). JavaScript is in the suite guest-js.
 */
import type { Profile } from "@glia-os/wasm/pipeline";
import { bare, PROGRAMS, type ProgramName, profiled, type Run } from "../peers/glia/compute-guest.ts";
import { FOREIGN_NAMES, type ForeignName, foreign } from "../peers/glia/foreign-guest.ts";
import type { Contestant, RowDefinition, Suite } from "../src/suite.ts";

/** Runs of a program of which the quickest counts, in each sample. */
const TRIES = 5;
const NS_PER_US = 1e3;
const NS_PER_MS = 1e6;
const NAMES = Object.keys(PROGRAMS) as ProgramName[];

function timed(run: Run, name: ProgramName): number {
  const start = process.hrtime.bigint();
  run(name);
  return Number(process.hrtime.bigint() - start);
}

/** The quickest run of each, in turns, so that a slow phase of the machine hits both. */
function quickest(runs: readonly [Run, Run], name: ProgramName): readonly [number, number] {
  let [first, second] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (let left = TRIES; left > 0; left--) {
    first = Math.min(first, timed(runs[0], name));
    second = Math.min(second, timed(runs[1], name));
  }
  return [first, second];
}

/** Time with instrumentation over time without; both must give the same result. */
function slowdown(instrumented: Run, plain: Run, name: ProgramName): number {
  if (instrumented(name) !== plain(name)) throw new TypeError(`${name} gave another result`);
  const [slow, fast] = quickest([instrumented, plain], name);
  return slow / fast;
}

/** Time to optimise a module's code in the background, before anything is measured. */
const WARM_MS = 1000;

function warm(work: () => void): void {
  const until = process.hrtime.bigint() + BigInt(WARM_MS * NS_PER_MS);
  while (process.hrtime.bigint() < until) work();
}

async function slower(profile: Profile, names: readonly ProgramName[]): Promise<Contestant> {
  const [instrumented, plain] = [await profiled(profile), await bare()];
  const mean = (): number => {
    const logs = names.map((name) => Math.log(slowdown(instrumented, plain, name)));
    return Math.exp(logs.reduce((sum, one) => sum + one, 0) / names.length);
  };
  warm(mean);
  return { value: mean };
}

const FOREIGN = {
  sort: "sort (C: qsort through comparators in a table, 4000 records three times)",
  collect: "collect (Rust: 2000 lines of words in a hash map)",
} as const;

/** Time in a profile over time of the same code in the profile `none`; both must write the same. */
async function slowerForeign(profile: Profile, name: ForeignName): Promise<Contestant> {
  const [instrumented, plain] = [await foreign(profile, name), await foreign("none", name)];
  const value = (): number => {
    let [slow, fast] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
    for (let left = TRIES; left > 0; left--) {
      const [one, other] = [instrumented(), plain()];
      if (one.output !== other.output) throw new TypeError(`${name} wrote something else`);
      slow = Math.min(slow, one.ns);
      fast = Math.min(fast, other.ns);
    }
    return slow / fast;
  };
  warm(value);
  return { value };
}

const EXCLUDES =
  "compiling and instrumenting; C, Rust and JavaScript programs; the quickest of five runs on either side counts";
const FOREIGN_EXCLUDES =
  "compiling, instrumenting and making the guest; the quickest of five runs on either side counts; the other side has its memory imported";

function rows(profile: Profile, geometricMean: number, worst: number): RowDefinition[] {
  const row = (id: string, what: string, names: readonly ProgramName[], max: number): RowDefinition => ({
    id: `${profile}-${id}`,
    what: `${what}: time of the profile ${profile} over the unmodified module`,
    unit: "x",
    better: "lower",
    excludes: EXCLUDES,
    target: { max },
    glia: () => slower(profile, names),
    peers: {},
  });
  return [
    row("geometric-mean", `geometric mean of ${NAMES.join(", ")}`, NAMES, geometricMean),
    ...NAMES.map((name) => row(name, name, [name], worst)),
    ...FOREIGN_NAMES.map((name) => ({
      ...row(name, FOREIGN[name], [], worst),
      excludes: FOREIGN_EXCLUDES,
      glia: () => slowerForeign(profile, name),
    })),
  ];
}

/** Slices short enough that what they cost shows, long enough that each does work. */
const SHORT_SLICE = 2_000;

/** What one stop and continuation adds, about 27 calls deep. */
async function yielding(): Promise<Contestant> {
  const whole = await profiled("preemptive", Number.MAX_SAFE_INTEGER);
  const cut = await profiled("preemptive", SHORT_SLICE);
  const value = (): number => {
    const before = cut.yields();
    const [withYields, without] = quickest([cut, whole], "fib");
    return (withYields - without) / ((cut.yields() - before) / TRIES) / NS_PER_US;
  };
  warm(value);
  return { value };
}

export const suite: Suite = {
  title: "WebAssembly guests: what profiles and yields cost",
  rows: [
    ...rows("cooperative", 1.15, 1.3),
    ...rows("metered", 1.45, 2.8),
    ...rows("preemptive", 1.65, 3.3),
    {
      id: "yield-resume",
      what: "one yield at the end of a slice and its continuation, in a recursion up to 27 calls deep",
      unit: "us",
      better: "lower",
      excludes: "the work between yields; one percent of a slice of 1 ms is 10 us",
      target: { max: 10 },
      glia: yielding,
      peers: {},
    },
  ],
};
