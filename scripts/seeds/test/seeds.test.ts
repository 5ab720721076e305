import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, it } from "vitest";
import { repositoryRoot } from "../../workspace/packages.ts";

function seeds(...args: string[]): {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
} {
  const script = join(repositoryRoot, "scripts/seeds/main.ts");
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ["--conditions=@glia-os/source", script, ...args],
    { cwd: repositoryRoot, encoding: "utf8", env: { ...process.env, NODE_OPTIONS: "" } },
  );
  return { code: status, out: stdout, err: stderr };
}

it("seeds of the named runs are tried and counted", () => {
  const { code, out } = seeds("exchange", "routed", "--seeds", "2", "--from", "5");
  expect([code, out]).toEqual([0, "exchange: 2 seeds, 0 failed\nrouted: 2 seeds, 0 failed\n"]);
  const counted = JSON.parse(seeds("exchange", "--seeds", "1", "--json").out) as unknown;
  expect(counted).toEqual({ from: 1, nodes: 16, runs: { exchange: { tried: 1, failed: 0 } } });
});

it("an unknown run and a number that is none are refused", () => {
  expect(seeds("nothing")).toMatchObject({ code: 2, err: expect.stringMatching(/no such run: nothing/) });
  expect(seeds("calm", "--seeds", "0")).toMatchObject({ code: 2, err: expect.stringMatching(/--seeds 0/) });
});
