/** New projects: what is written, and what is refused. The project itself is built, tested and run by apps/cli/test/getting-started.test.ts. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { errorCodeOf } from "@glia-os/abi/errors";
import { afterAll, expect, test } from "vitest";
import { createProject } from "../src/index.ts";

const base = mkdtempSync(join(tmpdir(), "create-glia-"));
afterAll(() => rmSync(base, { recursive: true, force: true }));

function codeOf(work: () => unknown): string | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    return errorCodeOf(error);
  }
}

test("a project is a folder of its name with an agent of that name, and holds exactly the files it says", () => {
  const { name, folder, files } = createProject(join(base, "deep", "words.2"));
  expect(name).toBe("words.2");
  expect(readdirSync(folder).sort()).toEqual([...files].sort());
  expect(readFileSync(join(folder, "agent.ts"), "utf8")).toContain('name: "words.2"');
  const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Record<string, unknown>;
  expect(manifest).toMatchObject({ name: "words.2", private: true });
  // pnpm ends with an error where a dependency has an install script that nobody spoke of.
  expect(readFileSync(join(folder, "pnpm-workspace.yaml"), "utf8")).toMatch(
    /^allowBuilds:\n {2}esbuild: false$/m,
  );
  for (const hook of ["preinstall", "install", "postinstall", "prepare"])
    expect(manifest["scripts"]).not.toHaveProperty(hook);
});

test("CP1: a folder that holds anything, a file in its place and a name that cannot be an agent's are refused and left as they are", () => {
  const used = join(base, "used");
  mkdirSync(used);
  writeFileSync(join(used, "mine.txt"), "mine");
  expect(codeOf(() => createProject(used))).toBe("cli.folder-in-use");
  expect(readdirSync(used)).toEqual(["mine.txt"]);
  expect(codeOf(() => createProject(join(used, "mine.txt")))).toBe("cli.folder-unwritable");
  for (const name of ["Words", "-words", "w ords", "w".repeat(65), "wörter"])
    expect(
      codeOf(() => createProject(join(base, name))),
      name,
    ).toBe("cli.project-name");
  mkdirSync(join(base, "empty"));
  expect(createProject(join(base, "empty")).name).toBe("empty");
});

test.runIf(process.platform === "linux")(
  "MF1: a folder that the system does not let be made is refused, not asked for without end (needs the /proc of Linux)",
  () => {
    expect(codeOf(() => createProject("/proc/words"))).toBe("cli.folder-unwritable");
    expect(codeOf(() => createProject("/proc/deep/words"))).toBe("cli.folder-unwritable");
  },
);
