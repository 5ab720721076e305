/**
 * Loads a program file whose default export is a durable program.
 *
 * LD1. The default export has `name` and `run`, and may have `uses`. The export `services` may hold what it uses: an async function
 *      `(input, { key, signal })` is a tool, and so is `{ run, repeatable }`; an object with `service` is taken as it is. The export
 *      `domains` may name other domains that run while it runs: `{ NAME: { program, input } }`.
 * LD2. Whatever is wrong with the file is a typed error that names it; nothing was started then.
 */

import { fileURLToPath } from "node:url";
import type { CancelSignal } from "@glia-os/abi/ports";
import type { DurableProgram, DurableService } from "@glia-os/durable";
import { toolService } from "@glia-os/kernel/services";
import { NoProgramError } from "../errors.ts";
import { importProgram } from "../run/load-program.ts";

/** A program and the services its file brings. */
export interface LoadedDurable {
  readonly file: string;
  /** The whole path of it. */
  readonly path: string;
  readonly program: DurableProgram;
  readonly services: Readonly<Record<string, DurableService>>;
  /** Domains that run beside it, by their names. */
  readonly beside: Readonly<Record<string, BesideDomain>>;
}

/** A domain that is started with a program, or goes on with it. */
export interface BesideDomain {
  readonly program: DurableProgram;
  /** What it starts with. Default: null. */
  readonly input?: unknown;
}

/** What a tool of a program file gets besides its input. */
export interface ToolContext {
  /** The same when the call is made again after a crash. */
  readonly key: string;
  /** Aborted when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
}

/** Load `file`. @throws the refusals of a program file, and {NoProgramError} */
export async function loadDurable(file: string): Promise<LoadedDurable> {
  const { file: shown, url, exports } = await importProgram(file);
  const program = exports["default"];
  if (
    typeof program !== "object" ||
    program === null ||
    typeof (program as { run?: unknown }).run !== "function"
  )
    throw new NoProgramError(
      shown,
      "its default export is no durable program",
      'Write `export default { name: "...", run: (input) => function* (sys, inbox) { ... } }`, or run it without --journal.',
    );
  return {
    file: shown,
    path: fileURLToPath(url),
    program: program as DurableProgram,
    services: servicesOf(shown, exports["services"]),
    beside: besideOf(shown, exports["domains"]),
  };
}

function servicesOf(file: string, found: unknown): Readonly<Record<string, DurableService>> {
  if (found === undefined) return {};
  if (typeof found !== "object" || found === null)
    throw new NoProgramError(file, "its export services is no object");
  return Object.fromEntries(Object.entries(found).map(([name, each]) => [name, serviceOf(file, name, each)]));
}

function besideOf(file: string, found: unknown): LoadedDurable["beside"] {
  if (found === undefined) return {};
  const entries = typeof found === "object" && found !== null ? Object.entries(found) : [];
  for (const [name, each] of entries) {
    const program = (each as Partial<BesideDomain> | null)?.program;
    if (typeof program?.run !== "function")
      throw new NoProgramError(file, `its domain ${name} has no durable program`);
  }
  return Object.fromEntries(entries) as LoadedDurable["beside"];
}

type ToolFunction = (input: unknown, context: ToolContext) => unknown;

function serviceOf(file: string, name: string, found: unknown): DurableService {
  if (typeof found === "function") return { service: tool(name, found as ToolFunction) };
  const { service, run, repeatable } = (found ?? {}) as Partial<DurableService> & { readonly run?: unknown };
  if (service !== undefined) return found as DurableService;
  if (typeof run === "function")
    return { service: tool(name, run as ToolFunction), repeatable: repeatable === true };
  throw new NoProgramError(
    file,
    `its service ${name} is neither a function nor an object with run or service`,
  );
}

function tool(name: string, run: ToolFunction): DurableService["service"] {
  return toolService(
    { run: async (input, cancel, key) => run(input, { key, signal: signalOf(cancel) }) },
    { name },
  );
}

function signalOf(cancel: CancelSignal): AbortSignal {
  const controller = new AbortController();
  cancel.onCancel((reason) => controller.abort(reason));
  return controller.signal;
}
