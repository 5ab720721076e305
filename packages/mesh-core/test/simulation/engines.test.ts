import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { simulateMembers } from "./members.ts";

const root = join(import.meta.dirname, "../../../..");
const engines = ["node_modules/node/bin/node", "conformance/runtimes/node24/node_modules/node/bin/node"].map(
  (path) => join(root, path),
);

it("a run of members has the same trace whatever its options that only look are, and is a function of its list of faults", () => {
  const options = { scenario: "chaos", nodes: 10, seed: 5, durationMs: 120_000 };
  const drawn = simulateMembers(options).run;
  const seldomChecked = simulateMembers({ ...options, checkEveryMs: 60_000 }).run;
  const listed = simulateMembers({ ...options, faults: JSON.parse(JSON.stringify(drawn.faults)) }).run;
  expect([seldomChecked.traceHash, listed.traceHash]).toEqual([drawn.traceHash, drawn.traceHash]);
});

it("every scenario has the same trace on the oldest and the newest engine", ({ skip }) => {
  const missing = engines.filter((engine) => !existsSync(engine));
  skip(missing.length > 0, `not installed: ${missing.join(", ")}`);
  const script = join(import.meta.dirname, "print-hash.ts");
  const [newest, oldest] = engines.map((engine) =>
    execFileSync(engine, ["--conditions=@glia-os/source", script], {
      encoding: "utf8",
      env: { ...process.env, NODE_OPTIONS: "" },
    }),
  );
  expect(oldest).toBe(newest);
  expect(newest?.split("\n").length).toBeGreaterThan(12);
});
