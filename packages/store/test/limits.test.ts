import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { COORDINATION_DATABASE } from "../src/coordination-schema.ts";
import {
  DEFAULT_LIMITS,
  limitsOf,
  NAME_LIMIT_BYTES,
  REQUEST_ID_LIMIT,
  TTL_MAX_MS,
  TTL_MIN_MS,
} from "../src/limits.ts";
import { DEFAULT_MAX_BYTES } from "../src/sqlite-file.ts";
import { DEFAULT_QUEUE_LIMIT } from "../src/worker-link.ts";

const spec = readFileSync(new URL("../../../docs/spec/coordination.md", import.meta.url), "utf8");

it("the specification states the limits the code has", () => {
  const grouped = (value: number): string => value.toLocaleString("en-US");
  const row = (what: string): string => spec.split("\n").find((line) => line.startsWith(`| ${what}`)) ?? "";
  expect(row("agents not terminated")).toContain(grouped(DEFAULT_LIMITS.liveAgents));
  expect(row("agent rows")).toContain(grouped(DEFAULT_LIMITS.agentRows));
  expect(row("nodes with a session")).toContain(grouped(DEFAULT_LIMITS.sessions));
  expect(row("remembered outcomes")).toContain(grouped(DEFAULT_LIMITS.requests));
  expect(row("kept changes")).toContain(grouped(DEFAULT_LIMITS.changes));
  expect(row("requests waiting")).toContain(grouped(DEFAULT_QUEUE_LIMIT));
  expect(row("size of the SQLite file")).toContain(`${DEFAULT_MAX_BYTES / 2 ** 30} GiB`);
  expect(row("`ttlMs`")).toContain(`${grouped(TTL_MIN_MS)} to ${grouped(TTL_MAX_MS)}`);
  expect(row("`name`")).toContain(`1 to ${NAME_LIMIT_BYTES} bytes`);
  expect(spec).toContain(`1 to ${REQUEST_ID_LIMIT} characters of printable ASCII`);
  expect(spec).toContain(`schema version, ${COORDINATION_DATABASE.version}.`);
});

it("limits that are left out are the default ones", () => {
  expect(limitsOf({ sessions: 5 })).toEqual({ ...DEFAULT_LIMITS, sessions: 5 });
});
