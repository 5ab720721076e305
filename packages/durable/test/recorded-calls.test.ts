/** Calls that a replay answers at once, against a replay that takes every record by itself. */
import { type DurableProgram, Replay } from "@glia-os/durable";
import { createSystemDigests } from "@glia-os/hal";
import type { Handle, Program, Settle, Sys } from "@glia-os/kernel";
import type { ServiceKind } from "@glia-os/kernel/services";
import fc from "fast-check";
import { expect, it } from "vitest";
import { TestWorld } from "./durable-world.ts";

const SOAK = process.env["GLIA_SOAK"] === "1";
const RUNS = SOAK ? 3_000 : 100;

type Step =
  | { readonly do: "once" | "read" | "yield" | "tell" | "hear" }
  | { readonly do: "sleep"; readonly ms: number };

interface Script {
  readonly steps: readonly Step[];
  readonly priority: "low" | "normal" | "high";
  readonly quantum: number | undefined;
}

/** What the tasks of the run that began last did, in one order. */
let seen: string[] = [];

function taskOf(name: string, { steps }: Script, log: string[]): Program {
  return function* (sys: Sys, tool?: Handle, files?: Handle, talk?: Handle) {
    for (const [i, step] of steps.entries()) {
      let result: unknown;
      try {
        if (step.do === "once") result = yield* sys.exec(tool!, { name, i });
        else if (step.do === "read")
          result = yield* sys.file(files!, { operation: "read", path: `${name}-${i}` });
        else if (step.do === "sleep") yield* sys.sleep(step.ms);
        else if (step.do === "yield") yield* sys.yield();
        else if (step.do === "tell") result = sys.trySend(talk!, `${name}-${i}`);
        else result = sys.tryReceive(talk!);
      } catch (error) {
        result = (error as { code?: string }).code;
      }
      log.push(`${sys.monotonic()} ${name} ${step.do} ${result}`);
    }
  };
}

/** Runs each script as a task of its own. */
const scripted: DurableProgram<readonly Script[]> = {
  name: "scripted",
  uses: ["tool", "files"],
  account: { name: "scripted", calls: 25, ms: 4_000 },
  run(scripts) {
    const log: string[] = [];
    seen = log;
    return function* (sys, _inbox, tool, files) {
      const talk = sys.mailbox({ capacity: 4 });
      const tasks = scripts.map((script, i) => {
        const { priority, quantum } = script;
        const more = quantum === undefined ? {} : { quantum };
        return sys.spawn(taskOf(`t${i}`, script, log), { priority, give: [tool!, files!, talk], ...more });
      });
      for (const task of tasks) yield* sys.wait(task);
      return log.length;
    };
  },
};

/** Services that hold their calls until the test lets one go. */
function holding(kind: ServiceKind, held: Settle<unknown>[]) {
  const perform = (_request: unknown, settle: Settle<unknown>) => {
    held.push(settle);
    return () => {};
  };
  return { service: { kind, name: kind, perform } };
}

/** Live the scripts, answering and passing time as `choices` say. Returns the world and what its tasks did. */
async function lived(scripts: readonly Script[], choices: readonly number[]) {
  const held: Settle<unknown>[] = [];
  const world = new TestWorld([scripted as DurableProgram], {
    tool: holding("tool", held),
    files: holding("files", held),
  });
  const domain = await world.domains.start("scripted", scripted, scripts);
  const log = seen;
  for (const choice of choices) {
    if (domain.state !== "running") break;
    const settle = choice % 3 === 0 ? undefined : held.splice(choice % Math.max(held.length, 1), 1)[0];
    if (settle === undefined) world.time.pass(choice);
    else if (choice % 7 === 0) settle.fail(new RangeError(`no ${choice}`));
    else settle.ok(choice % 2 === 0 ? choice : { choice });
    for (let turn = 0; turn < 3; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
  }
  await world.domains.close();
  return { world, log };
}

interface Body {
  readonly body: Uint8Array;
  readonly firstSeq: number;
  readonly count: number;
}

async function bodiesOf({ journal }: TestWorld): Promise<readonly Body[]> {
  const bodies: Body[] = [];
  for await (const batch of journal.read("scripted", 1)) bodies.push(batch);
  return bodies;
}

function joinedBody(bodies: readonly Body[]): Body {
  const body = Buffer.concat(bodies.map((each) => each.body));
  return { body, firstSeq: 1, count: bodies.reduce((sum, { count }) => sum + count, 0) };
}

/** Everything a replay came to. With `keepPositions` no call is answered at once. */
function replayed(bodies: readonly Body[], keepPositions: boolean) {
  const replay = new Replay({
    domain: "scripted",
    programOf: () => scripted as DurableProgram,
    digests: createSystemDigests(),
    keepPositions,
  });
  for (const { body, firstSeq, count } of bodies) replay.feed(body, firstSeq, count);
  const { run, nextSeq } = replay;
  const waiting = [...run.calls.values()].map(({ path, op, argsHash, call }) => ({
    path,
    op,
    argsHash,
    call,
  }));
  return { log: seen, nextSeq, waiting, nowMs: run.nowMs, deadline: run.deadlineMs, account: run.account };
}

// No sleep of 0 ms: the time of these worlds stands still while a timer fires, and the domain would ask again and again whether it passed.
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom<Step>({ do: "once" }, { do: "read" }) },
  { weight: 3, arbitrary: fc.constantFrom<Step>({ do: "yield" }, { do: "tell" }, { do: "hear" }) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 500 }).map((ms): Step => ({ do: "sleep", ms })) },
);
const script: fc.Arbitrary<Script> = fc.record({
  steps: fc.array(step, { minLength: 1, maxLength: 10 }),
  priority: fc.constantFrom("low", "normal", "high"),
  quantum: fc.constantFrom(undefined, undefined, 1, 3),
});

it(`TP1: a replay that answers calls at once comes to what one record at a time comes to (${RUNS} journals)`, async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(script, { minLength: 2, maxLength: 4 }),
      fc.array(fc.nat(400), { minLength: 5, maxLength: 40 }),
      async (scripts, choices) => {
        const { world, log } = await lived(scripts, choices);
        const bodies = await bodiesOf(world);
        const slow = replayed(bodies, true);
        expect(slow.log).toEqual(log);
        expect(replayed(bodies, false)).toEqual(slow);
        expect(replayed([joinedBody(bodies)], false)).toEqual(slow);
      },
    ),
    { numRuns: RUNS },
  );
});

it("TP2: a journal whose records were changed is refused with the same words, however it is cut", async () => {
  const scripts: readonly Script[] = [
    {
      steps: Array.from({ length: 6 }, (): Step => ({ do: "once" })),
      priority: "normal",
      quantum: undefined,
    },
  ];
  const { world } = await lived(scripts, [4, 1, 3, 2, 8, 5, 10]);
  const bodies = await bodiesOf(world);
  const whole = joinedBody(bodies);
  const refusalOf = (cut: readonly Body[], keepPositions: boolean): string => {
    try {
      replayed(cut, keepPositions);
      return "";
    } catch (error) {
      const { code, message } = error as { code: string; message: string };
      return `${code} ${message.split("\n")[0]}`;
    }
  };
  let refused = 0;
  for (let at = 0; at < whole.body.length; at++) {
    const body = whole.body.slice();
    body[at] = (body[at] as number) ^ 1;
    const slow = refusalOf([{ ...whole, body }], true);
    expect(refusalOf([{ ...whole, body }], false)).toBe(slow);
    if (slow !== "") refused += 1;
  }
  expect(refused).toBeGreaterThan(whole.body.length / 2);
});
