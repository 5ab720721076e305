/** Durable cells get other code between two records (docs/spec/upgrade.md, "Durable agents"). */
import { errorCodeOf } from "@glia-os/abi/errors";
import type { AgentId } from "@glia-os/abi/ids";
import { type CellUpgradeReport, CellUpgrades, decodeManifest, encodeManifest } from "@glia-os/cells";
import {
  type AgentContext,
  type AnyAgent,
  agent,
  decodeEnvelope,
  encodeEnvelope,
} from "@glia-os/cells/agent";
import {
  type CellMessage,
  durableAgent,
  type ProgramLoader,
  RunnersByKind,
  type VersionedProgram,
} from "@glia-os/cells/domain";
import { createSystemClock, createSystemTimers } from "@glia-os/hal";
import { afterEach, describe, expect, test } from "vitest";
import { AGENT, bundleOf, Disk, DomainNode, move } from "./domain-world.ts";

interface Kept {
  total: number;
  words: string[];
  from?: number;
}

type Context = AgentContext<Kept>;

/** An agent in some version. */
function counter(version: number, more: object = {}): AnyAgent {
  return agent({
    name: "counter",
    version,
    state: (): Kept => ({ total: 0, words: [] }),
    on: {
      add: {
        handle(ctx: Context, n: number) {
          ctx.state.total += n;
          ctx.state.words.push(`${version}:${n}`);
        },
      },
      slow: {
        *handle(ctx: Context, ms: number) {
          yield* ctx.sleep(ms);
          ctx.state.words.push(`${version}:slow`);
          return ctx.state.words.length;
        },
      },
      later: { handle: (ctx: Context, ms: number) => void ctx.after(ms, "add", 1000) },
      fill: { handle: (ctx: Context, bytes: number) => void ctx.state.words.push("x".repeat(bytes)) },
      state: { handle: (ctx: Context) => ctx.state },
    },
    ...more,
  } as never) as AnyAgent;
}

const keeping = { codeChange: (state: unknown, from: number) => ({ ...(state as Kept), from }) };

/** Keeps what it is told; a checkpoint after each `each` messages. */
function list(codeVersion: number, each: number, more: Partial<VersionedProgram> = {}): VersionedProgram {
  return {
    name: "list",
    uses: ["cell"],
    codeVersion,
    run: (input) =>
      function* (sys, inbox, cell) {
        const all = Array.isArray(input) ? [...(input as string[])] : [];
        for (let n = 0; n < each; n++) {
          const { id, ask, payload } = (yield* sys.receive(inbox)) as CellMessage;
          if (ask) {
            const says = new TextEncoder().encode(JSON.stringify({ codeVersion, all }));
            yield* sys.exec(cell as never, { reply: id, payload: says });
          } else all.push(new TextDecoder().decode(payload));
        }
        return yield* sys.checkpoint(all);
      },
    ...more,
  };
}

const PROGRAMS: Readonly<Record<string, () => object>> = {
  v1: () => durableAgent(counter(1)),
  v2: () => durableAgent(counter(2, keeping)),
  v3: () => durableAgent(counter(3, keeping)),
  "without codeChange": () => durableAgent(counter(2)),
  "that throws": () =>
    durableAgent(
      counter(2, {
        codeChange: (state: unknown) => {
          (state as Kept).total = -1; // Of a copy.
          throw new TypeError("no way");
        },
      }),
    ),
  "that breaks its invariant": () => durableAgent(counter(2, { ...keeping, invariant: () => "never" })),
  "of another name": () => durableAgent(agent({ name: "other", on: { idle: { handle: () => null } } })),
  "too large": () =>
    durableAgent(counter(2, { codeChange: () => ({ total: 0, words: ["x".repeat(2_000_000)] }) })),
  list1: () => list(1, 3),
  list2: () => list(2, 3, { codeChange: (all) => [...(Array.isArray(all) ? all : []), "changed"] }),
  "list without codeChange": () => list(2, 3),
  "list that runs nothing": () => list(2, 3, { codeChange: () => [], run: () => undefined as never }),
  "list that spoils what it gets": () =>
    list(2, 3, {
      codeChange: (all) => {
        (all as string[]).push?.("spoilt");
        throw new TypeError("no way");
      },
    }),
  "list of another name": () => list(2, 3, { name: "other", codeChange: (all) => all }),
  "list of no version": () => list(0, 3),
};

/** Only these bundles can be loaded: who needs another is found out. */
function loaderOf(names: readonly string[]): ProgramLoader {
  return {
    load: async (bundle) => {
      const name = new TextDecoder().decode(bundle);
      const make = names.includes(name) ? PROGRAMS[name] : undefined;
      if (make === undefined) throw new RangeError(`${name} is not there`);
      return make() as never;
    },
  };
}

class Node {
  readonly node: DomainNode;
  readonly upgrades: CellUpgrades;
  seq: number;

  constructor(disk = new Disk(), names = Object.keys(PROGRAMS), seq = 0, historyBytes = 100_000) {
    this.node = new DomainNode([], disk, { loader: loaderOf(names), historyBytes });
    const { runner, gate } = this.node;
    const both = new RunnersByKind({} as never, runner);
    this.upgrades = new CellUpgrades({
      gate,
      runner: {
        admit: (...args: Parameters<typeof both.admit>) => both.admit(...args),
        upgradeKept: (...args: Parameters<typeof runner.upgradeKept>) => runner.upgradeKept(...args),
      } as never,
      clock: createSystemClock(),
      timers: createSystemTimers(),
    });
    this.seq = seq;
  }

  upgrade(name: string, timeoutMs = 60_000): Promise<CellUpgradeReport> {
    return this.upgrades.upgrade(AGENT, { program: bundleOf(name) }, timeoutMs);
  }

  /** What it is refused with. */
  refusal(name: string, timeoutMs?: number): Promise<string> {
    return refused(this.upgrade(name, timeoutMs));
  }

  tell(message: string, input: unknown): Promise<string> {
    const text = encodeEnvelope({ kind: "tell", from: undefined, correlation: 0, message, input });
    return this.node.send(++this.seq, text);
  }

  /** `settled`: every ask before has its answer, which a link need not know any more: it knows no more than some. */
  async ask(message: string, input?: unknown, settled = false): Promise<unknown> {
    const correlation = ++this.seq;
    const text = encodeEnvelope({ kind: "ask", from: undefined, correlation, message, input });
    return decodeEnvelope(await this.#reply(correlation, text, settled ? correlation : 1)).input;
  }

  say(text: string): Promise<string> {
    return this.node.send(++this.seq, text);
  }

  async hear(): Promise<{ readonly codeVersion: number; readonly all: readonly string[] }> {
    return JSON.parse(await this.#reply(++this.seq, "all")) as never;
  }

  async #reply(seq: number, text: string, floor = 1): Promise<string> {
    await this.node.send(seq, text, { ask: true, floor });
    for (;;) {
      const found = this.node.heard.replies.find(([number]) => number === `${seq}`);
      if (found !== undefined) return found[1];
      await turn();
    }
  }
}

/** Counts the tests, so that what waits for nothing more ends with its own. */
let tests = 0;
afterEach(() => void tests++);

async function turn(): Promise<void> {
  const test = tests;
  await new Promise((resolve) => setImmediate(resolve));
  if (tests !== test) throw new RangeError("the test is over");
}

function refused(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => "done",
    (error: unknown) => `${errorCodeOf(error)}: ${(error as Error).message}`,
  );
}

async function started(name: string, disk = new Disk()): Promise<Node> {
  const node = new Node(disk);
  await node.node.start(name);
  return node;
}

describe("an agent made by agent()", () => {
  test("DU1: goes on with new code and the state of its codeChange, and after its process died needs the new bundle only", async () => {
    const disk = new Disk();
    const first = await started("v1", disk);
    for (const n of [1, 2, 3]) await first.tell("add", n);
    const report = await first.upgrade("v2");
    expect(report).toMatchObject({ from: { name: "counter", version: 1 }, to: { version: 2 }, stops: 0 });
    await first.tell("add", 4);
    const words = ["1:1", "1:2", "1:3", "2:4"];
    expect(await first.ask("state")).toEqual({ total: 10, words, from: 1 });
    await first.node.runner.close();
    const second = new Node(disk, ["v2"], first.seq);
    await second.node.recover();
    expect(await second.ask("state")).toEqual({ total: 10, words, from: 1 });
    expect([...disk.cells.values()].map(({ next }) => next)).toEqual([undefined]);
  });

  test("CU5: goes back by the codeChange of the code before, and a journal with three codes in it is gone on with by the last", async () => {
    const disk = new Disk();
    const first = await started("v1", disk);
    await first.tell("add", 1);
    await first.upgrade("v2");
    await first.tell("add", 2);
    await first.upgrade("v3");
    await first.tell("add", 3);
    const back = await first.upgrades.rollback(AGENT);
    expect(back).toMatchObject({ from: { version: 3 }, to: { version: 2 } });
    await first.tell("add", 4);
    const state = { total: 10, words: ["1:1", "2:2", "3:3", "2:4"], from: 3 };
    expect(await first.ask("state")).toEqual(state);
    await first.node.runner.close();
    const second = new Node(disk, ["v2"], first.seq);
    await second.node.recover();
    expect(await second.ask("state")).toEqual(state);
    expect(await refused(second.upgrades.rollback(AGENT))).toContain("cells.no-earlier-code");
  });

  test.each([
    "without codeChange",
    "that throws",
    "that breaks its invariant",
    "of another name",
    "too large",
    "list2",
  ])(
    "DU2: new code %s is refused, and the agent goes on with the code, the state and the messages it had",
    async (name) => {
      const disk = new Disk();
      const node = await started("v1", disk);
      await node.tell("add", 1);
      await node.tell("later", 30);
      const told = [2, 3, 4].map((n) => node.tell("add", n));
      expect(await node.refusal(name)).toMatch(/^cells\.(upgrade-refused|not-upgradable)/);
      await Promise.all(told);
      const state = async (): Promise<Kept> => (await node.ask("state", undefined, true)) as Kept;
      while ((await state()).total < 1000) await turn();
      expect((await state()).words.toSorted()).toEqual(["1:1", "1:1000", "1:2", "1:3", "1:4"]);
      expect([...disk.cells.values()]).toHaveLength(1);
      expect(disk.cells.get(AGENT)).toEqual({ agent: AGENT, meta: node.node.gate.describe(AGENT)?.meta });
      expect((await node.upgrade("v2")).to.version).toBe(2);
    },
  );

  test("DU4: a handler that waits ends first, and what waits behind it is handled by the new code, each once, and every ask gets its answer", async () => {
    const node = await started("v1");
    const slow = node.ask("slow", 60);
    const behind = [1, 2, 3].map((n) => node.tell("add", n));
    const asked = node.ask("state");
    await node.upgrade("v2");
    await Promise.all(behind);
    expect(await slow).toBe(1);
    expect(((await asked) as Kept).words).toEqual(["1:slow", "2:1", "2:2", "2:3"]);
  });

  test("DU4: one that does not come to rest in time goes on with its code and begins messages again", async () => {
    const node = await started("v1");
    const slow = node.ask("slow", 300);
    expect(await node.refusal("v2", 20)).toContain("cells.upgrade-busy");
    await node.tell("add", 1);
    await slow;
    expect(((await node.ask("state")) as Kept).words.toSorted()).toEqual(["1:1", "1:slow"]);
    expect((await node.upgrade("v2")).to.version).toBe(2);
  });

  test("a timer of the old code rings in the new, and one that was told to rest when its process died begins messages again", async () => {
    const disk = new Disk();
    const first = await started("v1", disk);
    await first.tell("later", 50);
    await first.upgrade("v2");
    const slow = first.ask("slow", 300).catch(() => undefined);
    const late = refused(first.upgrade("v3"));
    await first.tell("add", 1); // After the word to rest.
    await first.node.runner.close();
    expect(await late).toContain("durable.domain-lost");
    const second = new Node(disk, ["v2"], first.seq);
    await second.node.recover();
    const words = async (): Promise<readonly string[]> =>
      ((await second.ask("state", undefined, true)) as Kept).words;
    while ((await words()).length < 3) await turn();
    expect((await words()).toSorted()).toEqual(["2:1", "2:1000", "2:slow"]);
    void slow;
  });

  test("a cell that was upgraded moves with the records of both codes, by its new bundle only", async () => {
    const source = await started("v1");
    for (const n of [1, 2, 3]) await source.tell("add", n);
    await source.upgrade("v2");
    await source.tell("add", 4);
    const destination = new Node(new Disk(), ["v2"], source.seq);
    await move(source.node, destination.node, 2);
    expect(await destination.ask("state")).toMatchObject({ total: 10, from: 1 });
  });
});

describe("a program", () => {
  test("XC1: gets its new code at its next checkpoint, which it comes to by itself; what came before is of the old, and what comes after of the new", async () => {
    const node = await started("list1");
    await node.say("a");
    const upgraded = node.upgrade("list2");
    await node.say("b");
    expect((await node.hear()).codeVersion).toBe(1);
    expect(await upgraded).toMatchObject({ from: { name: "list", version: 1 }, to: { version: 2 } });
    expect(await node.hear()).toEqual({ codeVersion: 2, all: ["a", "b", "changed"] });
  });

  test("XC1: gets it at once where nothing came in since its checkpoint, also after its process died there", async () => {
    const disk = new Disk();
    const first = await started("list1", disk);
    for (const text of ["a", "b", "c"]) await first.say(text);
    await first.node.runner.close();
    const second = new Node(disk, Object.keys(PROGRAMS), first.seq);
    await second.node.recover();
    expect((await second.upgrade("list2")).to.version).toBe(2);
    expect(await second.hear()).toEqual({ codeVersion: 2, all: ["a", "b", "c", "changed"] });
  });

  test("DU4: is given up when it comes to none in time, and goes on; the next attempt counts", async () => {
    const node = await started("list1");
    await node.say("a");
    expect(await node.refusal("list2", 20)).toContain("cells.upgrade-busy");
    await node.say("b");
    await node.say("c");
    expect(await node.hear()).toEqual({ codeVersion: 1, all: ["a", "b", "c"] });
  });

  test.each([
    "list without codeChange",
    "list that runs nothing",
    "list that spoils what it gets",
    "list of another name",
    "list of no version",
    "v2",
  ])("DU2: new code %s is refused, at its checkpoint and where nothing came in", async (name) => {
    const node = await started("list1");
    expect(await node.refusal(name)).toMatch(/^cells\.(upgrade-refused|not-upgradable)/);
    await node.say("a");
    const refusal = node.refusal(name);
    await node.say("b");
    await node.say("c");
    expect(await refusal).toMatch(/^cells\.(upgrade-refused|not-upgradable)/);
    expect(await node.hear()).toEqual({ codeVersion: 1, all: ["a", "b", "c"] });
    expect(await node.refusal("no such bundle")).toContain("is not there");
  });
});

test("DU1: an agent whose new manifest cannot take the place of the old is upgraded, takes no other code meanwhile, and is of the new code for whoever takes it up", async () => {
  const disk = new Disk();
  let isFull = true;
  const takeNext = disk.takeNext.bind(disk);
  disk.takeNext = async (agent) => (isFull ? Promise.reject(new RangeError("no room")) : takeNext(agent));
  const first = await started("v1", disk);
  await first.tell("add", 1);
  expect((await first.upgrade("v2")).to.version).toBe(2);
  const newest = bundleOf("v2");
  expect(decodeManifest(first.node.gate.describe(AGENT)?.meta ?? new Uint8Array()).program).toEqual(newest);
  expect(await first.refusal("v3")).toContain("no room");
  expect(await first.ask("state")).toMatchObject({ total: 1, from: 1 });
  await first.node.runner.close();
  isFull = false;
  const second = new Node(disk, ["v2", "v3"], first.seq);
  await second.node.recover();
  expect(disk.cells.get(AGENT)?.next).toBeUndefined();
  expect((await second.upgrade("v3")).from.version).toBe(2);
});

/** A disk as a process sees it that is gone at its nth writing: that one happened or not, and nothing after it does. */
class MortalDisk extends Disk {
  left = Number.POSITIVE_INFINITY;
  /** Writings under way. */
  under = 0;
  readonly #there: Disk;
  readonly #happens: boolean;
  override readonly cells: Disk["cells"];
  override readonly journal: Disk["journal"];

  constructor(there: Disk, happens: boolean) {
    super();
    this.#there = there;
    this.#happens = happens;
    this.cells = there.cells;
    const writes = new Set(["append", "seal", "truncate"]);
    this.journal = new Proxy(there.journal, {
      get: (journal, name: string) => {
        const method = (
          Reflect.get(journal, name) as ((...args: unknown[]) => Promise<unknown>) | undefined
        )?.bind(journal);
        return writes.has(name) ? (...args: unknown[]) => this.#write(() => method?.(...args)) : method;
      },
    });
  }

  async #write(work: () => Promise<unknown> | undefined): Promise<void> {
    this.left -= 1;
    if (this.left > 0 || (this.left === 0 && this.#happens)) {
      this.under += 1;
      try {
        await work();
      } finally {
        this.under -= 1;
      }
    }
    if (this.left <= 0) await new Promise<never>(() => undefined);
  }

  override putNext(cell: Parameters<Disk["putNext"]>[0]): Promise<void> {
    return this.#write(() => this.#there.putNext(cell));
  }

  override takeNext(agent: AgentId): Promise<void> {
    return this.#write(() => this.#there.takeNext(agent));
  }

  override dropNext(agent: AgentId): Promise<void> {
    return this.#write(() => this.#there.dropNext(agent));
  }
}

describe("DU3: an upgrade of the manifest alone, with the program that it had", () => {
  const otherPages = (meta: Uint8Array) => ({ ...decodeManifest(meta), memoryPages: 2 });
  const takenUp = async (disk: Disk): Promise<unknown> => {
    const { node } = new Node(disk);
    await node.recover();
    await node.runner.close();
    return disk.cells.get(AGENT);
  };

  test("is not taken for done when its process died before it was recorded, after another one, too", async () => {
    const disk = new Disk();
    const first = await started("v1", disk);
    await first.tell("add", 1);
    const { meta } = disk.cells.get(AGENT) as { meta: Uint8Array };
    const other = encodeManifest(otherPages(meta));
    await first.node.runner.close();
    await disk.putNext({ agent: AGENT, meta: other });
    expect(await takenUp(disk)).toEqual({ agent: AGENT, meta });

    const second = new Node(disk);
    await second.node.recover();
    await second.node.runner.upgradeKept(AGENT, otherPages(meta), 60_000);
    expect(disk.cells.get(AGENT)).toEqual({ agent: AGENT, meta: other });
    await second.node.runner.close();
    await disk.putNext({ agent: AGENT, meta });
    expect(await takenUp(disk)).toEqual({ agent: AGENT, meta: other });
  });

  test("is done when it was recorded, though its manifest did not come to its place and checkpoints followed", async () => {
    const disk = new Disk();
    const take = disk.takeNext.bind(disk);
    disk.takeNext = () => Promise.reject(new RangeError("the disk is full"));
    const first = new Node(disk, Object.keys(PROGRAMS), 0, 0);
    await first.node.start("v1");
    await first.tell("add", 0);
    const { meta } = disk.cells.get(AGENT) as { meta: Uint8Array };
    const next = encodeManifest(otherPages(meta));
    await first.node.runner.upgradeKept(AGENT, otherPages(meta), 60_000);
    for (const n of [1, 2, 3]) await first.tell("add", n);
    await first.ask("state");
    await first.node.runner.close();
    expect(disk.cells.get(AGENT)).toEqual({ agent: AGENT, meta, next });
    disk.takeNext = take;
    expect(await takenUp(disk)).toEqual({ agent: AGENT, meta: next });
  });
});

describe("DU3: a process that dies at any writing to its disk during an upgrade", () => {
  const deaths = Array.from({ length: 12 }, (_, at) => [at + 1, true] as const).flatMap(([at, happens]) => [
    [at, happens] as const,
    [at, false] as const,
  ]);

  test.each([
    ["v2", ["1 of v1", "2 of v2"]],
    ["that throws", ["1 of v1"]],
  ] as const)(
    "new code %s: whoever takes the cell up has %j whole, each of them after some death, and every acknowledged message once",
    async (name, outcomes) => {
      const seen = new Set<string>();
      for (const [at, happens] of deaths) seen.add(await diedAt(name, at, happens));
      expect([...seen].toSorted()).toEqual(outcomes);
    },
  );

  async function diedAt(name: string, at: number, happens: boolean): Promise<string> {
    const there = new Disk();
    const disk = new MortalDisk(there, happens);
    const historyBytes = at % 3 === 0 ? 0 : 100_000;
    const first = new Node(disk, Object.keys(PROGRAMS), 0, historyBytes);
    await first.node.start("v1");
    let acknowledged = 0;
    for (; acknowledged < 3; acknowledged++) await first.tell("add", acknowledged + 1);
    disk.left = at;
    void first.upgrade(name).catch(() => undefined);
    void (async () => {
      for (; acknowledged < 20; acknowledged++) await first.tell("add", acknowledged + 1);
    })();
    while (disk.left > 0 || disk.under > 0) await turn();
    for (let turns = 0; turns < 10; turns++) await turn(); // What was answered before is heard.
    const second = new Node(there, Object.keys(PROGRAMS), 0, historyBytes);
    await second.node.recover();
    const { received = 0 } = (await second.node.runner.vitals(AGENT)) ?? {};
    second.seq = received;
    const { words, from } = (await second.ask("state")) as Kept;
    expect(words.map((word) => Number(word.split(":")[1]))).toEqual(
      Array.from({ length: received }, (_, n) => n + 1),
    );
    expect(received - acknowledged).toBeGreaterThanOrEqual(0);
    expect(received - acknowledged).toBeLessThanOrEqual(1);
    const meta = second.node.gate.describe(AGENT)?.meta ?? new Uint8Array();
    expect(there.cells.get(AGENT)).toEqual({ agent: AGENT, meta });
    await second.tell("add", 1);
    const version = from === 1 ? 2 : 1;
    expect(((await second.ask("state")) as Kept).words.at(-1)).toBe(`${version}:1`);
    await second.node.runner.close();
    return `${version} of ${new TextDecoder().decode(decodeManifest(meta).program)}`;
  }
});
