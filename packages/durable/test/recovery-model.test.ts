/** Failures at random places, random choices and processes that end at random: what was applied is compared with a model. */
import { errorCodeOf } from "@glia-os/abi/errors";
import {
  type DomainFailure,
  type DurableProgram,
  type DurableService,
  decodeRecord,
  discardedOf,
  isDiscarded,
  KIND,
  loggedRecords,
} from "@glia-os/durable";
import type { Handle, Routine, Sys } from "@glia-os/kernel";
import { toolService } from "@glia-os/kernel/services";
import fc from "fast-check";
import { expect, it } from "vitest";
import { TestWorld } from "./durable-world.ts";

const SOAK = process.env["GLIA_SOAK"] === "1";
const RUNS = SOAK ? 5_000 : 80;
const STEPS = 6;

type Choice = "resume" | "fresh" | "replace";

/** What one run of the property is made of. */
interface Course {
  /** Which attempts at a step fail, by step. */
  readonly failures: readonly number[];
  /** Choices, one after the other. */
  readonly choices: readonly Choice[];
  /** After how many turns the process ends, again and again. */
  readonly ends: readonly number[];
  /** Whether a child task makes the later half of the calls. */
  readonly child: boolean;
}

const course: fc.Arbitrary<Course> = fc.record({
  failures: fc.array(fc.nat(2), { minLength: STEPS, maxLength: STEPS }),
  choices: fc.array(fc.constantFrom<Choice>("resume", "fresh", "replace"), { maxLength: 4 }),
  ends: fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 4 }),
  child: fc.boolean(),
});

/** What the world outside saw. */
class Outside {
  /** Effects, by key: how often each was applied. */
  readonly applied = new Map<string, number>();
  /** Calls whose answer stands in the journal; none may be made again. */
  readonly recorded = new Set<string>();
  /** Calls that were made again although their answer stands in the journal. */
  readonly repeated: string[] = [];
  readonly #left: number[];
  #told = 0;

  constructor(failures: readonly number[]) {
    this.#left = [...failures];
  }

  /** Honours keys, as a repeatable service should: an effect that was applied under a key is not applied again. */
  get service(): DurableService {
    const run = async (input: unknown, _cancel: unknown, key: string): Promise<unknown> => {
      const step = input as number;
      if (this.recorded.has(key)) this.repeated.push(key);
      if (this.applied.has(key)) return step * 10;
      if ((this.#left[step] as number) > 0) {
        this.#left[step] = (this.#left[step] as number) - 1;
        this.#told += 1;
        throw new RangeError(`failure ${this.#told}`);
      }
      this.applied.set(key, (this.applied.get(key) ?? 0) + 1);
      return step * 10;
    };
    return { service: toolService({ run }, { name: "step" }), repeatable: true };
  }
}

function programOf({ choices, child }: Course, seen: DomainFailure[]): DurableProgram<null> {
  const calls = function* (sys: Sys, step: Handle, from: number, to: number): Routine<number[]> {
    const answers: number[] = [];
    for (let i = from; i < to; i++) answers.push(yield* sys.exec<number>(step, i));
    return answers;
  };
  return {
    name: "course",
    uses: ["step"],
    recovery: {
      intensity: 100,
      backoff: { baseMs: 1, maxMs: 1 },
      // Follows from the failure alone: the same when it is asked again because the process ended before the answer was recorded.
      onFailure: (failure) => {
        seen.push(failure);
        const number = Number(/failure (\d+)/.exec(failure.error.message)?.[1]);
        const choice = choices[number - 1] ?? "resume";
        return choice === "replace" ? { choice, result: -1 } : choice;
      },
    },
    run: () =>
      function* (sys, _inbox, step): Routine<number[]> {
        const half = STEPS / 2;
        if (!child) return yield* calls(sys, step!, 0, STEPS);
        const first = yield* calls(sys, step!, 0, half);
        const task = sys.spawn(
          function* (own: Sys, mine: Handle): Routine<number[]> {
            return yield* calls(own, mine, half, STEPS);
          },
          { give: [step!] },
        );
        const exit = yield* sys.wait<number[]>(task);
        if (exit.kind === "failed") throw exit.error;
        return exit.kind === "ok" ? [...first, ...exit.value] : [];
      },
  };
}

/** The keys of calls whose answers stand in the journal and count, or counted before a fresh beginning. */
async function recordedKeys(world: TestWorld): Promise<readonly string[]> {
  const discarded = await discardedOf(world.journal, "d");
  const keys: string[] = [];
  let generation = "";
  let calls = new Map<string, number>();
  for await (const { seq, bytes } of loggedRecords(world.journal, "d")) {
    if (isDiscarded(discarded, seq)) continue;
    const { record } = decodeRecord(bytes);
    if (record.kind === KIND.restart && record.facts.choice === "fresh")
      [generation, calls] = [`${record.facts.generation}.`, new Map()];
    if (record.kind !== KIND.resume) continue;
    const path = ["/0", ...record.path].join("/");
    calls.set(path, (calls.get(path) ?? 0) + 1);
    if (!record.outcome.failed) keys.push(`d:${path}#${generation}${calls.get(path)}`);
  }
  return keys;
}

async function restartsOf(world: TestWorld): Promise<readonly string[]> {
  const choices: string[] = [];
  for await (const { row } of loggedRecords(world.journal, "d"))
    if (row.kind === KIND.restart) choices.push((row.outcome as [[string]])[0][0]);
  return choices;
}

/** Run it to its end. Returns the result, or the code of what it failed with. */
async function lived(
  world: TestWorld,
  program: DurableProgram<null>,
  ends: readonly number[],
  ended: () => Promise<void> = async () => {},
): Promise<unknown> {
  await world.domains.start("d", program, null);
  for (const turns of ends) {
    for (let i = 0; i < turns; i++) {
      await new Promise<void>((resolve) => setImmediate(resolve));
      world.time.pass(1);
    }
    const next = world.restart();
    await ended();
    const { refused } = await next.recover();
    expect(refused).toEqual([]);
  }
  let outcome: unknown;
  void world.domains.get("d")?.result.then(
    (value) => (outcome = value),
    (error) => (outcome = errorCodeOf(error) ?? error),
  );
  for (let i = 0; i < 3_000 && outcome === undefined; i++) {
    await new Promise<void>((resolve) => setImmediate(resolve));
    world.time.pass(1);
  }
  return outcome;
}

it(`no answered call is made again and every effect is applied once per incarnation, whatever fails, is chosen, and ends the process between: ${RUNS} courses`, async () => {
  await fc.assert(
    fc.asyncProperty(course, async (each) => {
      const outside = new Outside(each.failures);
      const seen: DomainFailure[] = [];
      const program = programOf(each, seen);
      const note = async (): Promise<void> => {
        for (const key of await recordedKeys(world)) outside.recorded.add(key);
      };
      const services = { step: outside.service };
      const world: TestWorld = new TestWorld([program as DurableProgram], services, undefined, {
        onRestart: note,
      });
      const result = await lived(world, program, each.ends, note);
      expect(outside.repeated).toEqual([]);
      const restarts = await restartsOf(world);
      // No effect is applied under a key twice, and no incarnation has two keys for a step.
      expect([...outside.applied.values()].every((times) => times === 1)).toBe(true);
      const incarnations = restarts.filter((choice) => choice === "fresh").length + 1;
      const last = [...outside.applied.keys()].filter((key) =>
        incarnations === 1 ? !key.includes(".") : key.includes(`#${incarnations - 1}.`),
      );
      // In the last incarnation each step was applied once, or its failing result was replaced.
      const answers = result as number[];
      const replaced = answers.filter((answer) => answer === -1).length;
      expect(answers.map((answer, i) => (answer === -1 ? i * 10 : answer))).toEqual([0, 10, 20, 30, 40, 50]);
      expect(last.length).toBe(STEPS - replaced);
      // Decisions that were recorded were followed, each once.
      expect(restarts.filter((choice) => choice === "escalate")).toEqual([]);
      expect(new Set(seen.map(({ error }) => error.message)).size).toBe(restarts.length);
    }),
    { numRuns: RUNS },
  );
}, 600_000);

it("a failure that stays the same is given up at the second time, wherever it is", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.nat(STEPS - 1),
      fc.boolean(),
      fc.constantFrom("resume" as const, "fresh" as const),
      async (at, child, choice) => {
        let tried = 0;
        const run = async (input: unknown): Promise<unknown> => {
          if (input !== at) return (input as number) * 10;
          tried += 1;
          throw new RangeError("always the same");
        };
        const base = programOf({ failures: [], choices: [], ends: [], child }, []);
        const program = { ...base, recovery: { ...base.recovery, onFailure: choice } };
        const step = { service: toolService({ run }, { name: "step" }), repeatable: true };
        const world = new TestWorld([program as DurableProgram], { step });
        expect(await lived(world, program, [])).toBe("durable.same-failure");
        expect(tried).toBe(2);
      },
    ),
    { numRuns: SOAK ? 500 : 24 },
  );
});
