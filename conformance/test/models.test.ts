/** The Promela models of docs/spec/models hold within their bounds, and the checker finds what is planted in them. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";

const models = join(import.meta.dirname, "../../docs/spec/models");
const scratch = mkdtempSync(join(tmpdir(), "glia-models-"));
const soak = process.env["GLIA_SOAK"] === "1";
const missing = ["spin", "cc"].filter((program) => spawnSync(program, ["--version"]).error !== undefined);
const reason = `not installed: ${missing.join(", ")} (Debian packages spin and gcc): the models were not checked`;

afterAll(() => rmSync(scratch, { recursive: true, force: true }));

interface Model {
  readonly name: string;
  /** Also check that something happens in the end, under weak fairness. */
  readonly liveness: boolean;
  readonly bounds: readonly string[];
  readonly soakBounds: readonly string[];
  readonly planted: readonly string[];
}

const MODELS: readonly Model[] = [
  {
    name: "handoff",
    liveness: false,
    bounds: [],
    soakBounds: ["-DCRASHES=2", "-DMOVES=3", "-DEFFECTS=4"],
    planted: ["RESUME_ON_TIMEOUT", "PUBLISH_BEFORE_STAGE", "SESSION_SURVIVES"],
  },
  {
    name: "lease",
    liveness: false,
    bounds: [],
    soakBounds: ["-DGRANTS=7"],
    planted: ["NO_FENCE", "EPOCH_FORGOTTEN"],
  },
  {
    name: "refutation",
    liveness: true,
    bounds: ["-DACCUSATIONS=1"],
    soakBounds: [],
    planted: ["REFUTE_SAME", "NOT_TOLD"],
  },
];

/** What the checker says of a model with these definitions. */
function check(
  { name, liveness }: Model,
  definitions: readonly string[],
): { errors: number; states: number; output: string } {
  const cwd = mkdtempSync(join(scratch, `${name}-`));
  execFileSync("spin", ["-a", ...definitions, join(models, `${name}.pml`)], { cwd });
  execFileSync("cc", ["-O2", ...(liveness ? [] : ["-DSAFETY"]), "-o", "pan", "pan.c"], {
    cwd,
    stdio: "ignore",
  });
  const how = liveness ? ["-a", "-f"] : [];
  const { stdout } = spawnSync(join(cwd, "pan"), [...how, "-m4000000"], {
    cwd,
    encoding: "utf8",
    maxBuffer: 1e8,
  });
  const found = /errors: (\d+)/.exec(stdout);
  const states = /(\d+) states, stored/.exec(stdout);
  return { errors: Number(found?.[1] ?? Number.NaN), states: Number(states?.[1] ?? 0), output: stdout };
}

for (const model of MODELS) {
  describe(`the model ${model.name}`, () => {
    it("holds in every state within its bounds", ({ skip }) => {
      skip(missing.length > 0, reason);
      const { errors, states, output } = check(model, soak ? model.soakBounds : model.bounds);
      expect(errors, output).toBe(0);
      expect(output).not.toContain("max search depth too small");
      expect(states).toBeGreaterThan(500);
      console.log(`${model.name}: ${states} states, all good`);
    });

    for (const planted of model.planted)
      it(`${planted}, planted, is found`, ({ skip }) => {
        skip(missing.length > 0, reason);
        expect(check(model, [...model.bounds, `-D${planted}`]).errors).toBeGreaterThan(0);
      });
  });
}
