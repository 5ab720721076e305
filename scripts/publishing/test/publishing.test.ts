/**
 * Versions and publishing for real, against a registry on loopback: what a stranger installs is what is tested here.
 *
 * P1. `changeset version` and `changeset publish` work on this workspace as it is.
 * P2. Every package installs alone with npm into an empty project, and every entry imports on the oldest and the newest supported Node.
 * P3. publint and are-the-types-wrong find nothing to object to in any package, and all declarations compile in a strict project.
 * P4. Sizes stay under their budgets.
 * P5. A package at a newer version works with the previous version of another.
 * P6. Threads, guests and the command line work where npm put them, and threads and guests also out of a bundle.
 */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bundleNode } from "../bundle.ts";
import { mustRun, run } from "../command.ts";
import {
  addProgram,
  bytesOf,
  filesUnder,
  install,
  managerEnvironment,
  nodes,
  toolsFolder,
} from "../installed-project.ts";
import { type Registry, startRegistry } from "../registry.ts";
import {
  addChangeset,
  buildWorkspace,
  commitAll,
  copyWorkspace,
  publishedPackages,
  workspaceRoot,
} from "../workspace-copy.ts";

const minute = 60_000;
const mebibyte = 1024 * 1024;
const folder = mkdtempSync(join(tmpdir(), "glia-publishing-"));
const copy = join(folder, "workspace");
const packages = publishedPackages();
let registry: Registry;
let env: NodeJS.ProcessEnv;

async function changeset(...args: readonly string[]): Promise<string> {
  return mustRun(join(toolsFolder, "changeset"), args, copy, env);
}

function projectOf(name: string): string {
  return join(folder, "installed", name.replaceAll("/", "-"));
}

/** Files that are started as threads or commands; they do something when they are imported. */
function isProgram(entry: string): boolean {
  return /worker|main/.test(entry);
}

/** What `programs/embedded-node.mjs` prints. */
const embeddedOutput = ["first", "second"].flatMap((name) => [
  `answer: ${name}`,
  "known by the SHA-256 of its code: true",
]);

async function expectOutput(program: string, lines: readonly string[]): Promise<void> {
  for (const node of nodes) {
    const { status, stdout, output } = await run(node, [program], join(program, ".."), env);
    expect(status, output).toBe(0);
    expect(stdout.trim().split("\n"), node).toEqual(lines);
  }
}

beforeAll(async () => {
  await buildWorkspace();
  mkdirSync(copy, { recursive: true });
  await copyWorkspace(copy);
  registry = await startRegistry(folder);
  const npmrc = join(folder, ".npmrc");
  writeFileSync(npmrc, registry.npmrc);
  writeFileSync(join(copy, ".npmrc"), registry.npmrc);
  env = managerEnvironment(folder, npmrc, registry.url);
  await changeset("publish");
}, 5 * minute);

afterAll(async () => {
  await registry?.close();
  rmSync(folder, { recursive: true, force: true });
});

test("P1: every public package of the workspace is on the registry after one publish", async () => {
  for (const { name, version } of packages) expect((await registry.latest(name)).version, name).toBe(version);
});

describe.each(packages)("$name", ({ name, folder: source, entries }) => {
  const project = projectOf(name);

  test(
    "P2: installs alone into an empty project and imports on Node 24 and 26",
    async () => {
      await install(project, env, [name]);
      const program = join(project, "import.mjs");
      const imported = entries.filter((entry) => !isProgram(entry)).map((entry) => name + entry.slice(1));
      writeFileSync(
        program,
        `for (const name of ${JSON.stringify(imported)}) await import(name);\nconsole.log("imported");\n`,
      );
      await expectOutput(program, ["imported"]);
    },
    3 * minute,
  );

  test("P2: carries its licences, its readme and no install script", async () => {
    for (const file of ["LICENSE-MIT", "LICENSE-APACHE", "README.md"])
      expect(existsSync(join(project, "node_modules", name, file)), file).toBe(true);
    const { scripts } = await registry.latest(name);
    for (const hook of ["preinstall", "install", "postinstall", "prepare"])
      expect(scripts ?? {}).not.toHaveProperty(hook);
  });

  test("P2: depends on packages of this workspace by a caret range", async () => {
    const { dependencies = {} } = await registry.latest(name);
    for (const { name: other, version } of packages)
      if (other in dependencies) expect(dependencies[other], other).toBe(`^${version}`);
  });

  test(
    "P3: publint and are-the-types-wrong have nothing to object to",
    async () => {
      const response = await fetch((await registry.latest(name)).dist.tarball);
      const tarball = join(project, "package.tgz");
      writeFileSync(tarball, Buffer.from(await response.arrayBuffer()));
      const lint = await run(join(toolsFolder, "publint"), ["run", tarball, "--strict"], project);
      expect(lint.status, lint.output).toBe(0);
      const programs = entries.filter(isProgram).flatMap((entry) => ["--exclude-entrypoints", entry]);
      const types = await run(
        join(toolsFolder, "attw"),
        [tarball, "--profile", "esm-only", "--no-emoji", ...programs],
        join(workspaceRoot, source),
      );
      expect(types.status, types.output).toBe(0);
    },
    2 * minute,
  );
});

test(
  "P3: the declarations of every entry compile in a strict project that checks its libraries",
  async () => {
    const project = projectOf("glia");
    const lines = packages
      .flatMap(({ name, typed }) => typed.map((entry) => name + entry.slice(1)))
      .map((specifier, i) => `import * as m${i} from "${specifier}";\nexport const n${i} = m${i};\n`);
    writeFileSync(join(project, "every-entry.ts"), lines.join(""));
    const settings = [
      "--strict",
      "--noEmit",
      "--module",
      "nodenext",
      "--target",
      "es2024",
      "--lib",
      "esnext",
    ];
    const nodeTypes = ["--typeRoots", join(workspaceRoot, "node_modules/@types"), "--types", "node"];
    await mustRun(join(toolsFolder, "tsc"), [...settings, ...nodeTypes, "every-entry.ts"], project, env);
  },
  minute,
);

describe("P4: sizes", () => {
  test("glia installs in at most 30 MB and 40 packages", async () => {
    const project = projectOf("glia");
    const listed = await mustRun("npm", ["ls", "--all", "--parseable"], project, env);
    expect(new Set(listed.trim().split(/\r?\n/).slice(1)).size).toBeLessThanOrEqual(40);
    expect(bytesOf(filesUnder(join(project, "node_modules")))).toBeLessThanOrEqual(30 * mebibyte);
  });

  test("the kernel's code and types are under 150 kB, and so is its download, with abi as its only dependency", async () => {
    const modules = join(projectOf("@glia-os/kernel"), "node_modules");
    const code = filesUnder(join(modules, "@glia-os/kernel/dist")).filter((file) => !file.endsWith(".map"));
    expect(bytesOf(code)).toBeLessThan(150_000);
    expect(bytesOf([join(projectOf("@glia-os/kernel"), "package.tgz")])).toBeLessThan(150_000);
    expect(readdirSync(modules).filter((entry) => !entry.startsWith("."))).toEqual(["@glia-os"]);
    expect(readdirSync(join(modules, "@glia-os")).sort()).toEqual(["abi", "kernel"]);
  });
});

describe("P6: from where npm put them", () => {
  const project = join(folder, "embedding");

  test(
    "an installed node starts its threads, runs a guest known by its hash, stops, starts again, and leaves nothing behind",
    async () => {
      await install(project, env, ["@glia-os/daemon", "@glia-os/guest-as", "@glia-os/store"]);
      await expectOutput(addProgram(project, "embedded-node.mjs"), embeddedOutput);
    },
    2 * minute,
  );

  test(
    "a bundled program opens the store and starts a node whose threads lie beside it",
    async () => {
      const bundle = join(folder, "bundle");
      bundleNode(project, addProgram(project, "bundled-node.mjs"), bundle);
      await expectOutput(join(bundle, "program.js"), ["session: 1", "answer: hello"]);
    },
    2 * minute,
  );

  test(
    "the command line says its version, finds the machine fit and does the main job",
    async () => {
      const glia = async (...args: readonly string[]): Promise<Record<string, unknown>> => {
        const npx = ["--no-install", "glia", ...args, "--json"];
        const lines = (await mustRun("npx", npx, projectOf("glia"), env)).trim().split("\n");
        return JSON.parse(lines.at(-1) ?? "") as Record<string, unknown>;
      };
      const version = packages.find(({ name }) => name === "glia")?.version;
      expect(await glia("version")).toMatchObject({ ok: true, glia: version });
      expect(await glia("doctor")).toMatchObject({ ok: true });
      const texts = join(folder, "texts");
      mkdirSync(texts);
      writeFileSync(join(texts, "a.txt"), "one two\ntwo\n");
      writeFileSync(join(texts, "b.txt"), "two three");
      const counted = { files: 2, lines: 2, words: 5, bytes: 21 };
      expect(await glia("demo", "--input", texts)).toMatchObject({
        ok: true,
        ...counted,
        expected: counted,
        lost: 0,
        duplicated: 0,
      });
    },
    2 * minute,
  );
});

test(
  "P5: a package at a newer version works with the previous version of what it depends on",
  async () => {
    addChangeset(copy, "@glia-os/store", "patch");
    await changeset("version");
    await commitAll(copy, "Version");
    await changeset("publish");
    const versionOf = (name: string, root?: string): string | undefined =>
      publishedPackages(root).find((one) => one.name === name)?.version;
    const [old, newer] = [versionOf("@glia-os/abi"), versionOf("@glia-os/store", copy)];
    expect(newer).not.toBe(versionOf("@glia-os/store"));
    const project = join(folder, "mixed");
    const others = ["@glia-os/daemon", "@glia-os/guest-as"].map((name) => `${name}@${versionOf(name)}`);
    await install(project, env, [`@glia-os/abi@${old}`, `@glia-os/store@${newer}`, ...others]);
    const installed = async (name: string): Promise<string> =>
      (await mustRun("npm", ["ls", name, "--json", "--depth=0"], project, env)).match(
        /"version": "([^"]+)"/,
      )?.[1] ?? "";
    expect([await installed("@glia-os/abi"), await installed("@glia-os/store")]).toEqual([old, newer]);
    await expectOutput(addProgram(project, "embedded-node.mjs"), embeddedOutput);
  },
  3 * minute,
);
