/**
 * What becomes of a durable program that takes something from its surroundings besides syscalls: a clock, randomness, a timer, the network.
 *
 * GM1. `strict`, the default, stops it at the first use; `sealed` does too, and has it run where there is nothing to take.
 * GM2. `warn` tells each place once and goes on, `off` looks at nothing. A replay of such a program may go another way.
 */
import { type AmbientGuard, AmbientUseError } from "@glia-os/durable";
import { createAmbientGuard } from "@glia-os/hal";
import type { Context } from "../context.ts";
import { UsageError } from "../errors.ts";
import { siteOf } from "../run/failure-site.ts";
import type { LoadedDurable } from "./load-durable.ts";

/** A program as it is run. */
export interface GuardedDurable {
  readonly loaded: LoadedDurable;
  readonly guard: AmbientGuard | undefined;
  /** What to say of a failure: a use in place of the loss of its domain, with the places in the program's own files. */
  explained(error: unknown): unknown;
}

const MODES = ["off", "warn", "strict", "sealed"];
/** Places that are told by `warn`. */
const TOLD_MOST = 1_000;
const LOST = "durable.domain-lost";

/** Refuse a mode that is none, before anything is loaded. @throws {UsageError} */
export function checkGuardMode(mode: string | undefined): void {
  if (mode === undefined || MODES.includes(mode)) return;
  throw new UsageError(`--guard ${mode.slice(0, 40)} is no mode`, `Give one of ${MODES.join(", ")}.`);
}

/** Put a program under its guard. @throws what sealing throws */
export async function guardedBy(
  mode: string | undefined,
  loaded: LoadedDurable,
  context: Context,
): Promise<GuardedDurable> {
  const hint = (): void =>
    context.terminal.note("Other values of --guard: warn tells every use and goes on, off does not look.");
  const explained = (error: unknown, positioned = (text: string): string => text): unknown => {
    const use = useOf(error);
    if (use === undefined) return error;
    hint();
    const { domain, what, position } = use.details as unknown as UseDetails;
    return new AmbientUseError(domain, what, position.map(positioned));
  };
  if (mode === "off") return { loaded, guard: undefined, explained };
  if (mode === "warn") return { loaded, guard: createAmbientGuard({ onUse: tellUses(context) }), explained };
  if (mode !== "sealed") return { loaded, guard: createAmbientGuard(), explained };
  const { sealedProgram } = await import("./sealed-program.ts");
  const { program, beside, guard, positioned } = await sealedProgram(loaded);
  return {
    loaded: { ...loaded, program, beside },
    guard,
    explained: (error) => explained(error, positioned),
  };
}

interface UseDetails {
  readonly domain: string;
  readonly what: string;
  readonly position: readonly string[];
}

function useOf(error: unknown): AmbientUseError | undefined {
  if (error instanceof AmbientUseError) return error;
  const { code, cause } = (error ?? {}) as { readonly code?: unknown; readonly cause?: unknown };
  return code === LOST && cause instanceof AmbientUseError ? cause : undefined;
}

function tellUses({ terminal }: Context): (what: string) => void {
  const told = new Set<string>();
  return (what) => {
    const at = siteOf(new RangeError());
    const place = `${what} ${at}`;
    if (told.has(place) || told.size === TOLD_MOST) return;
    told.add(place);
    terminal.record({ event: "ambient-use", what, at });
    terminal.note(
      `The program used ${what}${at === undefined ? "" : ` at ${at}`}: a replay may go another way.`,
    );
  };
}
