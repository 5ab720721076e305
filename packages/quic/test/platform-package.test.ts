/** What is published: the package without binaries, and the platform's package with them; npm installs both from their tarballs. */
import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { describe, expect, onTestFinished, test } from "vitest";
import { platformName } from "../scripts/build-native.ts";
import { writePlatformPackage } from "../scripts/platform-package.ts";
import { noAddon } from "./addon.ts";

const packageFolder = join(import.meta.dirname, "..");

function npm(args: readonly string[], cwd: string): void {
  const { status, stderr } = spawnSync("npm", args, { cwd, encoding: "utf8" });
  expect({ args, status, stderr: status === 0 ? "" : stderr }).toEqual({ args, status: 0, stderr: "" });
}

/** The package as it would be packed, with the JavaScript bundled here: no build is needed before this test. */
async function writeMainPackage(into: string): Promise<void> {
  mkdirSync(join(into, "dist"), { recursive: true });
  cpSync(join(packageFolder, "package.json"), join(into, "package.json"));
  cpSync(join(packageFolder, "native"), join(into, "native"), { recursive: true });
  const entryPoints = [join(packageFolder, "src/index.ts")];
  await build({
    entryPoints,
    bundle: true,
    platform: "node",
    format: "esm",
    outfile: join(into, "dist/index.js"),
  });
}

describe.skipIf(noAddon !== undefined)(
  `what is published, needs a compiler and Node's headers${noAddon ?? ""}`,
  () => {
    test("the package is refused alone with quic.no-prebuild, and works beside its platform's package", async () => {
      const folder = mkdtempSync(join(tmpdir(), "quic-pack-"));
      onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
      const [main, platform, project] = ["main", "platform", "project"].map((name) => join(folder, name)) as [
        string,
        string,
        string,
      ];
      await writeMainPackage(main);
      expect(writePlatformPackage(platform)).toBe(`@glia-os/quic-${platformName()}`);
      for (const source of [main, platform])
        npm(["pack", "--pack-destination", folder, "--ignore-scripts"], source);
      const tarballs = readdirSync(folder)
        .filter((name) => name.endsWith(".tgz"))
        .sort();
      expect(tarballs.length).toBe(2);

      mkdirSync(project);
      writeFileSync(join(project, "package.json"), JSON.stringify({ private: true, type: "module" }));
      const program = 'import { whyNoQuic } from "@glia-os/quic"; console.log(whyNoQuic()?.code ?? "works");';
      const run = (): string =>
        spawnSync(process.execPath, ["--input-type=module", "-e", program], {
          cwd: project,
          encoding: "utf8",
        }).stdout.trim();
      const install = (tarball: string): void =>
        npm(["install", "--offline", "--no-audit", "--no-fund", join(folder, tarball)], project);
      install(tarballs.find((name) => /quic-\d/.test(name))!);
      expect(run()).toBe("quic.no-prebuild");
      install(tarballs.find((name) => !/quic-\d/.test(name))!);
      expect(run()).toBe("works");

      const installed = join(project, "node_modules/@glia-os");
      expect(existsSync(join(installed, "quic/prebuilds"))).toBe(false);
      const manifest = JSON.parse(
        readFileSync(join(installed, `quic-${platformName()}/package.json`), "utf8"),
      ) as Record<string, unknown>;
      expect(manifest).toMatchObject({ os: [process.platform], cpu: [process.arch] });
      expect(manifest["scripts"]).toBeUndefined();
    });
  },
);
