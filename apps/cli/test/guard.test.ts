/** Durable programs that use more than syscalls, as a person runs them: refused, told, let be, sealed. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { Programs } from "./programs.ts";

const programs = new Programs();
afterAll(() => programs.clear());

/** Looks at the clock between two steps. Its service, which is outside, may do so. */
const careless = programs.write(
  "careless.ts",
  `import { hostname } from "node:os";
  interface Input { readonly late?: boolean }
  export default {
    name: "careless",
    uses: ["stamp"],
    run: (input: Input | null) =>
      function* (sys, _inbox, stamp) {
        const first: number = yield* sys.exec(stamp, null);
        const now = Date.now();
        return { first: typeof first, now: typeof now };
      },
  };
  export const services = { stamp: async () => Date.now() + hostname().length };`,
);

const careful = programs.write(
  "careful.ts",
  `import { hostname } from "node:os";
  import { each } from "./careful-list.ts";
  let runs = 0;
  export default {
    name: "careful",
    uses: ["stamp"],
    run: () => {
      runs += 1;
      return function* (sys, _inbox, stamp) {
        const stamps = [];
        for (const label of each("ab")) stamps.push(typeof (yield* sys.exec(stamp, label)));
        yield* sys.sleep(1);
        return { stamps, runs, day: new Date(0).toISOString() };
      };
    },
  };
  export const services = { stamp: async () => hostname().length };`,
);
programs.write("careful-list.ts", "export const each = (text: string): string[] => [...text];");

function lines(stdout: string): Record<string, unknown>[] {
  return stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe("--guard", () => {
  it("strict is the default: the first use stops the program and names what, where and what to ask for instead", async () => {
    const { code, stderr } = await programs.run(["run", careless, "--journal", "strict"]);
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /glia: careless used Date\.now at .*careless\.ts:9:\d+\)?; ask for sys\.now\(\) instead/,
    );
    expect(stderr).toContain("Other values of --guard: warn");
    expect(stderr).not.toContain("    at ");
    const json = await programs.run(["run", careless, "--journal", "strict", "--json"]);
    expect(lines(json.stdout).at(-1)).toMatchObject({
      ok: false,
      error: { code: "durable.ambient-use", details: { what: "Date.now", instead: "sys.now()" } },
    });
  });

  it("a program that was stopped goes on where it was with another mode: what its service answered is not asked for again", async () => {
    await programs.run(["run", careless, "--journal", "relaxed"]);
    const { code, stdout } = await programs.run([
      "run",
      careless,
      "--journal",
      "relaxed",
      "--guard",
      "off",
      "--json",
    ]);
    expect(code).toBe(0);
    expect(lines(stdout)).toMatchObject([
      { event: "ended-before", domain: "careless" },
      { ok: true, result: { first: "number", now: "number" } },
    ]);
  });

  it("warn tells the place and goes on", async () => {
    const { code, stderr, stdout } = await programs.run([
      "run",
      careless,
      "--journal",
      "warned",
      "--guard",
      "warn",
    ]);
    expect([code, stdout]).toEqual([0, "{ first: 'number', now: 'number' }\n"]);
    expect(stderr).toMatch(
      /The program used Date\.now at careless\.ts:9:\d+: a replay may go another way\.\n/,
    );
    const json = await programs.run([
      "run",
      careless,
      "--journal",
      "warned-json",
      "--guard",
      "warn",
      "--json",
    ]);
    expect(lines(json.stdout)).toContainEqual({
      event: "ambient-use",
      what: "Date.now",
      at: expect.stringMatching(/^careless\.ts:9:\d+$/),
    });
  });

  it("sealed runs a program and what it imports in a realm of its own, and its services outside", async () => {
    const { code, stdout, stderr } = await programs.run([
      "run",
      careful,
      "--journal",
      "sealed",
      "--guard",
      "sealed",
    ]);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toBe("{ stamps: [ 'number', 'number' ], runs: 1, day: '1970-01-01T00:00:00.000Z' }\n");
  });

  it("sealed refuses a use with the place in the program's own file", async () => {
    const { code, stderr } = await programs.run([
      "run",
      careless,
      "--journal",
      "sealed-use",
      "--guard",
      "sealed",
    ]);
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /careless used Date\.now at .*careless\.ts:9:\d+\)?; ask for sys\.now\(\) instead/,
    );
  });

  it.each([
    ["hostname()", "node:os.hostname"],
    ["process.pid", "process"],
    ["new Intl.NumberFormat()", "Intl"],
  ])("sealed refuses %s, which strict does not see", async (use, what) => {
    const file = `${what.replaceAll(/\W/g, "-")}.ts`;
    programs.write(
      file,
      `import { hostname } from "node:os";
      export default { name: "unseen", run: () => function* (sys) { yield* sys.sleep(1); return typeof ${use} + hostname; } };`,
    );
    const strict = await programs.run(["run", file, "--journal", `${file}-strict`]);
    expect(strict.code).toBe(0);
    const sealed = await programs.run([
      "run",
      file,
      "--journal",
      `${file}-sealed`,
      "--guard",
      "sealed",
      "--json",
    ]);
    expect(lines(sealed.stdout).at(-1)).toMatchObject({
      error: { code: "durable.ambient-use", details: { what } },
    });
  });

  it("a mode that is none, and a mode without --journal, are refused before a folder is made", async () => {
    const none = await programs.run(["run", careful, "--journal", "none", "--guard", "tight"]);
    expect([none.code, none.stderr.slice(0, 34)]).toEqual([2, "glia: --guard tight is no mode. Gi"]);
    expect(existsSync(join(programs.folder, "none"))).toBe(false);
    const idle = await programs.run(["run", careful, "--guard", "strict"]);
    expect(idle.stderr).toContain("--guard has no meaning without --journal");
  });
});

it("a value of more than 64 KiB is kept beside the journal, and replay, upgrade and a second run find it", async () => {
  const file = programs.write(
    "large.ts",
    `export default {
      name: "large",
      uses: ["fetch"],
      run: () => function* (sys, _inbox, fetch) {
        const text = yield* sys.exec(fetch, null);
        yield* sys.sleep(1);
        return text.length;
      },
    };
    export const services = { fetch: async () => "0123456789".repeat(200_000) };`,
  );
  const first = await programs.run(["run", file, "--journal", "large"]);
  expect([first.code, first.stdout]).toEqual([0, "2000000\n"]);
  expect(readdirSync(join(programs.folder, "large", "values")).length).toBeGreaterThan(3);
  const replay = await programs.run(["replay", "large", "large", "--program", file]);
  expect([replay.code, replay.stdout]).toEqual([0, expect.stringContaining("ended.\n  2000000")]);
  const show = await programs.run(["journal", "show", "large", "large", "--values"]);
  expect(show.code).toBe(0);
  const again = await programs.run(["run", file, "--journal", "large", "--json"]);
  expect(lines(again.stdout).at(-1)).toMatchObject({ ok: true, result: 2_000_000 });
});
