/**
 * Logs of this node and of others, on the mesh thread.
 *
 * LS1. What is asked is checked before anything is asked of another node.
 */
import { MalformedError } from "@glia-os/abi/errors";
import type { Mesh } from "@glia-os/mesh-core";
import { findMember } from "../member-name.ts";
import { decodeBody, encodeBody } from "../node-call.ts";
import { ENTRIES_MAX, type LogPage, type LogQuestion, WAIT_MAX_MS } from "./log-ring.ts";

/** What a node is asked. Body: a {@link LogQuestion}. Answer: a {@link LogPage} as JSON. */
export const LOGS_CALL = "node.logs";
/** How much longer than its wait an answer may take. */
const ANSWER_MS = 5000;
const LEVELS: readonly unknown[] = ["trace", "debug", "info", "warn", "error", undefined];

/** A part of {@link NodeApi}. */
export interface LogsApi {
  /**
   * The newest log lines and events of this node, or of another one by name or id. At most 2,000 are kept.
   * @throws `abi.malformed` for a question that makes no sense, `daemon.unknown-node`, `mesh.call-timeout`, `mesh.peer-unreachable`.
   */
  logs(question: LogQuestion & { readonly node?: string }): Promise<LogPage>;
}

/** The operations. */
export class LogsService implements LogsApi {
  readonly #mesh: Mesh;
  readonly #here: (question: LogQuestion) => Promise<LogPage>;

  constructor(mesh: Mesh, here: (question: LogQuestion) => Promise<LogPage>) {
    this.#mesh = mesh;
    this.#here = here;
    mesh.handle(LOGS_CALL, async (_caller, body) => encodeBody(await here(checked(decodeBody(body)))));
  }

  /** (LS1) */
  async logs({ node, ...asked }: LogQuestion & { readonly node?: string }): Promise<LogPage> {
    const question = checked(asked);
    const mesh = this.#mesh;
    const target = node === undefined ? mesh.self : findMember(mesh.members(), node).node;
    if (target === mesh.self) return this.#here(question);
    const timeoutMs = (question.waitMs ?? 0) + ANSWER_MS;
    return decodeBody(await mesh.call(target, LOGS_CALL, encodeBody(question), { timeoutMs })) as LogPage;
  }
}

/** A question with nothing else in it. @throws {MalformedError} */
function checked(value: unknown): LogQuestion {
  const { after, newest, level, waitMs } = (value ?? {}) as Record<keyof LogQuestion, unknown>;
  whole("after", after, Number.MAX_SAFE_INTEGER);
  whole("newest", newest, ENTRIES_MAX);
  whole("waitMs", waitMs, WAIT_MAX_MS);
  if (!LEVELS.includes(level)) throw new MalformedError("level", `${JSON.stringify(level)} is none`);
  const given = Object.entries({ after, newest, level, waitMs }).filter(([, each]) => each !== undefined);
  return Object.fromEntries(given) as LogQuestion;
}

function whole(name: string, value: unknown, most: number): void {
  if (value === undefined) return;
  if (!Number.isSafeInteger(value) || (value as number) < 0 || (value as number) > most)
    throw new MalformedError(name, `${JSON.stringify(value)} is no whole number from 0 to ${most}`);
}
