/**
 * The tables of a store in a schema, made once.
 *
 * S1. Several clients may open an empty schema at the same time: one makes the tables, the others find them.
 * S2. Tables of a later version are refused before anything is read from them.
 * S3. A user without the right to make tables can use those that are there.
 * S4. Tables of an earlier version are brought up by one client, in the transaction that says so.
 */
import { SchemaNewerError } from "../errors.ts";
import type { Ask } from "./connection.ts";

/** A kind of store. */
export interface TablesKind {
  readonly kind: "coordination" | "journal";
  readonly version: number;
  /** Makes the tables in a schema given as it stands in SQL. One statement each. */
  readonly tables: (schema: string) => readonly string[];
  /** What makes the tables of each earlier version into those of the next. */
  readonly upgrades?: Readonly<Record<number, (schema: string) => readonly string[]>>;
}

/** Serialises clients that make tables: "GLIA" in ASCII. */
const ADVISORY_LOCK = 0x474c4941;

/** Find or make the tables, in a transaction. @throws `store.schema-newer`. */
export async function openTables(ask: Ask, schema: string, place: string, kind: TablesKind): Promise<void> {
  const known = await versionOf(ask, schema, kind);
  if (known !== undefined) refuseLater(known, place, kind);
  if (known === kind.version) return;
  await ask("SELECT pg_advisory_xact_lock($1)", [ADVISORY_LOCK]);
  await ask(`CREATE SCHEMA IF NOT EXISTS ${schema}`);
  await ask(`CREATE TABLE IF NOT EXISTS ${schema}.store (kind text PRIMARY KEY, version int NOT NULL)`);
  const made = await versionOf(ask, schema, kind);
  if (made !== undefined) return upgrade(ask, schema, made, place, kind);
  for (const statement of kind.tables(schema)) await ask(statement);
  await ask(`INSERT INTO ${schema}.store VALUES ($1, $2)`, [kind.kind, kind.version]);
}

async function upgrade(
  ask: Ask,
  schema: string,
  found: number,
  place: string,
  kind: TablesKind,
): Promise<void> {
  refuseLater(found, place, kind);
  for (let version = found; version < kind.version; version++)
    for (const statement of kind.upgrades?.[version]?.(schema) ?? []) await ask(statement);
  if (found < kind.version)
    await ask(`UPDATE ${schema}.store SET version = $1 WHERE kind = $2`, [kind.version, kind.kind]);
}

async function versionOf(ask: Ask, schema: string, { kind }: TablesKind): Promise<number | undefined> {
  const [found] = await ask("SELECT to_regclass($1) IS NOT NULL AS there", [`${schema}.store`]);
  if (found?.["there"] !== true) return undefined;
  const [row] = await ask(`SELECT version FROM ${schema}.store WHERE kind = $1`, [kind]);
  return row === undefined ? undefined : Number(row["version"]);
}

function refuseLater(found: number, place: string, { version }: TablesKind): void {
  if (found > version) throw new SchemaNewerError(place, found, version);
}
