/** `glia version`: what is running here. */
import { ABI_VERSION } from "@glia-os/abi";
import type { Context } from "../context.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { packageVersion } from "../package-root.ts";

/** The facts it prints. */
export interface Versions {
  readonly glia: string;
  readonly abi: number;
  readonly node: string;
  readonly openssl: string;
  readonly v8: string;
  readonly platform: string;
}

/** The versions of this process. */
export function readVersions(): Versions {
  const { node, openssl, v8 } = process.versions;
  return {
    glia: packageVersion(),
    abi: ABI_VERSION,
    node: node ?? "",
    openssl: openssl ?? "",
    v8: v8 ?? "",
    platform: `${process.platform}-${process.arch}`,
  };
}

/** Run it. */
export async function versionCommand(_options: object, { terminal }: Context): Promise<ExitCode> {
  const versions = readVersions();
  terminal.record({ ok: true, ...versions });
  for (const [name, value] of Object.entries(versions)) terminal.line(`${name.padEnd(9)}${value}`);
  return EXIT.ok;
}
