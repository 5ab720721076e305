/**
 * Versions and publishing for real, against a registry on loopback: what a stranger installs is what is tested here.
 *
 * P1. `changeset version` and `changeset publish` work on this workspace as it is: what is pending is released.
 * P2. Every package installs alone with npm into an empty project, and every entry imports on the oldest and the newest supported Node.
 * P3. publint and are-the-types-wrong find nothing to object to in any package, and all declarations compile in a strict project.
 * P4. Sizes stay under their budgets.
 * P5. A package at a newer version works with the previous version of another, whichever of the two depends on the other.
 * P6. Threads, guests and the command line work where npm put them, and threads and guests also out of a bundle.
 */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bundleEngines, bundleNode, minifiedBytes } from "../bundle.ts";
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

/** Release what is pending: raise versions, write changelogs, publish. */
async function release(): Promise<void> {
  await changeset("version");
  await commitAll(copy, "Version");
  await changeset("publish");
}

/** The version a package has in the copy. */
function versionOf(name: string): string {
  return publishedPackages(copy).find((one) => one.name === name)?.version ?? "none";
}

function projectOf(name: string): string {
  return join(folder, "installed", name.replaceAll("/", "-"));
}

/** Files that are started as threads or commands; they do something when they are imported. */
function isProgram(entry: string): boolean {
  return /worker|main|child|thread/.test(entry);
}

/** What `programs/embedded-node.mjs` prints. */
const embeddedOutput = ["first", "second"].flatMap((name) => [
  `answer: ${name}`,
  "known by the SHA-256 of its code: true",
]);

/** What `programs/engines.mjs` prints. */
const enginesOutput = ["async: 42 12", "threaded: 42 12", "process: 42 12", "watchdog: /0 greedy"];

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
  await release();
}, 5 * minute);

afterAll(async () => {
  await registry?.close();
  rmSync(folder, { recursive: true, force: true });
}, 5 * minute);

test("P1: after one release every public package is on the registry, and no change is pending", async () => {
  for (const { name } of packages) expect((await registry.latest(name)).version, name).toBe(versionOf(name));
  expect(readdirSync(join(copy, ".changeset"))).toEqual(["config.json"]);
});

describe.each(packages)("$name", ({ name, folder: source, entries, assets }) => {
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
    for (const { name: other } of packages)
      if (other in dependencies) expect(dependencies[other], other).toBe(`^${versionOf(other)}`);
  });

  test(
    "P3: publint and are-the-types-wrong have nothing to object to",
    async () => {
      const response = await fetch((await registry.latest(name)).dist.tarball);
      const tarball = join(project, "package.tgz");
      writeFileSync(tarball, Buffer.from(await response.arrayBuffer()));
      const lint = await run(join(toolsFolder, "publint"), ["run", tarball, "--strict"], project);
      expect(lint.status, lint.output).toBe(0);
      const programs = entries.filter(isProgram);
      const untyped = [...programs, ...assets].flatMap((entry) => ["--exclude-entrypoints", entry]);
      const types = await run(
        join(toolsFolder, "attw"),
        [tarball, "--profile", "esm-only", "--no-emoji", ...untyped],
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
    const project = join(folder, "every-package");
    await install(
      project,
      env,
      packages.map(({ name }) => name),
    );
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

  test("the kernel is under 170 kB to download and, with its vocabulary, 120 kB to bundle, and abi is its only dependency", () => {
    const project = projectOf("@glia-os/kernel");
    expect(bytesOf([join(project, "package.tgz")])).toBeLessThan(170_000);
    expect(minifiedBytes(project, "@glia-os/kernel")).toBeLessThan(120_000);
    const modules = join(project, "node_modules");
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
    "engines for jobs and the watchdog find their threads and child processes, installed and out of a bundle",
    async () => {
      const project = join(folder, "engines");
      await install(project, env, ["@glia-os/host", "@glia-os/kernel", "@glia-os/hal"]);
      const jobs = addProgram(project, "engine-jobs.mjs");
      const program = addProgram(project, "engines.mjs");
      await expectOutput(program, enginesOutput);
      const target = join(folder, "bundled-engines");
      bundleEngines(project, program, jobs, target);
      await expectOutput(join(target, "program.js"), enginesOutput);
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
      expect(await glia("version")).toMatchObject({ ok: true, glia: versionOf("glia") });
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

describe("P5: packages of two releases", () => {
  /** Install a node, and give the versions found of our packages: one each, or a list when there are several. */
  async function nodeWith(project: string, ...specs: readonly string[]): Promise<Record<string, unknown>> {
    await install(project, env, specs);
    const listed = await mustRun("npm", ["ls", "--all", "--parseable", "--long"], project, env);
    const found: Record<string, unknown> = {};
    for (const [, name = "", version] of listed.matchAll(/:(@glia-os\/[a-z-]+)@([\d.]+)/g))
      found[name] = name in found && found[name] !== version ? [found[name], version].flat() : version;
    await expectOutput(addProgram(project, "embedded-node.mjs"), embeddedOutput);
    return found;
  }

  async function raise(name: string): Promise<{ before: string; after: string }> {
    const before = versionOf(name);
    addChangeset(copy, name, "patch");
    await release();
    expect(versionOf(name)).not.toBe(before);
    return { before, after: versionOf(name) };
  }

  test(
    "a newer store works with the vocabulary it was released before",
    async () => {
      const [abi, daemon] = [versionOf("@glia-os/abi"), versionOf("@glia-os/daemon")];
      const { after } = await raise("@glia-os/store");
      const specs = [`@glia-os/daemon@${daemon}`, `@glia-os/store@${after}`, "@glia-os/guest-as"];
      const found = await nodeWith(join(folder, "newer-store"), ...specs);
      expect(found).toMatchObject({
        "@glia-os/abi": abi,
        "@glia-os/daemon": daemon,
        "@glia-os/store": after,
      });
    },
    3 * minute,
  );

  test(
    "a newer vocabulary and kernel work with a node and everything else of the release before",
    async () => {
      const others = packages.map(({ name }) => name).filter((name) => !/abi|kernel|host|glia$/.test(name));
      const old = others.map((name) => [name, versionOf(name)] as const);
      const { after } = await raise("@glia-os/abi");
      const specs = old.map(([name, version]) => `${name}@${version}`);
      const found = await nodeWith(join(folder, "newer-abi"), ...specs);
      expect(found).toEqual({
        ...Object.fromEntries(old),
        "@glia-os/abi": after,
        "@glia-os/kernel": after,
        "@glia-os/host": after,
      });
    },
    3 * minute,
  );
});
