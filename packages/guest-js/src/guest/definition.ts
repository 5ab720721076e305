/**
 * `@glia-os/cells/agent` as a program in a guest imports it: the same, except that every definition is remembered by its name and version, so
 * that an agent of this module can be any of them, and that the one the program exports runs.
 *
 * DF1. A bundle has this only when its program imports the agent SDK.
 */
import { type AnyAgent, agent as define, isDefinition, kindKey } from "@glia-os/cells/agent";
import { GuestError } from "./errors.ts";
import { insideGuest } from "./host.ts";
import { serve } from "./serve-definition.ts";

export * from "@glia-os/cells/agent";

const definitions = new Map<string, AnyAgent>();

/** One that is made again, in a function that makes definitions, is the same kind. */
function remember(definition: AnyAgent): void {
  const key = kindKey(definition);
  if (!definitions.has(key)) definitions.set(key, definition);
}

/** Define a kind of agent, and remember it. */
export const agent: typeof define = ((options: Parameters<typeof define>[0]) => {
  const made = define(options);
  remember(made);
  return made;
}) as typeof define;

function start(exported: Readonly<Record<string, unknown>>): void {
  for (const each of Object.values(exported)) if (isDefinition(each)) remember(each);
  const { default: own } = exported;
  if (isDefinition(own)) serve(own, definitions);
  else if (definitions.size > 0)
    throw new GuestError("bad-argument", "the file defines agents and exports none of them as its default");
}

// The first file of the bundle calls this with what the program exports (`src/module/bundle.ts`).
if (insideGuest) (globalThis as { glia$serve?: typeof start }).glia$serve = start;
