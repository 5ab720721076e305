/** Modules from files: read under a limit, looked at, and instrumented unless they are already. */
import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";
import { RemoteError } from "@glia-os/abi/errors";
import { inspectModule, type ModuleReport, type Profile } from "@glia-os/wasm";
import type { Context } from "../context.ts";
import { ModuleUnreadableError, reasonOf } from "../errors.ts";
import { readBounded } from "../node/first-line.ts";
import { instrumentInThread } from "./instrument-thread.ts";

/** The longest module these commands take. */
const MODULE_BYTES = 64 * 1024 * 1024;
/** From this size on, instrumenting takes long enough to say so. */
const SLOW_BYTES = 100_000;

/** A module as its file holds it. @throws ModuleUnreadableError */
export function readModule(path: string): Uint8Array {
  try {
    const bytes = readBounded(path, MODULE_BYTES);
    if (bytes.length <= MODULE_BYTES) return bytes;
  } catch (cause) {
    throw new ModuleUnreadableError(path, reasonOf(cause), cause);
  }
  throw new ModuleUnreadableError(path, `it is longer than ${MODULE_BYTES} bytes`);
}

/** A module ready to run, and what it was. */
export interface ReadyModule {
  readonly bytes: Uint8Array;
  readonly report: ModuleReport;
}

/** Read a module and instrument it with `profile`, or take it as it is when it is instrumented. */
export async function readyModule(path: string, profile: Profile, context: Context): Promise<ReadyModule> {
  const original = readModule(path);
  const report = inspectModule(original);
  if (report.instrumented !== undefined) return { bytes: original, report };
  if (original.length >= SLOW_BYTES)
    context.terminal.note(`instrumenting ${path} (${original.length} bytes) ...`);
  const made = await instrumentInThread({ original, profile, cache: cacheFolder() }, context);
  if ("refused" in made) throw new RemoteError(made.refused);
  return { bytes: made.bytes, report };
}

/** `$XDG_CACHE_HOME/glia/wasm`, or the same under `~/.cache` (XDG base directory specification). */
function cacheFolder(): string {
  const base = process.env["XDG_CACHE_HOME"];
  return join(base !== undefined && isAbsolute(base) ? base : join(homedir(), ".cache"), "glia", "wasm");
}
