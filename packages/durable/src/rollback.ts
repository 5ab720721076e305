/**
 * Going back: what a domain did after a record no longer counts.
 *
 * RB1. A rollback is one more record under a higher epoch. It is there or not; whoever had the domain is refused from then on.
 * RB2. Nothing is removed: what was discarded stays in the journal, before the rollback.
 * RB3. An effect that may happen once only is not forgotten unasked: without `force` nothing is changed and every one is named.
 */
import type { Journal } from "@glia-os/abi/ports";
import { SYSCALLS, syscallByNumber } from "@glia-os/abi/syscalls";
import { DomainUnknownError } from "./errors.ts";
import { type EffectInTheWay, EffectInTheWayError, NoRecordError } from "./history-errors.ts";
import {
  discardedOf,
  encodeRollback,
  isCall,
  isDiscarded,
  type LoggedRecord,
  loggedRecords,
} from "./logged-record.ts";
import { happensOnce } from "./once-calls.ts";
import { KIND } from "./record.ts";

/** How a domain goes back. */
export interface RollbackOptions {
  readonly domain: string;
  /** The last record that still counts; 2 is the beginning. */
  readonly to: number;
  /** Go back over effects that may have happened (RB3). */
  readonly force?: boolean;
}

/** What a rollback came to. */
export interface RolledBack {
  /** The number of the rollback's own record. */
  readonly seq: number;
  /** How many records no longer count. */
  readonly discarded: number;
  /** Effects it went back over. */
  readonly effects: readonly EffectInTheWay[];
}

const BEGINNINGS: readonly number[] = [KIND.spawn, KIND.checkpoint, KIND.upgraded];
/** Asking a person again harms nobody. */
const APPROVE = SYSCALLS.get("approve")?.number;

/** Go back to a record. O(records). @throws {DomainUnknownError} {NoRecordError} {EffectInTheWayError} */
export async function rollbackDomain(
  journal: Journal,
  { domain, to, force = false }: RollbackOptions,
): Promise<RolledBack> {
  const head = await journal.head(domain);
  if (head === undefined) throw new DomainUnknownError(domain);
  const before = await discardedOf(journal, domain);
  const forgotten = new Effects();
  let [begun, found, discarded] = [false, false, 0];
  for await (const logged of loggedRecords(journal, domain)) {
    if (isDiscarded(before, logged.seq)) continue;
    begun ||= BEGINNINGS.includes(logged.row.kind);
    found ||= begun && logged.seq === to;
    if (logged.seq <= to) continue;
    discarded += 1;
    if (isCall(logged)) forgotten.add(logged);
  }
  if (!found || to < 2) throw new NoRecordError(domain, to);
  const named = forgotten.named;
  if (named.length > 0 && !force) throw new EffectInTheWayError(domain, to, named);
  const { nextSeq: seq, epoch } = head;
  const body = encodeRollback(seq, to);
  await journal.append({ domain, epoch: epoch + 1, firstSeq: seq, count: 1, body });
  return { seq, discarded, effects: named };
}

/** Effects among records, each once, whether its beginning, its outcome or both are among them. */
class Effects {
  readonly named: EffectInTheWay[] = [];
  /** Tasks whose last effect has no outcome yet. */
  readonly #begun = new Set<string>();

  add({ seq, row: { kind, op, path } }: LoggedRecord): void {
    if (!happensOnce(op) || op === APPROVE) return;
    const task = ["/0", ...path].join("/");
    const known = kind === KIND.resume && this.#begun.delete(task);
    if (kind === KIND.intent) this.#begun.add(task);
    if (!known) this.named.push({ seq, task, call: syscallByNumber(op)?.name ?? `syscall ${op}` });
  }
}
