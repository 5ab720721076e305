/** Bundles of durable agents for tests. */
import type { AgentModuleFile } from "@glia-os/daemon";
import { build } from "esbuild";

/** The ES module of a source. */
export async function durableBundle(contents: string): Promise<AgentModuleFile> {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: import.meta.dirname, loader: "ts" },
    conditions: ["@glia-os/source"],
    bundle: true,
    write: false,
    format: "esm",
    platform: "node",
  });
  const bytes = outputFiles[0]?.contents ?? new Uint8Array();
  return { bytes, grants: ["service/agents"], kind: "domain" };
}
