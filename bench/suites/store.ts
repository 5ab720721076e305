/**
 * Compare-and-swap and reads of `Coordination`, beside the bare statement of SQLite that does the same change.
 *
 * Targets: the commit of a move must not show beside the milliseconds of the move (2 ms, and 0.1 ms for a read); changes asked
 * at once must cost less than one flush each, or sharing flushes would be for nothing (1 times a flushed statement).
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { type AgentId, type Epoch, toEpoch } from "@glia-os/abi/ids";
import type { AgentChange, Clock, Coordination } from "@glia-os/abi/ports";
import { createMemoryCoordination } from "@glia-os/store/memory";
import { openSqliteCoordination } from "@glia-os/store/sqlite";
import { agentNamed, newAgent, nodeNamed } from "@glia-os/store/testing";
import type { Contestant, Suite } from "../src/suite.ts";

const AGENT = agentNamed("1");
const CONCURRENT = 256;
const clock: Clock = { monotonicMs: () => performance.now(), wallMs: () => Date.now() };

/** A store with some agents and the loop that swaps them. */
class Swapper {
  readonly #store: Coordination;
  readonly #change: AgentChange;
  readonly #epochs: Map<AgentId, Epoch> = new Map();
  #requests = 0;

  private constructor(store: Coordination, change: AgentChange) {
    this.#store = store;
    this.#change = change;
  }

  static async over(store: Coordination, agents: readonly AgentId[]): Promise<Swapper> {
    const session = await store.openSession(nodeNamed("a"), 600_000, "open");
    const swapper = new Swapper(store, {
      owner: session.node,
      sessionId: session.sessionId,
      status: "running",
    });
    for (const agent of agents) {
      const row = await store.createAgent(newAgent(agent, session, `agent ${agent}`), `create-${agent}`);
      swapper.#epochs.set(agent, row.epoch);
    }
    return swapper;
  }

  async swap(agent: AgentId): Promise<void> {
    const expected = this.#epochs.get(agent)!;
    this.#requests += 1;
    const outcome = await this.#store.compareAndSwap(agent, expected, this.#change, `swap-${this.#requests}`);
    if (outcome.kind !== "committed") throw new RangeError(`a swap ended as ${outcome.kind}`);
    this.#epochs.set(agent, outcome.row.epoch);
  }
}

function temporaryFile(): { readonly path: string; readonly remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), "glia-bench-"));
  return { path: join(folder, "store.db"), remove: () => rmSync(folder, { recursive: true }) };
}

async function inMemory(): Promise<Contestant> {
  const swapper = await Swapper.over(createMemoryCoordination({ clock }), [AGENT]);
  return {
    async run(times) {
      for (let i = 0; i < times; i++) await swapper.swap(AGENT);
    },
  };
}

async function inSqlite(agents: readonly AgentId[], atOnce: number): Promise<Contestant> {
  const { path, remove } = temporaryFile();
  const store = await openSqliteCoordination({ path });
  const swapper = await Swapper.over(store, agents);
  return {
    async run(times) {
      for (let done = 0; done < times; done += atOnce) {
        await Promise.all(agents.slice(0, times - done).map((agent) => swapper.swap(agent)));
      }
    },
    async close() {
      await store.close();
      remove();
    },
  };
}

async function readingSqlite(): Promise<Contestant> {
  const { path, remove } = temporaryFile();
  const store = await openSqliteCoordination({ path });
  await Swapper.over(store, [AGENT]);
  return {
    async run(times) {
      for (let i = 0; i < times; i++) await store.getAgent(AGENT);
    },
    async close() {
      await store.close();
      remove();
    },
  };
}

const TABLE = `CREATE TABLE agent (agent TEXT PRIMARY KEY, epoch INTEGER NOT NULL, owner TEXT, session_id TEXT, status TEXT)`;
const UPDATE = `UPDATE agent SET epoch = epoch + 1, owner = ?, session_id = ?, status = ? WHERE agent = ? AND epoch = ?`;
const OWNER = nodeNamed("a");

function statementUpdates(db: DatabaseSync, remove: () => void): Contestant {
  db.exec(TABLE);
  db.prepare("INSERT INTO agent VALUES (?, 1, ?, ?, 'running')").run(AGENT, OWNER, `${OWNER}:1`);
  const update: StatementSync = db.prepare(UPDATE);
  let epoch = toEpoch(1) as number;
  return {
    run(times) {
      for (let i = 0; i < times; i++) {
        if (update.run(OWNER, `${OWNER}:1`, "running", AGENT, epoch).changes !== 1)
          throw new RangeError("no row changed");
        epoch += 1;
      }
    },
    close() {
      db.close();
      remove();
    },
  };
}

function openFlushed(path: string): DatabaseSync {
  const db = new DatabaseSync(path);
  db.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
  return db;
}

function statementInMemory(): Contestant {
  return statementUpdates(new DatabaseSync(":memory:"), () => undefined);
}

function statementInFile(): Contestant {
  const { path, remove } = temporaryFile();
  return statementUpdates(openFlushed(path), remove);
}

function statementReads(): Contestant {
  const { path, remove } = temporaryFile();
  const db = openFlushed(path);
  const { close } = statementUpdates(db, remove);
  const select = db.prepare("SELECT * FROM agent WHERE agent = ?");
  return {
    run(times) {
      for (let i = 0; i < times; i++) select.get(AGENT);
    },
    ...(close === undefined ? {} : { close }),
  };
}

const manyAgents = Array.from({ length: CONCURRENT }, (_, i) => i.toString(16).padStart(32, "0") as AgentId);
const BARE =
  "the peer writes one row; ours also writes the change, the outcome of the request and two counters";

export const suite: Suite = {
  title: "compare-and-swap of an agent row",
  rows: [
    {
      id: "cas-memory",
      what: "one committed compare-and-swap on the store in memory, each awaited; peer: one UPDATE by node:sqlite in memory",
      unit: "us",
      better: "lower",
      excludes: `durability, on both sides; ${BARE}`,
      target: { max: 20 },
      glia: inMemory,
      peers: { "node-sqlite": statementInMemory },
    },
    {
      id: "cas-sqlite",
      what: "one committed and flushed compare-and-swap on the SQLite store, each awaited; peer: one flushed UPDATE by node:sqlite",
      unit: "us",
      better: "lower",
      excludes: `opening; ${BARE}; the peer blocks the caller's thread, ours does not`,
      target: { max: 2_000 },
      glia: () => inSqlite([AGENT], 1),
      peers: { "node-sqlite": statementInFile },
    },
    {
      id: "cas-sqlite-256",
      what: "one of 256 flushed compare-and-swaps asked at once on the SQLite store; peer: one flushed UPDATE by node:sqlite",
      unit: "us",
      better: "lower",
      excludes: `opening; the peer flushes each UPDATE, as it must to answer it; ${BARE}`,
      target: { ratio: { "node-sqlite": 1 } },
      glia: () => inSqlite(manyAgents, CONCURRENT),
      peers: { "node-sqlite": statementInFile },
    },
    {
      id: "get-sqlite",
      what: "one getAgent on the SQLite store, each awaited; peer: one SELECT by node:sqlite",
      unit: "us",
      better: "lower",
      excludes: "opening; the peer reads in the caller's thread and crosses none",
      target: { max: 100 },
      glia: readingSqlite,
      peers: { "node-sqlite": statementReads },
    },
  ],
};
