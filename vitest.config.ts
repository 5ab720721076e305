/**
 * One vitest run for the whole workspace, with one project per workspace package that has tests.
 *
 * V1. Workspace packages resolve to their TypeScript source through the `@glia-os/source` condition, both for what vite
 *     transforms and for what a test process loads by itself, so no test needs a build first.
 * V2. A hung test fails: every test and every hook has a time limit, and a watchdog kills a process stuck where no timer runs.
 *     No test asserts on elapsed time.
 * V3. A project is named after its folder: `vitest run --project kernel`.
 */
import { existsSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { defineConfig } from "vitest/config";

const sourceCondition = "@glia-os/source";
const soak = process.env["GLIA_SOAK"] === "1";
const second = 1000;
const root = import.meta.dirname;

/** Workspace folders that have tests. */
function testedPackages(): string[] {
  const parents = ["packages", "apps", "scripts", "examples"];
  const nested = parents
    .filter((parent) => existsSync(join(root, parent)))
    .flatMap((parent) => readdirSync(join(root, parent)).map((name) => join(parent, name)));
  return [...nested, "bench", "conformance"].filter((dir) => existsSync(join(root, dir, "test"))).sort();
}

/** Far above what any test takes, so that a machine with other work fails none: only what hangs reaches it. */
const testLimitMs = (soak ? 600 : 180) * second;

declare module "vitest" {
  interface ProvidedContext {
    /** How long a test process may go without running a timer. */
    hangLimitMs: number;
  }
}

export default defineConfig({
  resolve: { conditions: [sourceCondition, "module", "node", "development|production"] },
  ssr: {
    resolve: {
      conditions: [sourceCondition, "module", "node", "development|production"],
      externalConditions: [sourceCondition, "node"],
    },
  },
  test: {
    pool: "forks",
    execArgv: [`--conditions=${sourceCondition}`],
    testTimeout: testLimitMs,
    hookTimeout: testLimitMs,
    provide: { hangLimitMs: 2 * testLimitMs },
    setupFiles: [join(root, "scripts/watchdog/setup.ts")],
    teardownTimeout: 20 * second,
    coverage: { enabled: false },
    projects: testedPackages().map((dir) => ({
      extends: true as const,
      test: { name: basename(dir), root: join(root, dir), include: ["test/**/*.test.ts"] },
    })),
  },
});
