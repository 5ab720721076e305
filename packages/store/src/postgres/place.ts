/** Where a store on PostgreSQL is, as callers say it. */
import { MalformedError } from "@glia-os/abi/errors";
import { checkWhole } from "../limit-range.ts";
import { DEFAULT_QUEUE_LIMIT, QUEUE_LIMIT_MOST } from "../worker-link.ts";
import type { ConnectionSettings } from "./connection.ts";

/** Options of every store on PostgreSQL. */
export interface PostgresPlace {
  /** `postgresql://user:password@host:port/database`; everything after `?` is as the package `pg` reads it, such as `sslmode`. */
  readonly url: string;
  /** The schema the tables are in; made when it is missing. A lower-case name of at most 63 letters, digits and `_`. Default `glia`. */
  readonly schema?: string;
  /** The longest a connection or a transaction may take, 100 to 60,000 ms. Default 5,000. */
  readonly timeoutMs?: number;
  /** Requests that may wait at once, 1 to 65,536. Default 4,096. */
  readonly queueLimit?: number;
}

/** The options, checked. */
export interface PostgresSettings extends ConnectionSettings {
  /** Quoted for SQL. */
  readonly schema: string;
  readonly queueLimit: number;
}

const SCHEMA = /^[a-z_][a-z0-9_]{0,62}$/;

/** Check the options. @throws `abi.malformed`, without the password. */
export function postgresSettings(given: PostgresPlace): PostgresSettings {
  const { url, schema = "glia", timeoutMs = 5_000, queueLimit = DEFAULT_QUEUE_LIMIT } = given;
  if (typeof schema !== "string" || !SCHEMA.test(schema) || schema.startsWith("pg_"))
    throw new MalformedError("schema", "it is no lower-case name of at most 63 letters, digits and _");
  checkWhole("timeoutMs", timeoutMs, 100, 60_000);
  checkWhole("queueLimit", queueLimit, 1, QUEUE_LIMIT_MOST);
  return { url, place: placeOf(url, schema), schema: `"${schema}"`, timeoutMs, queueLimit };
}

/** Names the server without its password. */
function placeOf(url: string, schema: string): string {
  const parsed = typeof url === "string" && URL.canParse(url) ? new URL(url) : undefined;
  if (
    parsed === undefined ||
    !["postgresql:", "postgres:"].includes(parsed.protocol) ||
    parsed.hostname === ""
  )
    throw new MalformedError("url", "it is not postgresql://user:password@host:port/database");
  return `postgresql://${parsed.host}${parsed.pathname} schema ${schema}`;
}
