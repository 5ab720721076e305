/**
 * The transactions of an etcd cluster over the JSON gateway that every member serves beside gRPC
 * (https://etcd.io/docs/v3.4/dev-guide/api_grpc_gateway/).
 *
 * C1. A call ends when its signal does, whatever the server does: then the socket is destroyed.
 * C2. A call that would change something and was sent without an answer has an unknown outcome, and says so; any other failure changed
 *     nothing.
 * C3. A client speaks to one cluster. An answer of another one, or one that knows fewer revisions than an earlier answer, is refused: the
 *     cluster was replaced or restored from a backup, and epochs could repeat.
 * C4. An answer is at most {@link ANSWER_BYTES}.
 */
import { Agent, type IncomingMessage, request as requestHttp } from "node:http";
import { request as requestHttps, Agent as SecureAgent } from "node:https";
import { EngineUnfitError, EngineUnreachableError, OutcomeUnknownError } from "../engine/errors.ts";
import { etcdFailure } from "./etcd-failure.ts";
import type { EtcdSettings } from "./place.ts";
import type { Operation, Txn, TxnAnswer } from "./txn.ts";
import { txnAnswer, txnBody } from "./txn.ts";

/** The largest answer that is read. */
export const ANSWER_BYTES: number = 32 * 2 ** 20;

const OK = 200;
/** Failures that happen before anything was sent. */
const NEVER_SENT: ReadonlySet<unknown> = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
]);

interface Raw {
  readonly status: number;
  readonly text: string;
}

/** A client of one cluster. Calls are made one after the other. */
export class EtcdGateway {
  readonly #settings: EtcdSettings;
  readonly #agents: { readonly "http:": Agent; readonly "https:": SecureAgent };
  /** The endpoint in use; another one after a failure. */
  #at = 0;
  #cluster: string | undefined;
  #revision = 0;

  constructor(settings: EtcdSettings) {
    this.#settings = settings;
    const kept = { keepAlive: true, maxSockets: 4 } as const;
    this.#agents = { "http:": new Agent(kept), "https:": new SecureAgent({ ...kept, ...settings.tls }) };
  }

  /** One transaction. @throws the refusals of C1 to C4. */
  async txn(txn: Txn, signal: AbortSignal): Promise<TxnAnswer> {
    const changes = [...txn.success, ...(txn.failure ?? [])].some(({ op }) => op !== "range");
    const answer = await this.#call(txnBody(txn), changes, signal);
    const { header } = answer;
    this.#judge(header.cluster, header.revision);
    return answer;
  }

  /** Operations that only read, at one revision. */
  async read(operations: readonly Operation[], signal: AbortSignal): Promise<TxnAnswer> {
    return this.txn({ compare: [], success: operations }, signal);
  }

  /** Let go of the connections. */
  close(): void {
    this.#agents["http:"].destroy();
    this.#agents["https:"].destroy();
  }

  /** Ask the members in turn, as long as nothing was sent that could have changed something (C2). */
  async #call(body: string, committing: boolean, signal: AbortSignal): Promise<TxnAnswer> {
    const { endpoints, place } = this.#settings;
    let why = "";
    for (let tried = 0; tried < endpoints.length; tried++) {
      let raw: Raw;
      try {
        raw = await this.#post(endpoints[this.#at] as URL, body, signal);
      } catch (error) {
        this.#at = (this.#at + 1) % endpoints.length;
        why = signal.aborted ? `${this.#settings.timeoutMs} ms passed` : String((error as Error).message);
        const sent = !NEVER_SENT.has((error as NodeJS.ErrnoException).code);
        if (committing && sent) throw new OutcomeUnknownError(place, why);
        if (signal.aborted) break;
        continue;
      }
      return this.#understood(raw, committing);
    }
    throw new EngineUnreachableError(place, why);
  }

  #understood({ status, text }: Raw, committing: boolean): TxnAnswer {
    const { place } = this.#settings;
    const parsed = parsedObject(text);
    if (status !== OK || parsed === undefined) {
      this.#at = (this.#at + 1) % this.#settings.endpoints.length;
      const code = typeof parsed?.["code"] === "number" ? parsed["code"] : undefined;
      const message = typeof parsed?.["error"] === "string" ? parsed["error"] : "";
      throw etcdFailure({ status, code, message }, place, committing);
    }
    const answer = txnAnswer(parsed);
    if (answer === undefined) throw new EngineUnfitError(place, "its answer is none of etcd's");
    return answer;
  }

  /** C3. */
  #judge(cluster: string, revision: number): void {
    const { place } = this.#settings;
    this.#cluster ??= cluster;
    if (cluster !== this.#cluster) throw new EngineUnfitError(place, "it is another cluster than before");
    if (revision < this.#revision)
      throw new EngineUnfitError(
        place,
        `it is at revision ${revision} and was at ${this.#revision}: it lost changes`,
      );
    this.#revision = revision;
  }

  #post(endpoint: URL, body: string, signal: AbortSignal): Promise<Raw> {
    const secure = endpoint.protocol === "https:";
    const options = {
      method: "POST",
      path: "/v3/kv/txn",
      hostname: endpoint.hostname.replace(/^\[|\]$/g, ""),
      port: endpoint.port === "" ? (secure ? 443 : 80) : Number(endpoint.port),
      headers: { "content-type": "application/json", "content-length": Buffer.byteLength(body) },
      signal,
    };
    return new Promise((resolve, reject) => {
      const asked = secure
        ? requestHttps({ ...options, agent: this.#agents["https:"] })
        : requestHttp({ ...options, agent: this.#agents["http:"] });
      asked.once("error", reject);
      asked.once("response", (response) => bodyOf(response).then(resolve, reject));
      asked.end(body);
    });
  }
}

/** C4. */
async function bodyOf(response: IncomingMessage): Promise<Raw> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of response as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > ANSWER_BYTES) throw new RangeError(`its answer has more than ${ANSWER_BYTES} bytes`);
    parts.push(part);
  }
  return { status: response.statusCode ?? 0, text: Buffer.concat(parts).toString("utf8") };
}

function parsedObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
