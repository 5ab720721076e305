/** Sealed programs as durable domains. */
import type { AmbientUseError, DurableProgram } from "@glia-os/durable";
import { createAmbientGuard, createSealedScript } from "@glia-os/hal";
import { toolService } from "@glia-os/kernel/services";
import { expect, it } from "vitest";
import { TestWorld } from "./durable-world.ts";

/** A program from the text of a module, in a fresh realm whenever it begins or is replayed. */
function sealedProgram(source: string): {
  program: DurableProgram<unknown>;
  guard: ReturnType<typeof createAmbientGuard>;
} {
  const script = createSealedScript({ source, file: "/sealed/program.js" });
  const { guard } = script;
  const program: DurableProgram<unknown> = {
    name: "sealed",
    uses: ["echo"],
    run: (input) => (script.load()["default"] as DurableProgram<unknown>).run(input),
  };
  return { program, guard };
}

const WORKING = `
let turns = 0;
class OwnError extends Error { constructor(text) { super(text); this.name = "OwnError"; } }
exports.default = {
  run: (input) => function* (sys, inbox, echo) {
    turns += 1;
    const list = [];
    for (const each of input) list.push(yield* sys.exec(echo, each));
    yield* sys.sleep(5);
    const child = sys.spawn(function* (own, mine) { return yield* own.exec(mine, { at: own.now() }); }, { give: [echo] });
    const exit = yield* sys.wait(child);
    try { throw new OwnError("caught"); } catch (error) { list.push(error.name); }
    const message = yield* sys.receive(inbox);
    return { turns, list, at: exit.value.at, message, draw: sys.random(2).length };
  },
};`;

it("a sealed program sends, spawns, sleeps and receives, and goes on after its process as any other", async () => {
  const { program, guard } = sealedProgram(WORKING);
  const world = new TestWorld([program as DurableProgram], {}, undefined, { guard });
  await world.domains.start("s", program, [1, 2]);
  await world.until(async () => {
    world.time.pass(5);
    return world.performed.length === 3;
  });
  await world.domains.get("s")?.tell("before");
  expect((await world.restart().recover()).refused).toEqual([]);
  const domain = world.domains.get("s");
  const result = await domain?.result;
  // The realm of the replay is a new one: its variable was counted once.
  expect(result).toMatchObject({ turns: 1, list: [1, 2, "OwnError"], message: "before", draw: 2 });
  expect(world.performed.length).toBe(3);
});

it.each([
  ["Date.now()", "Date.now", "sys.now()"],
  ["process.env.HOME", "process", "the input of the program, or a service"],
  ["require('node:fs').readFileSync('/etc/hostname')", "node:fs.readFileSync", "sys.file(files, operation)"],
  ["globalThis['set' + 'Timeout'](() => {}, 1)", "setTimeout", "sys.sleep(ms), or sys.spawn(...)"],
])(
  "%s in a sealed program stops the domain with its name, its place and what to ask for instead, also when it is caught",
  async (use, what, instead) => {
    const { program, guard } = sealedProgram(`
exports.default = { run: () => function* (sys, inbox, echo) {
  yield* sys.exec(echo, 1);
  try { return ${use}; } catch { return "caught"; }
} };`);
    const world = new TestWorld([program as DurableProgram], {}, undefined, { guard });
    const domain = await world.domains.start("s", program, null);
    const error = (await domain.result.catch((refusal: unknown) => refusal)) as Error;
    expect(domain.state).toBe("lost");
    const cause = error.cause as AmbientUseError;
    expect(cause.code).toBe("durable.ambient-use");
    expect(cause.details).toMatchObject({ domain: "s", what, instead });
    expect(cause.message).toMatch(/at .*\/sealed\/program\.js:4:\d+\)?; ask for /);
  },
);

it("data of a sealed program is recorded as any other: bytes, lists, objects, large numbers", async () => {
  const { program, guard } = sealedProgram(`
exports.default = { run: (input) => function* (sys, inbox, echo) {
  const bytes = yield* sys.exec(echo, new Uint8Array([1, 2, 3]));
  return { bytes, list: [1, { two: 2n ** 60n }], given: input.bytes.length, isList: Array.isArray(input.list) };
} };`);
  const world = new TestWorld([program as DurableProgram], {}, undefined, { guard });
  const domain = await world.domains.start("s", program, { bytes: Uint8Array.of(7), list: [] });
  expect(await domain.result).toEqual({
    bytes: Uint8Array.of(1, 2, 3),
    list: [1, { two: 2n ** 60n }],
    given: 1,
    isList: true,
  });
  expect(world.performed.map(({ input }) => [...(input as Uint8Array)])).toEqual([[1, 2, 3]]);
});

it("a failure of a sealed program is recorded with what it says", async () => {
  const { program, guard } = sealedProgram(`
exports.default = { run: () => function* () { throw new RangeError("from the realm"); } };`);
  const world = new TestWorld([program as DurableProgram], {}, undefined, { guard });
  const domain = await world.domains.start("s", program, null);
  await expect(domain.result).rejects.toThrow("from the realm");
});

it("with onUse a guard tells each use and lets it be", async () => {
  const told: string[] = [];
  const guard = createAmbientGuard({ onUse: (what) => told.push(what) });
  const loose: DurableProgram = {
    name: "loose",
    run: () =>
      function* () {
        return [
          typeof Date.now(),
          new Date(0).getTime(),
          String(new Date()).length > 0,
          typeof Math.random(),
        ];
      },
  };
  const echo = toolService({ run: async () => null });
  const world = new TestWorld([loose], { echo: { service: echo } }, undefined, { guard });
  const domain = await world.domains.start("l", loose, null as never);
  expect(await domain.result).toEqual(["number", 0, true, "number"]);
  expect(told).toEqual(["Date.now", "new Date()", "Math.random"]);
});
