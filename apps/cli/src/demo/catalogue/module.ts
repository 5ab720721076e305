/**
 * The catalogue's module.
 *
 * CM1. What is published has the agent's script, bundled when the package was built, and needs no bundler; from source it is bundled now.
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type AgentModule, buildAgent, buildScript } from "@glia-os/guest-js/build";

/** The name of the script in the package. */
export const SCRIPT_FILE = "demo-catalogue.js";
/** The agent's source. */
export const SOURCE_FILE: string = fileURLToPath(new URL("./agent.ts", import.meta.url));

/** Make it (CM1). */
export function catalogueModule(): Promise<AgentModule> {
  if (import.meta.url.endsWith(".ts")) return buildAgent({ entry: SOURCE_FILE });
  return buildScript(readFileSync(new URL(`./${SCRIPT_FILE}`, import.meta.url), "utf8"));
}
