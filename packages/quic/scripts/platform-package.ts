/**
 * `node scripts/platform-package.ts [--into DIR]`: makes the package of this platform's binaries, `@glia-os/quic-PLATFORM`, ready for `npm publish`.
 *
 * PP1. It holds the two binaries, a manifest with `os`, `cpu` and `libc` so that npm installs the one that fits, a README and the licences. No scripts.
 * PP2. Its version is that of `@glia-os/quic`, which finds it when it is installed beside it.
 */
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { buildNative, platformName } from "./build-native.ts";

const packageFolder = join(import.meta.dirname, "..");
const LICENCES = ["LICENSE-MIT", "LICENSE-APACHE"];

interface Manifest {
  readonly version: string;
  readonly license: string;
  readonly engines: Readonly<Record<string, string>>;
}

/** Writes the package into a folder; gives its name. Throws when the addon cannot be built here. */
export function writePlatformPackage(into: string): string {
  const built = buildNative();
  if (built.kind === "skipped") throw new Error(`there are no binaries to publish: ${built.why}`);
  const platform = platformName();
  const name = `@glia-os/quic-${platform}`;
  const [os = "", cpu = "", libc] = platform.split("-");
  const { version, license, engines } = JSON.parse(
    readFileSync(join(packageFolder, "package.json"), "utf8"),
  ) as Manifest;
  mkdirSync(into, { recursive: true });
  for (const file of ["quic.node", "probe.node"]) copyFileSync(join(built.folder, file), join(into, file));
  for (const file of LICENCES) copyFileSync(join(packageFolder, file), join(into, file));
  writeFileSync(
    join(into, "README.md"),
    `# ${name}\n\nThe binaries of \`@glia-os/quic\` for ${platform}. Install \`@glia-os/quic\`.\n`,
  );
  const manifest = {
    ...{ name, version, license, engines },
    description: `The binaries of @glia-os/quic for ${platform}.`,
    os: [os],
    cpu: [cpu],
    ...(libc === undefined ? {} : { libc: [libc === "gnu" ? "glibc" : libc] }),
    files: ["quic.node", "probe.node", ...LICENCES],
    publishConfig: { access: "public" },
  };
  writeFileSync(join(into, "package.json"), `${JSON.stringify(manifest, undefined, 2)}\n`);
  return name;
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { into: { type: "string" } } });
  const into = values.into ?? join(packageFolder, "build", platformName());
  console.log(`${writePlatformPackage(into)}: ${into}`);
}
