import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { configTable } from "../../src/config/config-table.ts";
import {
  CONFIG_VARIABLES,
  ConfigInvalidError,
  checkConfig,
  configChanges,
  defineConfig,
  MESH_CHOICES,
  nearestWord,
  type Problem,
} from "../../src/config/index.ts";
import { MINORITY_POLICIES, PROFILES, TRANSPORTS } from "../../src/mesh-settings.ts";

function problemsOf(value: unknown, environment: Record<string, string> = {}): readonly Problem[] {
  try {
    checkConfig(value, "glia.config.json", environment);
  } catch (error) {
    if (error instanceof ConfigInvalidError) return error.details["problems"] as readonly Problem[];
    throw error;
  }
  return [];
}

const whole = defineConfig({
  version: 1,
  name: "hub",
  role: "core",
  data: "./data",
  bind: "[::1]:65535",
  join: { file: "line.txt" },
  mesh: { profile: "lan", transport: "auto", mdns: true, minority: "continue" },
  services: { http: { origins: ["https://example.org"] }, files: { folder: "files", writable: false } },
  jobs: { module: "jobs.mjs", workers: 2 },
  programs: { folder: "programs" },
  movement: { policies: ["battery"], movesPerMinute: 2 },
  http: { bind: "127.0.0.1:0" },
  log: { format: "json", level: "warn" },
  traces: { endpoint: "http://127.0.0.1:4318/v1/traces" },
  shutdown: { drain: true, timeoutMs: 5000 },
  agents: [{ name: "counter", file: "counter.wasm", grants: ["glia.v1"], memoryPages: 64, on: "edge" }],
});

describe("a configuration", () => {
  test("with every field, and with none, is taken", () => {
    expect(checkConfig(whole, "x").config).toEqual(whole);
    expect(checkConfig({}, "x").config).toEqual({});
  });

  test("CF1: everything that is wrong is told at once, with its path and what was meant", () => {
    const problems = problemsOf({
      naem: "x",
      role: "cor",
      bind: "127.0.0.1:65536",
      mesh: { profil: "lan", transport: 7 },
      jobs: { workers: 33 },
      shutdown: { timeoutMs: 1.5 },
      agents: [{ name: "a", file: "a" }, { name: "a", file: "" }, 7],
      join: { line: "x", file: "y" },
      programs: {},
    });
    expect(problems.map(({ path, meant }) => [path, meant])).toEqual([
      ["naem", "name"],
      ["role", "core"],
      ["bind", undefined],
      ["mesh.profil", "profile"],
      ["mesh.transport", undefined],
      ["jobs.workers", undefined],
      ["jobs.module", undefined],
      ["shutdown.timeoutMs", undefined],
      ["agents[1].file", undefined],
      ["agents[1].name", undefined],
      ["agents[2]", undefined],
      ["join", undefined],
      ["programs", undefined],
    ]);
  });

  test("of a newer version is refused for that reason alone", () => {
    expect(problemsOf({ version: 2, novel: true })).toEqual([
      { path: "version", what: "is 2: made for a newer Glia, which reads it" },
    ]);
  });

  test("CC1: any JSON value is either taken or refused by type, and what is taken has known keys only", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const problems = problemsOf(value);
        const isRecord = typeof value === "object" && value !== null && !Array.isArray(value);
        if (problems.length === 0)
          expect(isRecord && Object.keys(value).every((key) => key in whole)).toBe(true);
        expect(problems.length).toBeLessThanOrEqual(101);
      }),
    );
  });

  test("CF2: a hostile value is refused without being walked to its end", () => {
    const keys = Object.fromEntries(Array.from({ length: 5000 }, (_, at) => [`k${at}`, at]));
    expect(problemsOf(keys)).toHaveLength(100);
    expect(problemsOf(JSON.parse('{"__proto__":{"name":"x"},"constructor":1}'))).toHaveLength(2);
  });
});

describe("the environment", () => {
  test("EV1: every scalar and list of texts has a variable, which stands above the file", () => {
    expect(CONFIG_VARIABLES.map(({ name }) => name)).toContain("GLIA_SHUTDOWN_TIMEOUT_MS");
    const environment = {
      GLIA_NAME: "edge",
      GLIA_MESH_PROFILE: "fast",
      GLIA_MESH_MDNS: "1",
      GLIA_JOBS_MODULE: "other.mjs",
      GLIA_JOBS_WORKERS: "4",
      GLIA_SERVICES_HTTP_ORIGINS: "https://a.example, https://b.example",
      GLIA_BIND: "",
    };
    const { config, fromEnvironment } = checkConfig(whole, "x", environment);
    expect(config).toMatchObject({
      name: "edge",
      bind: whole.bind,
      mesh: { profile: "fast", mdns: true, transport: "auto" },
      jobs: { module: "other.mjs", workers: 4 },
      services: { http: { origins: ["https://a.example", "https://b.example"] } },
    });
    expect(fromEnvironment.get("mesh.profile")).toBe("GLIA_MESH_PROFILE");
    expect(whole.name).toBe("hub");
  });

  test("EV2: rubbish in a variable is named by its path, a misspelt variable by its name, and others are left alone", () => {
    const environment = {
      GLIA_JOBS_WORKERS: "many",
      GLIA_MESH_PROFLE: "lan",
      GLIA_HOME: "/x",
      GLIA_SOMETHING_ELSE: "y",
    };
    expect(problemsOf({ jobs: { module: "m" } }, environment)).toEqual([
      { path: "jobs.workers", what: 'is not a whole number from 1 to 32 but "many"' },
      { path: "GLIA_MESH_PROFLE", what: "is no variable of the configuration", meant: "GLIA_MESH_PROFILE" },
    ]);
  });
});

describe("changes of a configuration", () => {
  test("are told apart: what a running node takes, and what counts from the next start on", () => {
    const after = {
      ...whole,
      name: "other",
      log: { format: "json", level: "debug" },
      agents: [],
      mesh: { profile: "wan" },
    } as const;
    expect(configChanges(whole, after)).toEqual({
      live: ["agents", "log.level"],
      atRestart: ["mesh.mdns", "mesh.minority", "mesh.profile", "mesh.transport", "name"],
    });
    expect(configChanges(whole, { ...whole })).toEqual({ live: [], atRestart: [] });
  });
});

describe("a suggestion", () => {
  test("is the nearest word within two edits, and none for a word that is something else", () => {
    const known = ["profile", "transport", "mdns", "minority"];
    expect(
      ["profil", "tranpsort", "MDNS", "minorty", "speed", "x"].map((word) => nearestWord(word, known)),
    ).toEqual(["profile", "transport", "mdns", "minority", undefined, undefined]);
  });
});

test("the words of a mesh's settings are those that a node takes", () => {
  const sorted = (words: readonly string[]): string[] => [...words].sort();
  expect(sorted(MESH_CHOICES.profile)).toEqual(sorted(PROFILES));
  expect([MESH_CHOICES.transport, MESH_CHOICES.minority]).toEqual([TRANSPORTS, MINORITY_POLICIES]);
});

test("docs/config.md has the fields as they are; run scripts/print-config-table.ts after a change", () => {
  expect(readFileSync(new URL("../../../../docs/config.md", import.meta.url), "utf8")).toContain(
    configTable(),
  );
});
