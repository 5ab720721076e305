/** The two commands a person types, on a workspace small enough to run them whole. */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { runChild } from "../../workspace/children.ts";
import { repositoryRoot } from "../../workspace/packages.ts";

const made: string[] = [];

afterEach(() => {
  for (const dir of made.splice(0)) rmSync(dir, { recursive: true, force: true });
});

/** A workspace with these scripts and the given files; `turbo` is a program that the test writes. */
function workspace(turbo: string, files: Record<string, string>): string {
  const root = mkdtempSync(join(tmpdir(), "glia-commands-"));
  made.push(root);
  for (const name of readdirSync(join(repositoryRoot, "scripts"))) {
    const from = join(repositoryRoot, "scripts", name);
    const filter = (path: string): boolean => !/[\\/](node_modules|test)$/.test(path.slice(from.length));
    if (name !== "publishing" && name !== "detection")
      cpSync(from, join(root, "scripts", name), { recursive: true, filter });
  }

  // The waivers of this repository name files the small one does not have.
  writeFileSync(join(root, "scripts/tidy/waivers.json"), "[]\n");
  mkdirSync(join(root, "node_modules"));
  for (const tool of ["vitest", "typescript", "@biomejs", "@types"]) {
    symlinkSync(join(repositoryRoot, "node_modules", tool), join(root, "node_modules", tool), "junction");
  }
  const all = {
    ".gitignore": "node_modules/\ndist/\n.glia/\n",
    "node_modules/turbo/bin/turbo": turbo,
    ...files,
  };
  for (const [path, text] of Object.entries(all)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  execFileSync("git", ["init", "-q", root]);
  return root;
}

describe("start", () => {
  const start = (root: string, ...args: string[]) =>
    runChild(process.execPath, [join(root, "scripts/start.ts"), ...args]);
  const cli = (text: string) => ({ "apps/cli/dist/main.js": text, "package.json": '{"type":"module"}' });

  test("builds, then runs the demo with the arguments given, and ends with its code; stdout is the demo's alone", async () => {
    const root = workspace(
      "console.log('built');",
      cli("console.log(JSON.stringify(process.argv.slice(2))); process.exit(7);"),
    );
    const { code, stdout, stderr } = await start(root, "--input", "a b", "--json");
    expect([code, stdout]).toEqual([7, '["demo","--input","a b","--json"]\n']);
    expect(stderr).toContain("building the workspace");
    expect(stderr).toContain("built");
  });

  test("a failed build is said, and the demo does not start", async () => {
    const root = workspace("process.exit(3);", cli("console.log('started');"));
    const { code, stdout, stderr } = await start(root);
    expect([code, stdout]).toEqual([3, ""]);
    expect(stderr).toContain("The build failed");
  });

  test("without a built command line it says so", async () => {
    expect(await start(workspace("", {}))).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("apps/cli has no build"),
    });
  });

  test.skipIf(process.platform === "win32")(
    "a signal reaches the demo, whose exit code stands (needs POSIX signals)",
    async () => {
      const demo =
        "process.on('SIGTERM', () => process.exit(9)); setInterval(() => {}, 1000); console.log('ready');";
      const root = workspace("", cli(demo));
      const script = spawn(process.execPath, [join(root, "scripts/start.ts")], {
        stdio: ["ignore", "pipe", "ignore"],
      });
      await once(script.stdout, "data");
      script.kill("SIGTERM");
      expect((await once(script, "exit"))[0]).toBe(9);
    },
  );
});

describe("test", () => {
  const readme = "# A\n<!-- status:begin -->\n<!-- status:end -->\n";
  const base = {
    "README.md": readme,
    "docs/claims.md":
      "## abi\n| abi.one | One is one. | works | `packages/abi/test/a.test.ts > one is one` |\n",
    "biome.json":
      '{ "files": { "includes": ["packages/**"] }, "formatter": { "enabled": false }, "assist": { "enabled": false } }\n',
    "vitest.config.ts":
      'export default { test: { projects: [{ test: { name: "abi", include: ["packages/*/test/*.test.ts"] } }] } };\n',
    "tsconfig.json": '{ "compilerOptions": { "types": [] }, "files": ["vitest.config.ts"] }\n',
    "packages/abi/package.json":
      '{ "name": "@glia-os/abi", "type": "module", "exports": { "@glia-os/source": "./src/index.ts" } }\n',
    "packages/abi/src/index.ts": "/** The number one. */\nexport const one = 1;\n",
    "packages/abi/README.md": '```ts\nimport { one } from "@glia-os/abi";\nconsole.log(one); // => 1\n```\n',
  };
  const tests =
    'import { expect, test } from "vitest";\nimport { one } from "../src/index.ts";\n\ntest("one is one", () => expect(one).toBe(1));\n' +
    'test("on a server", ({ skip }) => skip("no server"));\n';
  const run = (root: string) => runChild(process.execPath, [join(root, "scripts/test.ts")], { cwd: root });
  test("a workspace in order ends with 0, a count of everything, and the skips with their reasons", async () => {
    const root = workspace("", { ...base, "packages/abi/test/a.test.ts": tests });
    await runChild(process.execPath, [join(root, "scripts/claims/main.ts"), "--write"]);
    // The second Node is the one that runs this test: the small workspace has no other.
    mkdirSync(join(root, "conformance/runtimes/node24/node_modules/node/bin"), { recursive: true });
    symlinkSync(process.execPath, join(root, "conformance/runtimes/node24/node_modules/node/bin/node"));
    const { code, stdout } = await run(root);
    expect(stdout).toMatch(/\n\d+ passed, 0 failed, 2 skipped\n$/);
    expect(stdout).toContain("!!   1 skipped in packages/abi/test/a.test.ts: no server");
    expect(code).toBe(0);
  });

  test("every kind of failure is counted, and a failed step does not stop the others", async () => {
    const broken = {
      "packages/abi/src/index.ts": "export const one: any = 2;\n",
      "packages/abi/test/a.test.ts": tests,
    };
    const root = workspace("", { ...base, ...broken });
    const { code, stdout } = await run(root);
    for (const step of ["tidy", "tests on Node", "claims", "programs in documents"]) {
      expect(stdout).toMatch(new RegExp(`FAILED {2}${step}.*[1-9] failed`));
    }
    expect(stdout).toMatch(/\n\d+ passed, \d+ failed, \d+ skipped\n$/);
    expect(code).toBe(1);
  });

  test("a failed build ends the run there", async () => {
    const { code, stdout } = await run(workspace("process.exit(1);", base));
    expect(stdout).toContain("not run  tests on Node");
    expect([code, stdout]).toEqual([1, expect.stringMatching(/\n\d+ passed, \d+ failed\n$/)]);
  });

  test("a step that does not exist is refused with the ones that do", async () => {
    const root = workspace("", base);
    expect(existsSync(join(root, "scripts/test.ts"))).toBe(true);
    const { code, stderr } = await runChild(process.execPath, [
      join(root, "scripts/test.ts"),
      "--only",
      "nothing",
    ]);
    expect([code, stderr]).toEqual([2, expect.stringContaining("lint; typecheck; build")]);
  });
});
