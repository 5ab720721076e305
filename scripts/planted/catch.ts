/** Plants bugs in a copy of the tree, one after the other, and lets the simulator look for each. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { copyTree } from "../breaks/copy.ts";
import { runChild } from "../workspace/children.ts";
import type { PlantedBug } from "./bug.ts";

/** What became of one bug. */
export interface Caught {
  readonly bug: PlantedBug;
  readonly caught: boolean;
  /** The seed and the property, or why it was not caught. */
  readonly why: string;
}

const HUNT_LIMIT_MS = 600_000;

/** Looks for every bug, in a copy of `root` that is removed in the end; `heard` is told of each. */
export async function catchBugs(
  root: string,
  bugs: readonly PlantedBug[],
  heard: (caught: Caught) => void,
): Promise<void> {
  const copy = mkdtempSync(join(tmpdir(), "glia-planted-"));
  try {
    copyTree(root, copy);
    for (const bug of bugs) heard(await catchOne(copy, bug));
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

async function catchOne(copy: string, bug: PlantedBug): Promise<Caught> {
  const file = join(copy, "planted.patch");
  writeFileSync(file, bug.patch);
  const applied = await git(copy, ["apply", file]);
  if (applied.code !== 0)
    return { bug, caught: false, why: `the patch does not apply; make it again: ${applied.stderr.trim()}` };
  try {
    return await hunt(copy, bug);
  } finally {
    await git(copy, ["apply", "--reverse", file]);
  }
}

async function hunt(copy: string, bug: PlantedBug): Promise<Caught> {
  const { scenario, nodes, seeds } = bug;
  const args = [
    "--conditions=@glia-os/source",
    "scripts/planted/hunt.ts",
    scenario,
    String(nodes),
    String(seeds),
  ];
  const { code, stdout, stderr } = await runChild(process.execPath, args, {
    cwd: copy,
    limitMs: HUNT_LIMIT_MS,
  });
  if (code !== 0)
    return {
      bug,
      caught: false,
      why: `the simulation ended with ${code}: ${stderr.trim().split("\n").at(-1)}`,
    };
  const { seed, what } = JSON.parse(stdout) as { readonly seed?: number; readonly what?: string };
  if (seed === undefined) return { bug, caught: false, why: `${seeds} seeds of ${scenario} found nothing` };
  return { bug, caught: true, why: `seed ${seed} of ${seeds}, scenario ${scenario}: ${what}` };
}

function git(cwd: string, args: readonly string[]): ReturnType<typeof runChild> {
  return runChild("git", args, { cwd });
}
