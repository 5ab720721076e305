/**
 * Loads a program file of a durable agent of a node, to replay its journal: its export `program`, under the version that nodes know it by.
 *
 * LC1. The version is the SHA-256 of the bundle: of the file as it is, or of what `glia agent spawn --durable` makes of a source in TypeScript.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { DurableProgram } from "@glia-os/durable";
import { durableBundle } from "../agent-source/durable-bundle.ts";
import { importProgram } from "../run/load-program.ts";

/** The program; undefined for a file that has a default export, or none of either. @throws the refusals of a program file */
export async function loadCellProgram(file: string): Promise<DurableProgram | undefined> {
  const { url, exports } = await importProgram(file);
  const program = exports["program"] as DurableProgram | undefined;
  if (exports["default"] !== undefined || typeof program?.run !== "function") return undefined;
  const path = fileURLToPath(url);
  const bundle = /\.m?ts$/.test(path) ? await durableBundle(path) : readFileSync(path);
  return { ...program, version: createHash("sha256").update(bundle).digest("hex") };
}
