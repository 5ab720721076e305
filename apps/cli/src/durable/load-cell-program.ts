/**
 * Loads a program file of a durable agent of a node, to replay its journal: its export `program`, or the agent it exports, under the version that
 * nodes know it by.
 *
 * LC1. The version is the SHA-256 of the bundle: of the file as it is, or of what `glia agent spawn --durable` makes of a source in TypeScript.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { isDefinition } from "@glia-os/cells/agent";
import { durableAgent } from "@glia-os/cells/domain";
import type { DurableProgram } from "@glia-os/durable";
import { durableBundle } from "../agent-source/durable-bundle.ts";
import { importProgram } from "../run/load-program.ts";

/** The program; undefined for a file whose default export is no agent, or that has none of either. @throws the refusals of a program file */
export async function loadCellProgram(file: string): Promise<DurableProgram | undefined> {
  const { url, exports } = await importProgram(file);
  const program = programIn(exports);
  if (program === undefined) return undefined;
  const path = fileURLToPath(url);
  const bundle = /\.m?ts$/.test(path) ? await durableBundle(path) : readFileSync(path);
  return { ...program, version: createHash("sha256").update(bundle).digest("hex") };
}

/** As nodes read a bundle. */
function programIn(exports: Readonly<Record<string, unknown>>): DurableProgram | undefined {
  const program = exports["program"] as DurableProgram | undefined;
  const own = exports["agent"] ?? (program === undefined ? exports["default"] : undefined);
  if (isDefinition(own))
    return durableAgent(own, Object.values(exports).filter(isDefinition)) as DurableProgram;
  return exports["default"] === undefined && typeof program?.run === "function" ? program : undefined;
}
