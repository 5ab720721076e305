/**
 * Transactions of etcd as this package writes them, and their JSON (https://etcd.io/docs/v3.4/learning/api/). Keys and values are text.
 */

/** A condition: what was last written at a key was written by this revision of the cluster; 0 when nothing may be there. */
export interface Compare {
  readonly key: string;
  readonly modRevision: number;
}

/** Keys from `key` on, up to the first that is not before `end`; just `key` when there is no end. */
interface Keys {
  readonly key: string;
  readonly end?: string;
}

/** What a transaction does. */
export type Operation =
  | ({
      readonly op: "range";
      /** The most rows. */
      readonly limit?: number;
      /** What the range held at an earlier revision. */
      readonly revision?: number;
    } & Keys)
  | { readonly op: "put"; readonly key: string; readonly value: string }
  | ({ readonly op: "delete" } & Keys);

/** `success` when all conditions hold, else `failure`. */
export interface Txn {
  readonly compare: readonly Compare[];
  readonly success: readonly Operation[];
  readonly failure?: readonly Operation[];
}

/** A key with its value. */
export interface Row {
  readonly key: string;
  readonly value: string;
  readonly modRevision: number;
}

/** The answer to one operation. */
export interface OperationAnswer {
  /** Of a range. */
  readonly rows: readonly Row[];
  /** Whether the range held more than its limit. */
  readonly more: boolean;
}

/** The answer to a transaction. */
export interface TxnAnswer {
  readonly header: { readonly cluster: string; readonly revision: number };
  /** Whether the conditions held. */
  readonly succeeded: boolean;
  readonly answers: readonly OperationAnswer[];
}

const coded = (text: string): string => Buffer.from(text).toString("base64");
const plain = (code: unknown): string => Buffer.from(String(code ?? ""), "base64").toString("utf8");

/** The first key that does not start with `prefix`, which ends with an ASCII character below DEL. */
export function endOf(prefix: string): string {
  return prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);
}

/** The body of a request for a transaction. */
export function txnBody({ compare, success, failure = [] }: Txn): string {
  return JSON.stringify({
    compare: compare.map(({ key, modRevision }) => ({
      key: coded(key),
      target: "MOD",
      result: "EQUAL",
      mod_revision: String(modRevision),
    })),
    success: success.map(operationBody),
    failure: failure.map(operationBody),
  });
}

function operationBody(operation: Operation): object {
  const key = coded(operation.key);
  if (operation.op === "put") return { request_put: { key, value: coded(operation.value) } };
  const keys = operation.end === undefined ? { key } : { key, range_end: coded(operation.end) };
  if (operation.op === "delete") return { request_delete_range: keys };
  const { limit, revision } = operation;
  return {
    request_range: {
      ...keys,
      ...(limit === undefined ? {} : { limit: String(limit) }),
      ...(revision === undefined ? {} : { revision: String(revision) }),
    },
  };
}

/** What the gateway answered; `undefined` when it is no answer of a transaction. */
export function txnAnswer(body: Readonly<Record<string, unknown>>): TxnAnswer | undefined {
  const header = body["header"] as { cluster_id?: unknown; revision?: unknown } | undefined;
  const revision = Number(header?.revision);
  if (typeof header?.cluster_id !== "string" || !Number.isSafeInteger(revision)) return undefined;
  const responses = Array.isArray(body["responses"]) ? (body["responses"] as readonly object[]) : [];
  return {
    header: { cluster: header.cluster_id, revision },
    succeeded: body["succeeded"] === true,
    answers: responses.map(operationAnswer),
  };
}

function operationAnswer(response: object): OperationAnswer {
  const { kvs = [], more = false } =
    (response as { response_range?: { kvs?: object[]; more?: boolean } }).response_range ?? {};
  const rows = (kvs as readonly Readonly<Record<string, unknown>>[]).map((kv) => ({
    key: plain(kv["key"]),
    value: plain(kv["value"]),
    modRevision: Number(kv["mod_revision"]),
  }));
  return { rows, more };
}
