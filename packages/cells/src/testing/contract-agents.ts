/** The agents that the contract of agent systems is tried with. One module, so that it can be built for wherever a system runs agents. */
import {
  type AgentContext,
  type AgentDefinition,
  type AgentRef,
  type AgentRoutine,
  agent,
  type SchemaResult,
  type StandardSchema,
} from "../agent/index.ts";

/** A schema without a library: what `is` says yes to. */
export function schemaOf<Value>(
  what: string,
  is: (value: unknown) => boolean,
): StandardSchema<unknown, Value> {
  const validate = (value: unknown): SchemaResult<Value> =>
    is(value) ? { value: value as Value } : { issues: [{ message: `expected ${what}` }] };
  return { "~standard": { version: 1, vendor: "glia", validate } };
}

const wholeNumber: StandardSchema<unknown, number> = schemaOf("a whole number", Number.isInteger);

interface LedgerState {
  total: number;
  seen: number[];
  closed: string;
}

/** Messages of the ledger: types of what it takes and gives. */
export type LedgerMessages = {
  readonly add: { readonly input: number; readonly reply: number; readonly chunk: unknown };
  readonly see: { readonly input: number; readonly reply: unknown; readonly chunk: unknown };
  readonly seen: { readonly input: unknown; readonly reply: readonly number[]; readonly chunk: unknown };
  readonly slow: { readonly input: number; readonly reply: string; readonly chunk: unknown };
  readonly throws: { readonly input: unknown; readonly reply: unknown; readonly chunk: unknown };
  readonly liar: { readonly input: unknown; readonly reply: number; readonly chunk: unknown };
  readonly echo: { readonly input: unknown; readonly reply: unknown; readonly chunk: unknown };
  readonly overdraw: { readonly input: unknown; readonly reply: unknown; readonly chunk: unknown };
  readonly count: { readonly input: number; readonly reply: string; readonly chunk: number };
  readonly closed: { readonly input: unknown; readonly reply: string; readonly chunk: unknown };
  readonly listen: { readonly input: string; readonly reply: unknown; readonly chunk: unknown };
  readonly deafen: { readonly input: string; readonly reply: unknown; readonly chunk: unknown };
  readonly tick: { readonly input: number; readonly reply: unknown; readonly chunk: unknown };
  readonly pulse: { readonly input: number; readonly reply: unknown; readonly chunk: unknown };
  readonly whoami: { readonly input: unknown; readonly reply: string; readonly chunk: unknown };
  readonly sender: { readonly input: unknown; readonly reply: string; readonly chunk: unknown };
};

/** What the ledger is. */
export type Ledger = AgentDefinition<LedgerState, LedgerMessages>;

/** Adds up, remembers, waits, streams, listens and fails on demand. */
export const ledger: Ledger = agent({
  name: "ledger",
  state: (): LedgerState => ({ total: 0, seen: [], closed: "no" }),
  invariant: (state: LedgerState) => state.total >= 0 || "the total is negative",
  on: {
    add: {
      input: wholeNumber,
      reply: wholeNumber,
      handle(ctx, amount) {
        ctx.state.total += amount;
        return ctx.state.total;
      },
    },
    see: {
      input: wholeNumber,
      handle(ctx, number) {
        ctx.state.seen.push(number);
      },
    },
    seen: { handle: (ctx: AgentContext<LedgerState>) => ctx.state.seen },
    slow: {
      input: wholeNumber,
      *handle(ctx, ms) {
        yield* ctx.sleep(ms);
        return "slept";
      },
    },
    throws: {
      handle() {
        throw new RangeError("out of ink");
      },
    },
    liar: { reply: wholeNumber, handle: () => "no number" as unknown as number },
    echo: { handle: (_: unknown, value: unknown) => value },
    overdraw: {
      handle(ctx: AgentContext<LedgerState>) {
        ctx.state.total = -1;
      },
    },
    count: {
      input: wholeNumber,
      chunk: wholeNumber,
      *handle(ctx, upTo) {
        try {
          for (let i = 1; i <= upTo; i++) {
            yield* ctx.emit(i);
            ctx.state.total = i;
          }
        } catch (error) {
          ctx.state.closed = (error as { code: string }).code;
          throw error;
        }
        return "counted";
      },
    },
    closed: { handle: (ctx: AgentContext<LedgerState>) => ctx.state.closed },
    listen: {
      handle(ctx: AgentContext<LedgerState>, topic: string) {
        ctx.subscribe(topic, "see");
      },
    },
    deafen: {
      handle(ctx: AgentContext<LedgerState>, topic: string) {
        ctx.unsubscribe(topic);
      },
    },
    tick: {
      handle(ctx: AgentContext<LedgerState>, ms: number) {
        ctx.after(ms, "see", 7);
      },
    },
    pulse: {
      handle(ctx: AgentContext<LedgerState>, ms: number) {
        ctx.every(ms, "see", 3);
      },
    },
    whoami: { handle: (ctx: AgentContext<LedgerState>) => ctx.self.name ?? ctx.self.id },
    sender: { handle: (ctx: AgentContext<LedgerState>) => ctx.from?.id ?? "nobody" },
  },
}) as Ledger;

/** The ledger's next version, whose state has another form. */
export const ledgerTwo: AgentDefinition<{ sum: number }> = agent({
  name: "ledger",
  version: 2,
  state: () => ({ sum: 0 }),
  codeChange: (state: unknown, fromVersion: number) => ({
    sum: (state as LedgerState).total * 100 + fromVersion,
  }),
  on: {
    add: {
      input: wholeNumber,
      handle(ctx, amount) {
        ctx.state.sum += amount;
        return ctx.state.sum;
      },
    },
  },
});

/** A version of the ledger that cannot take the state over. */
export const ledgerBroken: AgentDefinition<{ sum: number }> = agent({
  name: "ledger",
  version: 3,
  state: () => ({ sum: 0 }),
  codeChange: (): { sum: number } => {
    throw new RangeError("cannot read the old books");
  },
  on: { add: { handle: () => 0 } },
});

/** What the family is. */
export type Family = AgentDefinition<{ child: AgentRef | null; restarts: number }, FamilyMessages>;

/** Messages of the family. */
export type FamilyMessages = {
  readonly bear: { readonly input: string; readonly reply: AgentRef; readonly chunk: unknown };
  readonly children: { readonly input: unknown; readonly reply: number; readonly chunk: unknown };
  readonly relay: { readonly input: number; readonly reply: unknown; readonly chunk: unknown };
};

/** Has a child, restarts it when it fails, and passes messages on. */
export const family: Family = agent({
  name: "family",
  state: () => ({ child: null as AgentRef | null, restarts: 0 }),
  supervise: { onFailure: "restart", intensity: 2, periodMs: 60_000 },
  on: {
    bear: {
      *handle(ctx: AgentContext<{ child: AgentRef | null }>, name: string): AgentRoutine<AgentRef> {
        const child = yield* ctx.spawn(ledger, { name });
        ctx.state.child = child;
        return child;
      },
    },
    children: { handle: (ctx: AgentContext) => ctx.children().length },
    relay: {
      *handle(ctx: AgentContext<{ child: AgentRef | null }>, amount: number): AgentRoutine<unknown> {
        return yield* ctx.ask(ctx.state.child as AgentRef<Ledger>, "add", amount);
      },
    },
  },
}) as Family;
