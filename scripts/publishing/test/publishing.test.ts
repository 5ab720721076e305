/**
 * Versions and publishing for real, against a registry on loopback: what a stranger installs is what is tested here.
 *
 * P1. `changeset version` and `changeset publish` work on this workspace as it is.
 * P2. Every package installs alone with npm into an empty project, and every entry imports on the oldest and the newest supported Node.
 * P3. publint and are-the-types-wrong find nothing to object to in any package.
 * P4. Sizes stay under their budgets.
 * P5. A package at a newer version works with the previous version of another.
 */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { mustRun, run } from "../command.ts";
import { type Registry, startRegistry } from "../registry.ts";
import {
  addChangeset,
  commitAll,
  copyWorkspace,
  publishedPackages,
  workspaceRoot,
} from "../workspace-copy.ts";

const minute = 60_000;
const mebibyte = 1024 * 1024;
const folder = mkdtempSync(join(tmpdir(), "glia-publishing-"));
const copy = join(folder, "workspace");
const bin = join(workspaceRoot, "node_modules", ".bin");
const node24 = join(workspaceRoot, "conformance/runtimes/node24/node_modules/.bin/node");
const packages = publishedPackages();
let registry: Registry;
let env: NodeJS.ProcessEnv;

/** The environment for package managers: our registry, our Node first, nothing of the user's configuration. */
function managerEnvironment(npmrc: string): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !/^npm_|^NODE_OPTIONS$/i.test(name));
  return {
    ...Object.fromEntries(kept),
    PATH: `${bin}:${process.env["PATH"]}`,
    NPM_CONFIG_USERCONFIG: npmrc,
    npm_config_userconfig: npmrc,
    npm_config_cache: join(folder, "npm-cache"),
    npm_config_registry: registry.url,
    CI: "true",
  };
}

async function changeset(...args: readonly string[]): Promise<string> {
  return mustRun(join(bin, "changeset"), args, copy, env);
}

function installFolder(name: string): string {
  return join(folder, "installed", name.replaceAll("/", "-"));
}

async function install(into: string, ...specs: readonly string[]): Promise<void> {
  mkdirSync(into, { recursive: true });
  writeFileSync(join(into, "package.json"), JSON.stringify({ name: "empty", private: true, type: "module" }));
  await mustRun("npm", ["install", "--no-fund", "--no-audit", ...specs], into, env);
}

function filesUnder(path: string): string[] {
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

function bytesUnder(path: string): number {
  return filesUnder(path).reduce((sum, file) => sum + statSync(file).size, 0);
}

beforeAll(async () => {
  mkdirSync(copy, { recursive: true });
  await copyWorkspace(copy);
  registry = await startRegistry(folder);
  const npmrc = join(folder, ".npmrc");
  writeFileSync(npmrc, registry.npmrc);
  writeFileSync(join(copy, ".npmrc"), registry.npmrc);
  env = managerEnvironment(npmrc);
  await changeset("publish");
}, 5 * minute);

afterAll(async () => {
  await registry?.close();
  rmSync(folder, { recursive: true, force: true });
});

test("P1: every public package of the workspace is on the registry after one publish", async () => {
  for (const { name, version } of packages) {
    expect((await mustRun("npm", ["view", name, "version"], folder, env)).trim(), name).toBe(version);
  }
});

describe.each(packages)("$name", ({ name, folder: source, entries }) => {
  const project = installFolder(name);

  test(
    "P2: installs alone into an empty project and imports on Node 24 and 26",
    async () => {
      await install(project, name);
      const program = join(project, "import.mjs");
      const specifiers = entries
        .filter((entry) => !/worker|main/.test(entry))
        .map((entry) => name + entry.slice(1));
      writeFileSync(
        program,
        `for (const name of ${JSON.stringify(specifiers)}) await import(name);\nconsole.log("imported");\n`,
      );
      for (const node of [join(bin, "node"), node24])
        expect(await mustRun(node, [program], project)).toContain("imported");
    },
    3 * minute,
  );

  test(
    "P2: carries its licences, its readme and no install script",
    async () => {
      const installed = join(project, "node_modules", name);
      for (const file of ["LICENSE-MIT", "LICENSE-APACHE", "README.md"])
        expect(existsSync(join(installed, file)), file).toBe(true);
      const scripts = await mustRun("npm", ["view", name, "scripts", "--json"], folder, env);
      expect(scripts).not.toMatch(/"(pre|post)?install"|"prepare"/);
    },
    minute,
  );

  test(
    "P3: publint and are-the-types-wrong have nothing to object to",
    async () => {
      const packed = await mustRun(
        "npm",
        ["pack", name, "--json", "--pack-destination", project],
        project,
        env,
      );
      const [{ filename }] = JSON.parse(packed.slice(packed.indexOf("["))) as [{ filename: string }];
      const tarball = join(project, filename);
      const lint = await run(join(bin, "publint"), ["run", tarball, "--strict"], project);
      expect(lint.status, lint.output).toBe(0);
      const assets = entries
        .filter((entry) => /worker|main/.test(entry))
        .flatMap((entry) => ["--exclude-entrypoints", entry]);
      const types = await run(
        join(bin, "attw"),
        [tarball, "--profile", "esm-only", "--no-emoji", ...assets],
        join(workspaceRoot, source),
      );
      expect(types.status, types.output).toBe(0);
    },
    2 * minute,
  );
});

test.runIf(packages.some(({ name }) => name === "glia"))(
  "P4: glia installs in at most 30 MB and 40 packages (needs the package glia)",
  async () => {
    const modules = join(installFolder("glia"), "node_modules");
    const listed = await mustRun("npm", ["ls", "--all", "--parseable"], installFolder("glia"), env);
    expect(new Set(listed.trim().split("\n").slice(1)).size).toBeLessThanOrEqual(40);
    expect(bytesUnder(modules)).toBeLessThanOrEqual(30 * mebibyte);
  },
  minute,
);

test.runIf(packages.some(({ name }) => name === "@glia-os/kernel"))(
  "P4: the kernel is under 150 kB with abi as its only dependency (needs the package kernel)",
  () => {
    const modules = join(installFolder("@glia-os/kernel"), "node_modules");
    const shipped = filesUnder(join(modules, "@glia-os/kernel")).filter((file) => !file.endsWith(".map"));
    expect(shipped.reduce((sum, file) => sum + statSync(file).size, 0)).toBeLessThan(150_000);
    const names = readdirSync(modules).filter((entry) => !entry.startsWith("."));
    expect(names).toEqual(["@glia-os"]);
    expect(readdirSync(join(modules, "@glia-os")).sort()).toEqual(["abi", "kernel"]);
  },
);

test(
  "P5: a package at a newer version works with the previous version of what it depends on",
  async () => {
    addChangeset(copy, "@glia-os/store", "patch");
    await changeset("version");
    await commitAll(copy, "Version");
    await changeset("publish");
    const [old] = packages.filter(({ name }) => name === "@glia-os/abi");
    const newer = publishedPackages(copy).find(({ name }) => name === "@glia-os/store");
    expect(newer?.version).not.toBe(packages.find(({ name }) => name === "@glia-os/store")?.version);
    const project = join(folder, "mixed");
    await install(project, `@glia-os/abi@${old?.version}`, `@glia-os/store@${newer?.version}`);
    const program = join(project, "mixed.mjs");
    writeFileSync(
      program,
      `import { isGliaError } from "@glia-os/abi/errors";\nconst store = await import("@glia-os/store/memory");\nconsole.log(typeof isGliaError, Object.keys(store).length > 0);\n`,
    );
    expect(await mustRun(join(bin, "node"), [program], project)).toContain("function true");
  },
  3 * minute,
);
