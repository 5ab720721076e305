/**
 * One connection to a PostgreSQL server, made again when it was lost.
 *
 * C1. A transaction ends within its time limit, whatever the server does: then the socket is destroyed.
 * C2. A failure before `COMMIT` was sent committed nothing, and says so; one after it was sent says that the outcome is not known.
 * C3. A server gives up a transaction of this client before twice the limit passed, so a client that hangs does not hold others.
 * C4. A server that would forget what it acknowledged is refused before it is asked anything.
 * C5. The package `pg` is loaded when a connection is made, because only stores on PostgreSQL need it.
 */
import { Socket } from "node:net";
import { type GliaError, isGliaError } from "@glia-os/abi/errors";
import type { Client } from "pg";
import { EngineUnfitError, OutcomeUnknownError } from "../engine/errors.ts";
import { engineFailure, isServerError } from "./engine-failure.ts";

/** A row of an answer. */
export type Row = Readonly<Record<string, unknown>>;

/** Asks the server inside a transaction. */
export type Ask = (text: string, values?: readonly unknown[]) => Promise<readonly Row[]>;

/** Where the server is and how long it may take. */
export interface ConnectionSettings {
  /** `postgresql://user:password@host:port/database`. */
  readonly url: string;
  /** Names the server in messages, without its password. */
  readonly place: string;
  readonly timeoutMs: number;
}

type Driver = typeof import("pg");

interface Live {
  readonly client: Client;
  readonly socket: Socket;
}

const INT8 = 20;
/** The oldest server whose documentation was read for this. */
const OLDEST_SERVER = 130_000;
const BEGIN = {
  read: "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
  write: "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE",
} as const;
const FACTS = `SELECT current_setting('fsync') AS fsync, current_setting('full_page_writes') AS pages,
  current_setting('synchronous_commit') AS commit, current_setting('server_encoding') AS encoding,
  current_setting('server_version_num')::int AS version, pg_is_in_recovery() AS standby`;

/** A connection. One transaction at a time. */
export class EngineConnection {
  readonly #settings: ConnectionSettings;
  #live: Live | undefined;

  constructor(settings: ConnectionSettings) {
    this.#settings = settings;
  }

  /** Do some work in one transaction and commit it. @throws the refusals of C2, and what `work` throws. */
  async transaction<T>(kind: "read" | "write", work: (ask: Ask) => Promise<T>): Promise<T> {
    const live = await this.#connected();
    let committing = false;
    const deadline = setTimeout(() => live.socket.destroy(), this.#settings.timeoutMs);
    try {
      await ask(live, BEGIN[kind]);
      const result = await work((text, values) => ask(live, text, values));
      committing = kind === "write";
      await ask(live, "COMMIT");
      return result;
    } catch (error) {
      throw await this.#failure(live, error, committing);
    } finally {
      clearTimeout(deadline);
    }
  }

  /** Say good-bye to the server, for at most the time limit. */
  async close(): Promise<void> {
    const live = this.#live;
    this.#live = undefined;
    if (live === undefined) return;
    const deadline = setTimeout(() => live.socket.destroy(), this.#settings.timeoutMs);
    await live.client.end().catch(() => live.socket.destroy());
    clearTimeout(deadline);
  }

  async #failure(live: Live, error: unknown, committing: boolean): Promise<GliaError> {
    const { place, timeoutMs } = this.#settings;
    const late = live.socket.destroyed && !isServerError(error) && !isGliaError(error);
    const why = late ? `the connection ended, or ${timeoutMs} ms passed` : String(error);
    if (committing || !(await rolledBack(live))) this.#drop(live);
    if (committing) return new OutcomeUnknownError(place, why);
    if (isGliaError(error)) return error;
    return engineFailure(late ? new RangeError(why) : error, place);
  }

  async #connected(): Promise<Live> {
    if (this.#live !== undefined) return this.#live;
    const { place, timeoutMs } = this.#settings;
    const driver = await loadDriver(place);
    const socket = new Socket();
    const deadline = setTimeout(() => socket.destroy(), timeoutMs);
    const live: Live = { client: this.#client(driver, socket), socket };
    // Without a listener an error between two queries would end the process; the next query finds the connection gone.
    live.client.on("error", () => this.#drop(live));
    live.client.on("end", () => this.#drop(live));
    try {
      await live.client.connect();
      await prepare(live, place);
      this.#live = live;
      return live;
    } catch (error) {
      this.#drop(live);
      throw isGliaError(error) ? error : engineFailure(error, place);
    } finally {
      clearTimeout(deadline);
    }
  }

  /** C3: the server waits for a lock less long than this client waits for the server. */
  #client({ Client, types }: Driver, socket: Socket): Client {
    const { url, timeoutMs } = this.#settings;
    return new Client({
      connectionString: url,
      connectionTimeoutMillis: timeoutMs,
      lock_timeout: Math.ceil(timeoutMs / 2),
      statement_timeout: timeoutMs,
      idle_in_transaction_session_timeout: timeoutMs,
      application_name: "glia-store",
      stream: () => socket,
      types: {
        getTypeParser: (oid: number, format?: "text" | "binary") =>
          oid === INT8 ? Number : types.getTypeParser(oid, format as "text"),
      },
    });
  }

  #drop(live: Live): void {
    live.socket.destroy();
    if (this.#live === live) this.#live = undefined;
  }
}

/** C5. */
async function loadDriver(place: string): Promise<Driver> {
  try {
    return await import("pg");
  } catch {
    throw new EngineUnfitError(place, "the package pg is not installed beside @glia-os/store");
  }
}

async function ask({ client }: Live, text: string, values: readonly unknown[] = []): Promise<readonly Row[]> {
  return (await client.query(text, [...values])).rows as readonly Row[];
}

/** Whether the connection can be used on: the transaction that failed is rolled back. */
async function rolledBack(live: Live): Promise<boolean> {
  if (live.socket.destroyed) return false;
  try {
    await ask(live, "ROLLBACK");
    return !live.socket.destroyed;
  } catch {
    return false;
  }
}

/** C4. */
async function prepare(live: Live, place: string): Promise<void> {
  const [facts = {}] = await ask(live, FACTS);
  const faults = [
    facts["fsync"] === "off" && "it runs with fsync=off and loses commits with its machine's power",
    facts["pages"] === "off" && "it runs with full_page_writes=off and may tear pages",
    facts["encoding"] !== "UTF8" && `its database is encoded as ${facts["encoding"]}, not UTF8`,
    Number(facts["version"]) < OLDEST_SERVER && "it is older than PostgreSQL 13",
    facts["standby"] === true && "it is a standby, which takes no writes",
  ];
  const fault = faults.find((one) => one !== false);
  if (fault !== undefined) throw new EngineUnfitError(place, fault);
  if (facts["commit"] === "off") await ask(live, "SET synchronous_commit = on");
}
