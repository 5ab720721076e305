/**
 * The primitive `spawn`: a child of the agent that runs.
 *
 * Promised: the child exists when this returns, has run its hook `start` or failed by it, and ends with its parent unless it is detached.
 * Not promised: that it lives longer than its machine. That is what the durability of an agent is for.
 */
import type {
  AgentContext,
  AgentRef,
  AgentRoutine,
  AnyAgent,
  SpawnInputOf,
  SpawnOptions,
} from "../agent/index.ts";
import { checkWhole } from "./check-option.ts";
import { BadOptionError } from "./errors.ts";

/** Children that one call makes at most. */
export const SPAWN_MANY_MAX = 10_000;

/** Make a child. @throws what `ctx.spawn` throws */
export function* spawn<Def extends AnyAgent>(
  ctx: AgentContext,
  definition: Def,
  options?: SpawnOptions<SpawnInputOf<Def>>,
): AgentRoutine<AgentRef<Def>> {
  return yield* ctx.spawn(definition, options);
}

/**
 * Make `count` children of one kind; `each` says how, by index from 0. All or none: when one cannot be made, those before it are ended
 * and the refusal is thrown. @throws {BadOptionError}, what `ctx.spawn` throws
 */
export function* spawnMany<Def extends AnyAgent>(
  ctx: AgentContext,
  definition: Def,
  count: number,
  each: (index: number) => SpawnOptions<SpawnInputOf<Def>> = () => ({}),
): AgentRoutine<readonly AgentRef<Def>[]> {
  checkWhole("count", count, 0, SPAWN_MANY_MAX);
  const made: AgentRef<Def>[] = [];
  try {
    for (let index = 0; index < count; index++) {
      const options = each(index);
      if (options.detached === true)
        throw new BadOptionError("detached", "what its parent cannot end cannot be made all or none");
      made.push(yield* ctx.spawn(definition, options));
    }
  } catch (error) {
    for (const child of made) ctx.stop(child);
    throw error;
  }
  return made;
}
