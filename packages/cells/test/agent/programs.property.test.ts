/**
 * Random programs of agents: tells, asks, waits, timers, stops and upgrades, in random order and with random delays.
 *
 * What holds: messages of one sender to one agent come in the order they were sent; a message that was accepted is handled once, or its
 * agent ended; an ask is settled once; an upgrade loses nothing.
 */
import { type AgentContext, type AgentRef, type AgentRoutine, agent } from "@glia-os/cells/agent";
import fc from "fast-check";
import { expect, test } from "vitest";
import { world } from "./world.ts";

const runs = process.env["GLIA_SOAK"] === "1" ? 2000 : 40;

interface Note {
  readonly sender: number;
  readonly seq: number;
}

interface BookState {
  readonly notes: Note[];
}

function bookOf(version: number) {
  return agent({
    name: "book",
    version,
    state: (): BookState => ({ notes: [] }),
    codeChange: (state: unknown) => state as BookState,
    on: {
      note: {
        handle(ctx: AgentContext<BookState>, note: Note) {
          ctx.state.notes.push(note);
        },
      },
      slowly: {
        *handle(ctx: AgentContext<BookState>, note: Note & { readonly ms: number }): AgentRoutine<number> {
          yield* ctx.sleep(note.ms);
          ctx.state.notes.push({ sender: note.sender, seq: note.seq });
          return note.seq;
        },
      },
      notes: { handle: (ctx: AgentContext<BookState>) => ctx.state.notes },
    },
  });
}

const book = bookOf(1);

type Step =
  | { readonly do: "tell"; readonly to: number }
  | { readonly do: "ask"; readonly to: number; readonly ms: number }
  | { readonly do: "begin"; readonly to: number; readonly ms: number }
  | { readonly do: "sleep"; readonly ms: number };

const to = fc.nat(2);
const ms = fc.nat(20);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant("tell" as const), to }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("ask" as const), to, ms }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("begin" as const), to, ms }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("sleep" as const), ms }) },
);
const senders = fc.array(fc.array(step, { maxLength: 25 }), { minLength: 1, maxLength: 4 });

/** One sender: gives how many notes it sent to each book. */
function* sender(
  ctx: AgentContext,
  me: number,
  steps: readonly Step[],
  books: readonly AgentRef[],
): AgentRoutine<number[]> {
  const sent = books.map(() => 0);
  const begun: ReturnType<typeof ctx.begin>[] = [];
  for (const one of steps) {
    if (one.do === "sleep") yield* ctx.sleep(one.ms);
    else {
      const note = { sender: me, seq: sent[one.to]! };
      sent[one.to]!++;
      const target = books[one.to]!;
      if (one.do === "tell") ctx.tell(target, "note", note);
      else if (one.do === "ask")
        expect(yield* ctx.ask(target, "slowly", { ...note, ms: one.ms })).toBe(note.seq);
      else begun.push(ctx.begin(target, "slowly", { ...note, ms: one.ms }, { timeoutMs: 60_000 }));
    }
  }
  const settled = yield* ctx.settled(begun, { count: begun.length });
  expect(settled.filter(({ ok }) => !ok)).toEqual([]);
  return sent;
}

function inOrder(notes: readonly Note[], counts: readonly number[]): void {
  for (const [me, count] of counts.entries())
    expect(notes.filter((note) => note.sender === me).map(({ seq }) => seq)).toEqual(
      Array.from({ length: count }, (_, i) => i),
    );
}

test(`in ${runs} random programs every accepted message is handled once, in its sender's order`, async () => {
  await fc.assert(
    fc.asyncProperty(senders, fc.nat(), fc.array(ms, { maxLength: 4 }), async (programs, seed, upgrades) => {
      const { system, through } = world(seed);
      const books = [await system.spawn(book), await system.spawn(book), await system.spawn(book)];
      const all = programs.map((steps, me) => system.run((ctx) => sender(ctx, me, steps, books)));
      const changes = upgrades.map((wait, i) =>
        system.run(function* (ctx: AgentContext) {
          yield* ctx.sleep(wait);
          const upgraded = system.upgrade(books[i % 3]!, bookOf(i + 2), 60_000);
          return upgraded.catch((error: unknown) =>
            expect(error).toMatchObject({ code: "agent.upgrade-failed" }),
          );
        }),
      );
      const sent = await through(Promise.all(all));
      await through(Promise.all(changes));
      for (const [i, ref] of books.entries()) {
        const notes = (await through(system.ask(ref, "notes"))) as readonly Note[];
        inOrder(
          notes,
          sent.map((counts) => counts[i]!),
        );
      }
    }),
    { numRuns: runs },
  );
});

test("an upgrade at a high message rate loses no message and repeats none", async () => {
  const { system, through } = world();
  const ref = await system.spawn(book);
  const messages = 20_000;
  const sending = system.run(function* (ctx: AgentContext): AgentRoutine<void> {
    for (let seq = 0; seq < messages; seq++) {
      if (ctx.tell(ref, "note", { sender: 0, seq }) === "pressured") yield* ctx.sleep(1);
      else if (seq % 20 === 0) yield* ctx.sleep(1);
    }
  });
  const upgrading = system.run(function* (ctx: AgentContext): AgentRoutine<void> {
    for (let version = 2; version < 60; version++) {
      yield* ctx.sleep(13);
      system.upgrade(ref, bookOf(version), 1000).catch(() => expect.unreachable("an upgrade failed"));
    }
  });
  await through(Promise.all([sending, upgrading]));
  const notes = (await through(system.ask(ref, "notes"))) as readonly Note[];
  expect((await system.observe.agent(ref))?.version).toBe(59);
  inOrder(notes, [messages]);
});

test("agents that are stopped at random moments answer every ask once, with a reply or with their end", async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(), fc.array(fc.nat(60), { minLength: 1, maxLength: 12 }), async (seed, stops) => {
      const { system, through } = world(seed);
      const settled = await through(
        system.run(function* (ctx: AgentContext): AgentRoutine<readonly string[]> {
          const ends: string[] = [];
          for (const after of stops) {
            const ref = yield* ctx.spawn(book);
            const tickets = [5, 10, 15].map((ms) => ctx.begin(ref, "slowly", { sender: 0, seq: ms, ms }));
            yield* ctx.sleep(after);
            ctx.stop(ref);
            for (const one of yield* ctx.settled(tickets, { count: 3 }))
              ends.push(one.ok ? `replied ${one.value}` : (one.error as { code: string }).code);
          }
          return ends;
        }),
      );
      expect(settled).toHaveLength(3 * stops.length);
      for (const end of settled) expect(end).toMatch(/^replied |^agent\.ended$|^agent\.unknown-agent$/);
    }),
    { numRuns: runs },
  );
});
