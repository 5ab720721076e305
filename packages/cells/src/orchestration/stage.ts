/**
 * One stage of a pipeline: an agent that takes items from earlier stages and gives items to later ones.
 *
 * SG1. A stage works on demand: it takes items only when somebody takes from it, or to have the next {@link STAGE_CREDIT} ready.
 * SG2. It holds at most {@link STAGE_CREDIT} items per subscriber, and what one lot of its inputs made of them beyond that. It takes no more while
 *      one subscriber has that many waiting.
 * SG3. Items of one input are handled in order, one at a time. Inputs take turns, a lot each; one that has nothing now is passed over.
 * SG4. A failure is remembered and told to everybody who takes, with the name of the stage where it arose.
 *
 * Why nothing waits for ever: a stage answers that it has nothing only if all of its inputs did, or a subscriber of it has its credit full. That
 * subscriber has something to work on, is asked by the same question from the end of the pipeline, and so gives an item unless a subscriber of
 * its own is full; the last stage has one subscriber, which asked because it was empty.
 */
import { errorCodeOf } from "@glia-os/abi/errors";
import {
  type AgentContext,
  type AgentDefinition,
  type AgentRef,
  type AgentRoutine,
  agent,
} from "../agent/index.ts";
import { checkWhole } from "./check-option.ts";
import { BadOptionError, StageFailedError } from "./errors.ts";

/** Items a subscriber may be behind, and the size of a lot: the credit of a stream. */
export const STAGE_CREDIT = 16;
/** Items that one item may become. */
export const OUTPUTS_MAX = 4096;

/** What a stage makes of an item: plainly, or by a routine that may ask other agents. */
export type Outputs<Out> = readonly Out[] | AgentRoutine<readonly Out[]>;

/** Where a stage takes from. */
export interface StageInput {
  readonly stage: string;
  readonly ref: AgentRef;
  /** Which of its subscribers this stage is there. */
  readonly edge: number;
}

/** How a stage is connected. */
export interface StageWiring {
  readonly inputs: readonly StageInput[];
  readonly subscribers: number;
  readonly timeoutMs: number;
  /** What the pipeline was started with; for sources. */
  readonly input: unknown;
}

/** A lot of items. Empty without `ended`: nothing now, ask the others. */
export interface Lot<Out = unknown> {
  readonly items: readonly Out[];
  readonly ended: boolean;
}

/** What a stage remembers. Plain data. */
export interface StageState {
  wiring: StageWiring | undefined;
  /** Per input: whether it has ended. */
  over: boolean[];
  /** The input whose turn is next. */
  turn: number;
  /** Items that wait, per subscriber. */
  waiting: unknown[][];
  ended: boolean;
  filling: boolean;
  failed: { stage: string; why: string } | undefined;
  /** The stage's own memory. */
  own: unknown;
}

declare const TYPES: unique symbol;

/** A stage. `In` is what it takes, `Out` what it gives, `Name` what it is called. */
export interface Stage<In, Out, Name extends string = string> {
  readonly name: Name;
  /** Takes from no other stage. */
  readonly isSource: boolean;
  readonly definition: AgentDefinition<StageState>;
  readonly [TYPES]?: (item: In) => Out;
}

/** How a source works. Its memory must be plain data, so that it can move. */
export interface SourceOptions<Input, Out, Own, Name extends string> {
  readonly name: Name;
  /** The memory at first; `input` is what the pipeline is started with. */
  start(input: Input): Own;
  /** The next item, or undefined at the end. It changes its memory in place. */
  next(
    own: Own,
    ctx: AgentContext,
  ): { readonly value: Out } | undefined | AgentRoutine<{ readonly value: Out } | undefined>;
}

/** How a stage works. */
export interface StageOptions<In, Out, Own, Name extends string> {
  readonly name: Name;
  /** The memory at first. */
  start?(): Own;
  /** What one item becomes: nothing, one or many. */
  each(item: In, own: Own, ctx: AgentContext): Outputs<Out>;
  /** What is left to give when all inputs have ended. */
  end?(own: Own, ctx: AgentContext): Outputs<Out>;
}

/** Make a source: a stage that takes from none. Give it a definition's place, at the top of a module, so that it can be made on other nodes. */
export function source<Input, Out, Own, const Name extends string>(
  options: SourceOptions<Input, Out, Own, Name>,
): Stage<Input, Out, Name> {
  const { name, start } = options;
  const work: Work = {
    name,
    begin: (input) => start(input as Input),
    *more(ctx, state) {
      const items: unknown[] = [];
      while (items.length < STAGE_CREDIT && !state.ended) {
        const made = options.next(state.own as Own, ctx);
        const next = isRoutine(made) ? yield* made : made;
        if (next === undefined) state.ended = true;
        else items.push(next.value);
      }
      return items;
    },
  };
  return { name, isSource: true, definition: stageAgent(work) };
}

/** Make a stage. Give it a definition's place, at the top of a module, so that it can be made on other nodes. */
export function stage<In, Out, const Name extends string, Own = undefined>(
  options: StageOptions<In, Out, Own, Name>,
): Stage<In, Out, Name> {
  const { name } = options;
  const work: Work = {
    name,
    begin: () => options.start?.(),
    *more(ctx, state) {
      const lot = yield* takeLot(ctx, state);
      if (lot === undefined) return undefined;
      const items: unknown[] = [];
      for (const item of lot) append(items, yield* outputs(options.each(item as In, state.own as Own, ctx)));
      if (!state.over.includes(false)) {
        state.ended = true;
        if (options.end !== undefined) append(items, yield* outputs(options.end(state.own as Own, ctx)));
      }
      return items;
    },
  };
  return { name, isSource: false, definition: stageAgent(work) };
}

/** What differs between kinds of stages. `more`: items made now, or undefined when there is nothing to make them of. */
interface Work {
  readonly name: string;
  begin(input: unknown): unknown;
  more(ctx: AgentContext<StageState>, state: StageState): AgentRoutine<readonly unknown[] | undefined>;
}

function stageAgent(work: Work): AgentDefinition<StageState> {
  return agent({
    name: work.name,
    onError: "reply",
    state: (): StageState => ({
      wiring: undefined,
      over: [],
      turn: 0,
      waiting: [],
      ended: false,
      filling: false,
      failed: undefined,
      own: undefined,
    }),
    on: {
      connect: {
        handle(ctx: AgentContext<StageState>, wiring: StageWiring): void {
          checkWhole("subscribers", wiring.subscribers, 1, 256);
          ctx.state.wiring = wiring;
          ctx.state.over = wiring.inputs.map(() => false);
          ctx.state.waiting = Array.from({ length: wiring.subscribers }, () => []);
          ctx.state.own = named(work.name, () => work.begin(wiring.input));
        },
      },
      take: {
        *handle(ctx: AgentContext<StageState>, edge: number): AgentRoutine<Lot> {
          const { state } = ctx;
          const waiting = state.waiting[edge];
          if (waiting === undefined)
            throw new BadOptionError("edge", `stage ${work.name} has no subscriber ${edge}`);
          if (waiting.length === 0) yield* fill(ctx, work);
          if (waiting.length === 0 && state.failed !== undefined)
            throw new StageFailedError(state.failed.stage, state.failed.why);
          const items = waiting.splice(0, STAGE_CREDIT);
          if (!state.filling && !state.ended && state.failed === undefined) {
            state.filling = true;
            ctx.tell(ctx.self, "fill");
          }
          return { items, ended: state.ended && waiting.length === 0 };
        },
      },
      fill: {
        *handle(ctx: AgentContext<StageState>): AgentRoutine<void> {
          ctx.state.filling = false;
          yield* fill(ctx, work);
        },
      },
    },
  }) as AgentDefinition<StageState>;
}

/** Make items until every subscriber has one, or there is nothing to make them of, or one has its credit full (SG2). */
function* fill(ctx: AgentContext<StageState>, work: Work): AgentRoutine<void> {
  const { state } = ctx;
  try {
    while (!state.ended && state.failed === undefined) {
      if (state.waiting.some(({ length }) => length >= STAGE_CREDIT)) return;
      const made = yield* work.more(ctx, state);
      if (made === undefined) return;
      for (const waiting of state.waiting) append(waiting, made);
      if (made.length > 0) return;
    }
  } catch (error) {
    const known = errorCodeOf(error) === "orchestration.stage-failed";
    const details = known ? detailsOf(error) : undefined;
    state.failed = details ?? { stage: work.name, why: messageOf(error) };
  }
}

/** A lot of the next input that has one; undefined when none has any now; empty when the last ones ended. */
function* takeLot(
  ctx: AgentContext<StageState>,
  state: StageState,
): AgentRoutine<readonly unknown[] | undefined> {
  const { inputs, timeoutMs } = state.wiring as StageWiring;
  let ended = false;
  for (let tried = 0; tried < inputs.length; tried++) {
    const at = state.turn;
    state.turn = (at + 1) % inputs.length;
    if (state.over[at] === true) continue;
    const { ref, edge, stage: name } = inputs[at] as StageInput;
    const lot = yield* asked(ctx, ref, edge, { name, timeoutMs });
    if (lot.ended) {
      state.over[at] = true;
      ended = true;
    }
    if (lot.items.length > 0) return lot.items;
  }
  return ended && !state.over.includes(false) ? [] : undefined;
}

/** Take from a stage. @throws {StageFailedError} */
export function* asked(
  ctx: AgentContext,
  ref: AgentRef,
  edge: number,
  { name, timeoutMs }: { readonly name: string; readonly timeoutMs: number },
): AgentRoutine<Lot> {
  try {
    return (yield* ctx.ask<unknown>(ref, "take", edge, { timeoutMs })) as Lot;
  } catch (error) {
    throw stageFailure(name, error);
  }
}

/** A failure with the name of its stage: the one it names, which may be far behind; else the one that was asked, gone or too slow. */
export function stageFailure(name: string, error: unknown): StageFailedError {
  const known = errorCodeOf(error) === "orchestration.stage-failed" ? detailsOf(error) : undefined;
  return new StageFailedError(known?.stage ?? name, known?.why ?? messageOf(error), error);
}

function* outputs<Out>(made: Outputs<Out>): AgentRoutine<readonly Out[]> {
  const items = isRoutine(made) ? yield* made : made;
  if (!Array.isArray(items)) throw new BadOptionError("each", "it gave no list");
  if (items.length > OUTPUTS_MAX)
    throw new BadOptionError("each", `one item became ${items.length}, more than ${OUTPUTS_MAX}`);
  return items;
}

function append(to: unknown[], items: readonly unknown[]): void {
  for (const item of items) to.push(item);
}

function isRoutine<Result>(made: unknown): made is AgentRoutine<Result> {
  return typeof made === "object" && made !== null && "next" in made && Symbol.iterator in made;
}

function named<Result>(stageName: string, run: () => Result): Result {
  try {
    return run();
  } catch (error) {
    throw new StageFailedError(stageName, messageOf(error), error);
  }
}

function detailsOf(error: unknown): { stage: string; why: string } | undefined {
  const { stage, why } = (error as { details?: Record<string, unknown> }).details ?? {};
  return typeof stage === "string" && typeof why === "string" ? { stage, why } : undefined;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
