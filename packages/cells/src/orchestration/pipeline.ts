/**
 * Pipelines: stages that take from earlier ones, with types from the first to the last, each stage an agent.
 *
 * PL1. A stage takes only from stages that were added before it. The types know their names, and a name they do not know is refused when it is
 *      added, so there is no cycle.
 * PL2. What a stage takes is what the stages before it give, checked by the types.
 * PL3. Nothing is made that nobody took: demand goes from the end to the sources, a credit of 16 items per subscription.
 * PL4. An error names its stage. It ends the pipeline, as `cancel` and the end of the agent that started it do: every stage ends.
 *
 * Promised: every item that a stage gave is handled once by every subscriber, in the order of its input; between inputs the order is free.
 * Not promised: that a pipeline outlives the agent that started it.
 */
import { errorCodeOf } from "@glia-os/abi/errors";
import type { AgentContext, AgentRef, AgentRoutine, StreamItem } from "../agent/index.ts";
import { checkWhole } from "./check-option.ts";
import { BadOptionError, StageCycleError } from "./errors.ts";
import { asked, type Stage, type StageInput, type StageWiring, stageFailure } from "./stage.ts";

/** Stages of one pipeline. */
export const STAGES_MAX = 64;
/** How long a stage may take for one lot, in milliseconds, unless a run says otherwise. */
export const LOT_TIMEOUT_MS = 30_000;

interface Node {
  readonly stage: Stage<never, unknown>;
  readonly from: readonly string[];
}

/** How a pipeline is run. */
export interface PipelineRunOptions {
  /** How long one stage may take for one lot: 1 to 600,000 ms, default 30,000. */
  readonly timeoutMs?: number;
  /** Where a stage runs, by its name: a place that the system knows. */
  readonly on?: Readonly<Record<string, string | number>>;
}

/** Stages and who takes from whom. `Given`: what each stage gives, by name. It does not change: adding gives another. */
export class Pipeline<Input, Given extends Record<string, unknown>, Out> {
  readonly #nodes: readonly Node[];

  /** Made by `pipeline` and `pipe`. */
  constructor(nodes: readonly Node[]) {
    this.#nodes = nodes;
  }

  /** Names of the stages, in the order they were added. */
  get stages(): readonly string[] {
    return this.#nodes.map(({ stage }) => stage.name);
  }

  /** Add another source. @throws {BadOptionError} */
  source<Next, const Name extends string>(
    added: Stage<Input, Next, Name>,
  ): Pipeline<Input, Given & Record<Name, Next>, Next> {
    return this.#added(added, []);
  }

  /** Add a stage that takes from earlier ones (PL1). @throws {StageCycleError}, {BadOptionError} */
  stage<From extends keyof Given & string, Next, const Name extends string>(
    added: Stage<Given[From], Next, Name>,
    from: readonly [From, ...From[]],
  ): Pipeline<Input, Given & Record<Name, Next>, Next> {
    return this.#added(added, from);
  }

  /** Make the stages as children of the agent that runs, and give what the last one gives. @throws {BadOptionError}, {StageFailedError}, what `ctx.spawn` throws */
  *run(ctx: AgentContext, input: Input, options: PipelineRunOptions = {}): AgentRoutine<PipelineRun<Out>> {
    const timeoutMs = checkWhole("timeoutMs", options.timeoutMs ?? LOT_TIMEOUT_MS, 1, 600_000);
    const edges = this.#edges();
    const refs = new Map<string, AgentRef>();
    const depths = new Map<string, number>();
    try {
      for (const { stage, from } of this.#nodes) {
        const on = options.on?.[stage.name];
        refs.set(stage.name, yield* ctx.spawn(stage.definition, on === undefined ? {} : { on }));
        depths.set(stage.name, 1 + Math.max(0, ...from.map((name) => depths.get(name) as number)));
      }
      for (const { stage, from } of this.#nodes) {
        const inputs = from.map(
          (name): StageInput => ({
            stage: name,
            ref: refs.get(name) as AgentRef,
            edge: (edges.get(name) as string[]).indexOf(stage.name),
          }),
        );
        const subscribers = Math.max(1, (edges.get(stage.name) as string[]).length);
        const wiring: StageWiring = {
          inputs,
          subscribers,
          // A lot may have to come through all stages before it.
          timeoutMs: timeoutMs * (depths.get(stage.name) as number),
          input: stage.isSource ? input : undefined,
        };
        yield* connect(ctx, refs.get(stage.name) as AgentRef, stage.name, wiring);
      }
    } catch (error) {
      endAll(ctx, refs.values());
      throw error;
    }
    const last = (this.#nodes.at(-1) as Node).stage.name;
    const wait = timeoutMs * (1 + (depths.get(last) as number));
    return new PipelineRun<Out>(ctx, [...refs.values()], { name: last, timeoutMs: wait });
  }

  #added<Next, Name extends string>(
    stage: Stage<never, unknown, Name>,
    from: readonly string[],
  ): Pipeline<Input, Given & Record<Name, Next>, Next> {
    const names = this.stages;
    checkWhole("stages", names.length + 1, 1, STAGES_MAX);
    if (names.includes(stage.name))
      throw new BadOptionError("stage", `there is one named ${stage.name} already`);
    if (stage.isSource !== (from.length === 0))
      throw new BadOptionError("stage", stage.isSource ? "a source takes from none" : "it takes from none");
    for (const name of from) if (!names.includes(name)) throw new StageCycleError(stage.name, name);
    if (new Set(from).size < from.length) throw new BadOptionError("from", "a stage is named twice");
    return new Pipeline([...this.#nodes, { stage, from }]);
  }

  /** Who takes from each stage. @throws {BadOptionError} for a stage from which nobody takes, other than the last */
  #edges(): ReadonlyMap<string, readonly string[]> {
    const edges = new Map<string, string[]>(this.stages.map((name) => [name, []]));
    for (const { stage, from } of this.#nodes) for (const name of from) edges.get(name)?.push(stage.name);
    const last = this.stages.at(-1);
    for (const [name, takers] of edges)
      if (takers.length === 0 && name !== last)
        throw new BadOptionError("stages", `nobody takes from ${name}`);
    return edges;
  }
}

function* connect(ctx: AgentContext, ref: AgentRef, name: string, wiring: StageWiring): AgentRoutine<void> {
  try {
    yield* ctx.ask<unknown>(ref, "connect", wiring, { timeoutMs: wiring.timeoutMs });
  } catch (error) {
    throw stageFailure(name, error);
  }
}

/** End stages. One that ended by itself is no child any more. */
function endAll(ctx: AgentContext, refs: Iterable<AgentRef>): void {
  for (const ref of refs)
    try {
      ctx.stop(ref);
    } catch (error) {
      if (errorCodeOf(error) !== "agent.not-parent") throw error;
    }
}

/** A pipeline at work. It belongs to the handler or routine that started it. */
export class PipelineRun<Out> {
  readonly #ctx: AgentContext;
  readonly #refs: readonly AgentRef[];
  readonly #last: { readonly name: string; readonly timeoutMs: number };
  #waiting: unknown[] = [];
  #ended = false;
  #running = true;

  /** Made by `Pipeline.run`. */
  constructor(
    ctx: AgentContext,
    refs: readonly AgentRef[],
    last: { readonly name: string; readonly timeoutMs: number },
  ) {
    this.#ctx = ctx;
    this.#refs = refs;
    this.#last = last;
  }

  /** The stages that run; none after the end. */
  get stages(): readonly AgentRef[] {
    return this.#running ? this.#refs : [];
  }

  /** The next item of the last stage, or the end. @throws {StageFailedError} naming the stage (PL4) */
  *next(): AgentRoutine<StreamItem<Out, undefined>> {
    while (this.#waiting.length === 0) {
      if (this.#ended || !this.#running) {
        this.cancel();
        return { done: true, value: undefined };
      }
      try {
        const lot = yield* asked(this.#ctx, this.#refs.at(-1) as AgentRef, 0, this.#last);
        this.#waiting = [...lot.items];
        this.#ended = lot.ended;
      } catch (error) {
        this.cancel();
        throw error;
      }
    }
    return { done: false, value: this.#waiting.shift() as Out };
  }

  /** Everything to the end: at most `max` items (default 100,000), after which the pipeline is cancelled. @throws {StageFailedError} */
  *collect(max = 100_000): AgentRoutine<readonly Out[]> {
    checkWhole("max", max, 0, 10_000_000);
    const items: Out[] = [];
    while (items.length < max) {
      const item = yield* this.next();
      if (item.done) return items;
      items.push(item.value);
    }
    this.cancel();
    return items;
  }

  /** End every stage. Idempotent. */
  cancel(): void {
    if (!this.#running) return;
    this.#running = false;
    this.#waiting = [];
    endAll(this.#ctx, this.#refs);
  }
}

/** Begin a pipeline with a source; `stage` and `source` add to it, `run` runs it. */
export function pipeline<Input, Out, const Name extends string>(
  first: Stage<Input, Out, Name>,
): Pipeline<Input, Record<Name, Out>, Out> {
  return new Pipeline<Input, Record<string, never>, never>([]).source(first) as Pipeline<
    Input,
    Record<Name, Out>,
    Out
  >;
}

/** A source and stages one after another, each taking from the one before. @throws {BadOptionError} */
export function pipe<I, A>(a: Stage<I, A>): Pipeline<I, Record<string, unknown>, A>;
/** A source and one stage. */
export function pipe<I, A, B>(a: Stage<I, A>, b: Stage<A, B>): Pipeline<I, Record<string, unknown>, B>;
/** A source and two stages. */
export function pipe<I, A, B, C>(
  a: Stage<I, A>,
  b: Stage<A, B>,
  c: Stage<B, C>,
): Pipeline<I, Record<string, unknown>, C>;
/** A source and three stages. */
export function pipe<I, A, B, C, D>(
  ...stages: [Stage<I, A>, Stage<A, B>, Stage<B, C>, Stage<C, D>]
): Pipeline<I, Record<string, unknown>, D>;
/** A source and four stages. */
export function pipe<I, A, B, C, D, E>(
  ...stages: [Stage<I, A>, Stage<A, B>, Stage<B, C>, Stage<C, D>, Stage<D, E>]
): Pipeline<I, Record<string, unknown>, E>;
/** A source and five stages. */
export function pipe<I, A, B, C, D, E, F>(
  ...stages: [Stage<I, A>, Stage<A, B>, Stage<B, C>, Stage<C, D>, Stage<D, E>, Stage<E, F>]
): Pipeline<I, Record<string, unknown>, F>;
export function pipe(
  ...stages: readonly Stage<never, unknown>[]
): Pipeline<unknown, Record<string, unknown>, unknown> {
  const [first, ...rest] = stages as readonly Stage<unknown, unknown>[];
  if (first === undefined) throw new BadOptionError("stages", "there are none");
  let made: Pipeline<unknown, Record<string, unknown>, unknown> = pipeline(first);
  let before = first.name;
  for (const next of rest) {
    made = made.stage(next, [before]);
    before = next.name;
  }
  return made;
}
