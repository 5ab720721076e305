/**
 * The accepted jobs of a node on its disk: a row per job in a store of keys (docs/spec/job-protocol.md, "On disk").
 *
 * JL1. A row is durable when `write` resolved. Rows are written by one node only; a version that is not the expected one is a defect of the
 *      store and refused.
 * JL2. A row of another format or that cannot be read is left where it is and reported; the others are taken.
 * JL3. A node that stops in order leaves a mark, which the next load takes away, durably, before it tells of it.
 */
import { existsSync } from "node:fs";
import type { ErrorRecord } from "@glia-os/abi/errors";
import type { KeyValue } from "@glia-os/abi/ports";
import { JobFailedError } from "./errors.ts";
import type { JobState } from "./job-views.ts";

/** A job as it is kept. */
export interface JobRow {
  readonly id: string;
  readonly key?: string;
  readonly entry: string;
  /** Left out once the job has ended. */
  readonly payload?: unknown;
  /** Of entry and payload. */
  readonly digest: string;
  readonly priority: number;
  readonly lineage: readonly string[];
  readonly traceparent?: string;
  readonly state: JobState;
  readonly attempt: number;
  readonly version: number;
  readonly acceptedMs: number;
  readonly endedMs?: number;
  readonly deadlineMs?: number;
  readonly result?: unknown;
  readonly error?: ErrorRecord;
}

/** What a ledger holds. */
export interface LoadedJobs {
  /** In the order of their ids. */
  readonly rows: readonly JobRow[];
  /** How many could not be read (JL2). */
  readonly unreadable: number;
  /** Whether the node before stopped in order (JL3). */
  readonly inOrder: boolean;
}

/** Keeps rows. */
export interface JobLedger {
  load(): Promise<LoadedJobs>;
  /** The node stops in order (JL3). */
  leave(): Promise<void>;
  write(row: JobRow): Promise<void>;
  remove(id: string): Promise<void>;
  close(): Promise<void>;
}

const FORMAT = 1;
const PREFIX = "job/";
/** The mark of JL3. */
const LEFT = "left";
const PAGE = 1000;
/** A payload or result of 1 MiB with everything around it. */
const ROW_BYTES = 3 * 1024 * 1024;

const NOTHING: LoadedJobs = { rows: [], unreadable: 0, inOrder: false };

/** A ledger in a SQLite file, opened when it is first needed: at once if the file exists. */
export function createSqliteLedger(path: string): JobLedger & { readonly exists: boolean } {
  const exists = existsSync(path);
  let opened: Promise<JobLedger> | undefined;
  const open = (): Promise<JobLedger> => {
    opened ??= import("@glia-os/store/key-value").then(async ({ openSqliteKeyValue }) =>
      createLedger(await openSqliteKeyValue({ path, limits: { valueBytes: ROW_BYTES } })),
    );
    return opened;
  };
  return {
    exists,
    load: async () => (exists || opened !== undefined ? (await open()).load() : NOTHING),
    leave: async () => (await opened)?.leave(),
    write: async (row) => (await open()).write(row),
    remove: async (id) => (await open()).remove(id),
    close: async () => (await opened?.catch(() => undefined))?.close(),
  };
}

/** A ledger over any store of keys. */
export function createLedger(store: KeyValue): JobLedger {
  const versions = new Map<string, number>();
  return {
    async load() {
      const inOrder = await takeMark(store);
      return { ...(await loadRows(store, versions)), inOrder };
    },
    async leave() {
      await store.put(LEFT, Buffer.from(JSON.stringify({ format: FORMAT })), 0);
    },
    async write(row) {
      const bytes = Buffer.from(JSON.stringify({ format: FORMAT, ...row }));
      const version = await store.put(`${PREFIX}${row.id}`, bytes, versions.get(row.id) ?? 0);
      if (version === undefined) throw new JobFailedError(row.id, "its row was changed by somebody else");
      versions.set(row.id, version);
    },
    async remove(id) {
      const version = versions.get(id);
      if (version !== undefined && (await store.delete(`${PREFIX}${id}`, version))) versions.delete(id);
    },
    close: () => store.close(),
  };
}

/** (JL3) A mark that cannot be taken away counts as none. */
async function takeMark(store: KeyValue): Promise<boolean> {
  try {
    const mark = await store.get(LEFT);
    return mark !== undefined && (await store.delete(LEFT, mark.version));
  } catch {
    return false;
  }
}

async function loadRows(
  store: KeyValue,
  versions: Map<string, number>,
): Promise<Omit<LoadedJobs, "inOrder">> {
  const rows: JobRow[] = [];
  let unreadable = 0;
  for (let after = ""; ; ) {
    const page = await store.list(PREFIX, after, PAGE);
    for (const { key } of page) {
      after = key;
      const row = await readRow(store, key, versions);
      if (row === undefined) unreadable++;
      else rows.push(row);
    }
    if (page.length < PAGE) return { rows, unreadable };
  }
}

/** (JL2) */
async function readRow(
  store: KeyValue,
  key: string,
  versions: Map<string, number>,
): Promise<JobRow | undefined> {
  try {
    const found = await store.get(key);
    if (found === undefined) return undefined;
    const { format, ...row } = JSON.parse(Buffer.from(found.value).toString("utf8")) as JobRow & {
      readonly format: number;
    };
    if (format !== FORMAT || `${PREFIX}${row.id}` !== key) return undefined;
    versions.set(row.id, found.version);
    return row;
  } catch {
    return undefined;
  }
}
