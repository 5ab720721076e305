/** A durable agent talks to others, and its process ends between any two entries of its journal. */
import type { Journal } from "@glia-os/abi/ports";
import { type AgentContext, agent, encodeEnvelope } from "@glia-os/cells/agent";
import { durableAgent } from "@glia-os/cells/domain";
import fc from "fast-check";
import { expect, test } from "vitest";
import { DeskWorld } from "./desk-world.ts";
import { AGENT, Disk, DomainNode } from "./domain-world.ts";

const NEIGHBOUR = "1".repeat(32);
const NAMED = "2".repeat(32);
/** Has the name of the other once a process has ended. */
const HEIR = "5".repeat(32);
const HEARERS = ["3".repeat(32), "4".repeat(32)];

const helper = agent({ name: "helper", on: { work: { handle: () => 1 } } });
const courier = agent({
  name: "courier",
  state: () => ({ rounds: 0 }),
  on: {
    round: {
      *handle(ctx: AgentContext<{ rounds: number }>, n: number) {
        ctx.state.rounds += 1;
        ctx.tell({ id: NEIGHBOUR }, "item", n);
        ctx.tell("friend", "item", n);
        yield* ctx.sleep(1);
        ctx.publish("news", n);
        ctx.tell({ id: NEIGHBOUR }, "item", n + 0.5);
        const found = yield* ctx.find("friend");
        const child = yield* ctx.spawn(helper);
        ctx.tell(child, "work", found?.id);
        ctx.after(1, "late", n);
        return ctx.state.rounds;
      },
    },
    late: {
      handle(ctx: AgentContext, n: number) {
        ctx.tell({ id: NEIGHBOUR }, "item", -n);
      },
    },
  },
});
const PROGRAMS = [durableAgent(courier, [helper])] as never;
const BEGIN = new TextEncoder().encode(
  JSON.stringify({ host: "begin", self: { id: AGENT, name: "agent" }, definition: "courier" }),
);
const ROUNDS = 3;
const TURNS_MAX = 400_000;
const NEVER = Number.POSITIVE_INFINITY;

/** A life of the agent's node, which ends at the append of this number: before it is on the disk, or after. */
class Life {
  readonly node: DomainNode;
  readonly ended: Promise<void>;
  appends = 0;
  #alive = true;
  #turns = 0;

  constructor(disk: Disk, world: DeskWorld, endsAt: number, isKept: boolean) {
    const over = Promise.withResolvers<void>();
    this.ended = over.promise;
    const append = async (batch: Parameters<Journal["append"]>[0]): Promise<void> => {
      if (!this.#alive || this.appends >= endsAt) return await new Promise(() => undefined);
      this.appends += 1;
      if (this.appends === endsAt) {
        // What left before its record is kept is out by then.
        for (let turns = 0; turns < 3; turns++) await this.turn();
        this.#alive = false;
      }
      if (this.#alive || isKept) await disk.journal.append(batch);
      if (this.#alive) return;
      over.resolve();
      await new Promise(() => undefined); // The process is gone.
    };
    const journal = new Proxy(disk.journal, {
      get: (target, name) => {
        if (name === "append") return append;
        const found = Reflect.get(target, name);
        return typeof found === "function" ? found.bind(target) : found;
      },
    });
    const desks = world.desks(
      () => this.node.runner,
      () => this.#alive,
    );
    this.node = new DomainNode(PROGRAMS, Object.assign(new Disk(), { cells: disk.cells }), {
      journal,
      store: disk,
      desks,
    });
  }

  /** Whoever waits in a life that is over waits for ever; what does not come in so many turns of a loop that is idle does not come. */
  turn(): Promise<void> {
    if (++this.#turns > TURNS_MAX) throw new RangeError("what is waited for does not come");
    return new Promise((resolve) => setImmediate(() => this.#alive && resolve()));
  }
}

function ask(n: number): string {
  return encodeEnvelope({ kind: "ask", from: undefined, correlation: n, message: "round", input: n });
}

/** Ask for all rounds in turn, with as many lives as it takes; each ends at the append that `endOf` says. Gives the appends of the last life. */
async function run(world: DeskWorld, endOf: (life: number) => readonly [number, boolean]): Promise<number> {
  const disk = new Disk();
  let answered = 0;
  for (let lives = 1; ; lives++) {
    const life = new Life(disk, world, ...endOf(lives));
    const work = (async (): Promise<void> => {
      if (lives === 1) await life.node.start("courier", ["service/agents"], BEGIN);
      else if (disk.cells.size > 0 && (await disk.journal.head(AGENT)) !== undefined)
        await life.node.recover(lives + 1);
      else await life.node.start("courier", ["service/agents"], BEGIN); // It never began: nobody was told that it did.
      for (let n = answered + 1; n <= ROUNDS; n++) {
        const known = life.node.heard.replies.length;
        const said = await life.node.send(n, ask(n), { ask: true, floor: n });
        if (said === "duplicate") while (!(await isAnswered(life.node, n))) await life.turn();
        else if (said === "accepted") while (life.node.heard.replies.length === known) await life.turn();
        answered = n;
      }
      while (world.got(NEIGHBOUR).length < 3 * ROUNDS) await life.turn();
      await life.node.runner.close();
    })();
    const isDone = await Promise.race([work.then(() => true), life.ended.then(() => false)]);
    if (isDone) return life.appends;
    world.names.set("friend", HEIR);
  }
}

async function isAnswered(node: DomainNode, n: number): Promise<boolean> {
  return (await node.send(n, ask(n), { ask: true, floor: n })).startsWith("duplicate ");
}

function newWorld(): DeskWorld {
  const world = new DeskWorld();
  world.names.set("friend", NAMED);
  world.topics.set("news", HEARERS);
  return world;
}

function check(world: DeskWorld): void {
  const rounds = Array.from({ length: ROUNDS }, (_, at) => at + 1);
  const fromTimers = (n: unknown): boolean => (n as number) < 0;
  const near = world.got(NEIGHBOUR);
  expect(near.filter((n) => !fromTimers(n))).toEqual(rounds.flatMap((n) => [n, n + 0.5]));
  expect(near.filter(fromTimers)).toEqual(rounds.map((n) => -n));
  expect([...world.got(NAMED), ...world.got(HEIR)]).toEqual(rounds);
  for (const hearer of HEARERS) expect(world.got(hearer)).toEqual(rounds);
  expect(world.children.size).toBe(ROUNDS);
  for (const { id } of world.children.values()) expect([[NAMED], [HEIR]]).toContainEqual(world.got(id));
}

test("what a durable agent sends, publishes and makes happens once and in order, wherever between two entries of its journal its process ends", async () => {
  const calm = newWorld();
  const appends = await run(calm, () => [NEVER, true]);
  check(calm);
  let repeated = 0;
  for (let endsAt = 1; endsAt <= appends; endsAt++)
    for (const isKept of [false, true]) {
      const world = newWorld();
      await run(world, (life) => (life === 1 ? [endsAt, isKept] : [NEVER, true]));
      check(world);
      repeated += world.repeated;
    }
  expect(appends).toBeGreaterThan(20);
  expect(repeated).toBeGreaterThan(0);
  console.log(`${2 * appends} ends, ${repeated} messages sent again and refused`);
});

const SEEDS = process.env["GLIA_SOAK"] === "1" ? 2000 : 20;

test("the same holds when one process after the other ends, at random", async () => {
  let lives = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.integer({ min: 1, max: 14 }), fc.boolean()), { minLength: 2, maxLength: 8 }),
      async (ends) => {
        const world = newWorld();
        await run(world, (life) => ends[life - 1] ?? [NEVER, true]);
        lives += ends.length;
        check(world);
      },
    ),
    { numRuns: SEEDS },
  );
  console.log(`${SEEDS} seeds, ${lives} ends`);
}, 300_000);
