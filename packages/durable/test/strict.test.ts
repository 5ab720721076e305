import { errorCodeOf } from "@glia-os/abi/errors";
import { AmbientUseError, type DurableProgram } from "@glia-os/durable";
import { createAmbientGuard } from "@glia-os/hal";
import type { Routine } from "@glia-os/kernel";
import { afterEach, expect, it } from "vitest";
import { TestWorld } from "./durable-world.ts";

const real = [Date, Math.random, setTimeout, fetch, performance.now.bind(performance), crypto.randomUUID];

afterEach(() => {
  expect([Date, Math.random, setTimeout, fetch].every((each, i) => each === real[i])).toBe(true);
});

const SOURCES: Readonly<Record<string, () => unknown>> = {
  "Date.now": () => Date.now(),
  "new Date()": () => new Date(),
  "Math.random": () => Math.random(),
  "performance.now": () => performance.now(),
  "crypto.randomUUID": () => crypto.randomUUID(),
  "crypto.getRandomValues": () => crypto.getRandomValues(new Uint8Array(4)),
  setTimeout: () => setTimeout(() => {}, 1),
  setImmediate: () => setImmediate(() => {}),
  fetch: () => fetch("http://127.0.0.1:1/"),
};

/** Uses a source of the language after its first step. */
const careless: DurableProgram<string> = {
  name: "careless",
  uses: ["echo"],
  run: (source) =>
    function* (sys, _inbox, echo): Routine<unknown> {
      yield* sys.exec(echo!, 1);
      try {
        return SOURCES[source]?.();
      } catch {
        return "caught";
      }
    },
};

it.each(Object.keys(SOURCES))(
  "strict mode stops a domain that uses %s, with the place in the source, also when it catches that",
  async (source) => {
    const world = new TestWorld([careless], {}, undefined, { guard: createAmbientGuard() });
    const domain = await world.domains.start("c", careless, source);
    const error = (await domain.result.catch((refusal: unknown) => refusal)) as Error;
    expect(domain.state).toBe("lost");
    const cause = error.cause as AmbientUseError;
    expect(cause).toBeInstanceOf(AmbientUseError);
    expect(cause.details).toMatchObject({ domain: "c", what: source });
    expect(cause.message).toMatch(/ at .*strict\.test\.ts:\d+:\d+/);
  },
);

it("what came in before a use stays in the journal: without a guard the domain goes on, and no answered call is made again", async () => {
  const guarded = new TestWorld([careless], {}, undefined, { guard: createAmbientGuard() });
  await (await guarded.domains.start("c", careless, "Date.now")).result.catch(() => {});
  await guarded.domains.close();
  const loose = new TestWorld([careless], {}, guarded.journal);
  expect((await loose.domains.recover()).resumed).toEqual(["c"]);
  expect(typeof (await loose.domains.get("c")?.result)).toBe("number");
  expect([guarded.performed.length, loose.performed.length]).toEqual([1, 0]);
});

const careful: DurableProgram<number> = {
  name: "careful",
  uses: ["echo"],
  run: (ms) =>
    function* (sys, _inbox, echo): Routine<string> {
      yield* sys.exec(echo!, sys.random(4)[0]);
      yield* sys.sleep(5);
      sys.log("info", "a line");
      return new Date(ms + (sys.now() - sys.now())).toISOString();
    },
};

it("strict mode leaves syscalls, dates of given times and loggers that read clocks alone", async () => {
  const lines: number[] = [];
  const logger = { log: () => void lines.push(Date.now()), child: () => logger };
  const world = new TestWorld([careful], {}, undefined, { guard: createAmbientGuard(), logger });
  const domain = await world.domains.start("c", careful, 0);
  await world.until(async () => {
    world.time.pass(5);
    return domain.state !== "running";
  });
  expect(await domain.result).toBe("1970-01-01T00:00:00.000Z");
  expect(lines.length).toBe(1);
});

it("who hears of refused syscalls may read clocks", async () => {
  const heard: [string, number][] = [];
  const greedy: DurableProgram<null> = {
    name: "greedy",
    uses: ["echo"],
    run: () =>
      function* (sys, _inbox, echo): Routine<string> {
        try {
          yield* sys.model(echo!, {});
        } catch (error) {
          return errorCodeOf(error) ?? "none";
        }
        return "answered";
      },
  };
  const onRefused = (domain: string): void => void heard.push([domain, Date.now()]);
  const world = new TestWorld([greedy], {}, undefined, { guard: createAmbientGuard(), onRefused });
  expect(await (await world.domains.start("g", greedy, null)).result).toMatch(/^kernel\./);
  expect(heard.map(([domain]) => domain)).toEqual(["g"]);
});

it("strict mode refuses a program whose run reads the clock before anything is written", async () => {
  const early: DurableProgram<null> = {
    name: "early",
    run: () => {
      const now = Date.now();
      return function* (): Routine<number> {
        return now;
      };
    },
  };
  const world = new TestWorld([early], {}, undefined, { guard: createAmbientGuard() });
  expect(await world.domains.start("e", early, null).catch(errorCodeOf)).toBe("durable.ambient-use");
  expect(await world.journal.head("e")).toBeUndefined();
});
