/**
 * An audit that grows: entries are chained and appended, and what the calls that follow need to know of them is kept.
 *
 * AL1. One process writes an audit at a time.
 * AL2. Kept is, per task, the number of its last call that was allowed, and per service of a domain how its last call went: not more than
 *      there are tasks and services.
 */
import {
  type AppendFile,
  type AuditEvent,
  type AuditHead,
  auditEntries,
  bytesOf,
  encodeEntry,
} from "./audit.ts";
import type { Sha256 } from "./derived-random.ts";
import { AuditUnwritableError } from "./oversight-errors.ts";

/** A chain and what follows from it. */
export class AuditLog {
  readonly #file: AppendFile;
  readonly #digests: Sha256;
  #head: AuditHead;
  /** By `DOMAIN:PATH`: the last call that was allowed. */
  readonly #allowed = new Map<string, CallNumber>();
  /** By domain, services whose last call failed. */
  readonly #failing = new Map<string, Set<string>>();

  private constructor(file: AppendFile, digests: Sha256, head: AuditHead) {
    this.#file = file;
    this.#digests = digests;
    this.#head = head;
  }

  /** Read an audit through and go on with it. O(entries). @throws {AuditBrokenError} and what the file throws */
  static async open(file: AppendFile, digests: Sha256): Promise<AuditLog> {
    const entries = auditEntries(await file.read(), digests);
    const seen: AuditEvent[] = [];
    let next = entries.next();
    for (; next.done !== true; next = entries.next()) seen.push(next.value);
    const log = new AuditLog(file, digests, next.value);
    for (const event of seen) log.#note(event);
    return log;
  }

  /** Where the chain stands. */
  get head(): AuditHead {
    return this.#head;
  }

  /** Add an entry; resolves when it is durable. @throws {AuditUnwritableError} */
  async append(event: AuditEvent): Promise<void> {
    const { line, head } = encodeEntry(this.#head, event, this.#digests);
    this.#head = head;
    this.#note(event);
    try {
      await this.#file.append(bytesOf(`${line}\n`));
    } catch (error) {
      throw new AuditUnwritableError(error);
    }
  }

  /** Whether a call was allowed before: then its effect may have begun. */
  wasAllowed(key: string): boolean {
    const [task, call] = callOf(key);
    const last = this.#allowed.get(task);
    if (last === undefined || last.generation !== call.generation)
      return last !== undefined && last.generation > call.generation;
    return last.number >= call.number;
  }

  /** Whether the last call of a service by a domain failed. */
  isFailing(domain: string, service: string): boolean {
    return this.#failing.get(domain)?.has(service) ?? false;
  }

  #note({ action, domain, key, service = "" }: AuditEvent): void {
    if (action === "allowed" && key !== undefined) {
      const [task, call] = callOf(key);
      this.#allowed.set(task, call);
    } else if (action === "failed") {
      const failing = this.#failing.get(domain) ?? new Set();
      this.#failing.set(domain, failing.add(service));
    } else if (action === "ended" || action === "approved") this.#failing.get(domain)?.delete(service);
    else if (action === "rollback") this.#forget(domain);
  }

  /** The calls of a domain that went back begin anew. */
  #forget(domain: string): void {
    this.#failing.delete(domain);
    for (const task of this.#allowed.keys())
      if (task.slice(0, task.lastIndexOf(":")) === domain) this.#allowed.delete(task);
  }
}

/** Which call of its task: after a checkpoint tasks count from 1 again, in the next generation. */
interface CallNumber {
  readonly generation: number;
  readonly number: number;
}

/** The task and the number of a key: `DOMAIN:PATH#NUMBER`, after checkpoints `DOMAIN:PATH#GENERATION.NUMBER`. */
function callOf(key: string): readonly [task: string, call: CallNumber] {
  const at = key.lastIndexOf("#");
  const [number = "", generation = "0"] = key
    .slice(at + 1)
    .split(".")
    .reverse();
  return [key.slice(0, at), { generation: Number(generation), number: Number(number) }];
}
