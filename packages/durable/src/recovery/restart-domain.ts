/**
 * Restarting a failed domain: one batch of records says how it goes on, before anything follows from it.
 *
 * RS1. A restart is there whole or not at all, under an epoch of its own: whoever had the domain is refused from then on.
 * RS2. Nothing is removed. What no longer counts stays in the journal before the restart, up to the next checkpoint.
 * RS3. A call is made again only when its service says that it may be; its key stays the same.
 * RS4. What the records cost that no longer count stays spent.
 */
import type { ErrorRecord } from "@glia-os/abi/errors";
import type { Journal } from "@glia-os/abi/ports";
import type { RestartChoice } from "@glia-os/kernel/supervision";
import type { AskedCall } from "../domain-run.ts";
import { keyOf } from "../durable-call.ts";
import { DomainUnknownError } from "../errors.ts";
import { joined } from "../joined.ts";
import type { LargeValues } from "../large-values.ts";
import { type DurableRecord, encodeRecord, KIND, type Renewal, type Spent } from "../record.ts";
import type { Replay } from "../replay.ts";
import { endOf, failureOf, type JournalEnd } from "./failed-domain.ts";
import { NotFailedError, NotReplaceableError } from "./recovery-errors.ts";
import { shortened, timesInARow } from "./recovery-plan.ts";
import type { FailurePlace, RestartFacts } from "./restart-facts.ts";

/** What a restart needs of its surroundings. */
export interface RestartWorld {
  readonly journal: Journal;
  /** The time outside, in whole milliseconds since the Unix epoch. */
  nowMs(): number;
  /** The version of a program that is offered; "" for none. */
  versionOf(program: string): string;
  /** Replay the records of a domain below a number. */
  replayTo(domain: string, until: number): Promise<Replay>;
  valuesOf(domain: string): LargeValues | undefined;
  /** Whether a call that failed may be made again (RS3). */
  mayTryAgain(call: AskedCall): boolean;
  /** Why a result cannot stand in for what a call came to; undefined when it can. */
  refusalOf(call: AskedCall, result: unknown): string | undefined;
}

/** A domain that ended, with what a restart has to know. */
export interface EndedDomain {
  readonly name: string;
  readonly program: string;
  readonly version: string;
  readonly generation: number;
  readonly end: JournalEnd;
  readonly at: FailurePlace;
  /** What it failed with; undefined when it ended as it should or was asked to. */
  readonly error: ErrorRecord | undefined;
  /** How many times in a row. */
  readonly times: number;
  /** The call after whose outcome it failed, in the run that stands before that outcome. */
  readonly call: AskedCall | undefined;
  /** Whether that call failed and may be made again. */
  readonly mayTryAgain: boolean;
  readonly replay: Replay;
}

/** Look at a domain that ended. O(records). @throws {DomainUnknownError} {NotFailedError} and what a replay throws */
export async function endedDomain(world: RestartWorld, name: string): Promise<EndedDomain> {
  if ((await world.journal.head(name)) === undefined) throw new DomainUnknownError(name);
  const end = await endOf(world.journal, name);
  if (end === undefined) throw new NotFailedError(name, "has not ended");
  const { cause } = end;
  const replay = await world.replayTo(name, cause.path === undefined ? end.seq : cause.seq);
  const call = cause.path === undefined ? undefined : replay.run.callAt(cause.path);
  const { program = "", generation = 0 } = replay.beginning ?? {};
  const version = world.versionOf(program);
  const at = placeOf(name, cause, call);
  const error = failureOf(end.outcome);
  const times = error === undefined ? 0 : timesInARow({ at, error, version, generation }, end.last);
  const mayTryAgain = call !== undefined && cause.failed && world.mayTryAgain(call);
  return { name, program, version, generation, end, at, error, times, call, mayTryAgain, replay };
}

function placeOf(
  domain: string,
  { seq, name }: JournalEnd["cause"],
  asked: AskedCall | undefined,
): FailurePlace {
  if (asked === undefined) return { name, seq };
  const { op, service, call } = asked;
  const { path, number } = call;
  return { name: `${path}#${number}`, seq, call: { task: path, op, service, key: keyOf(domain, asked) } };
}

/** What a restart is counted with, and why it is none. */
export interface Counting {
  /** Times of the restarts of the period before this one. */
  readonly recent: readonly number[];
  /** Who asks for it; "" for the domain's own policy. */
  readonly by: string;
  /** Why the domain does not go on. */
  readonly refusal?: ErrorRecord | undefined;
}

/** A restart that can be recorded: resolves when it is. */
export type PreparedRestart = () => Promise<void>;

/** Prepare a restart; nothing is recorded yet. @throws {NotReplaceableError} {NotRecordableError} and what a replay throws */
export async function preparedRestart(
  world: RestartWorld,
  domain: EndedDomain,
  choice: RestartChoice,
  counting: Counting,
): Promise<PreparedRestart> {
  const { name } = domain;
  const head = await world.journal.head(name);
  if (head === undefined) throw new DomainUnknownError(name);
  const { nextSeq: firstSeq, epoch } = head;
  const values = world.valuesOf(name);
  const facts = await factsFor(world, domain, choice, counting);
  const records: DurableRecord[] = [{ kind: KIND.restart, facts }];
  if (choice.choice === "replace") records.push(replacement(world, domain, choice.result));
  const encoded = records.map((record, i) => encodeRecord(firstSeq + i, record, values));
  const count = encoded.length;
  const body = joined(encoded);
  return async () => {
    await values?.takePuts();
    await world.journal.append({ domain: name, epoch: epoch + 1, firstSeq, count, body });
  };
}

async function factsFor(
  world: RestartWorld,
  domain: EndedDomain,
  choice: RestartChoice,
  { recent, by, refusal }: Counting,
): Promise<RestartFacts> {
  const { end, at, times, version } = domain;
  const { code = "", message = "", retryable = false } = domain.error ?? {};
  const nowMs = world.nowMs();
  const common = {
    choice: choice.choice,
    at,
    error: { code, message: shortened(message), retryable },
    times,
    version,
    nowMs,
    recent: choice.choice === "escalate" ? recent : [...recent, nowMs],
    refusal,
    by,
  };
  if (choice.choice === "escalate")
    return { ...common, to: end.seq, generation: domain.generation, cost: NO_COST };
  if (choice.choice === "fresh") {
    const renewal = await beginningAnew(world, domain, choice);
    return { ...common, to: 0, generation: renewal.beginning.generation ?? 0, cost: NO_COST, renewal };
  }
  const generation = domain.generation;
  const goesBack = choice.choice === "replace" || domain.mayTryAgain;
  if (!goesBack) return { ...common, to: end.lastSeq, generation, cost: NO_COST };
  return { ...common, to: at.seq - 1, generation, cost: await costBetween(world, domain) };
}

const NO_COST: Spent = [0, 0, 0, 0, 0];

/** The domain as it stood when it ended, with its first task to begin once more. */
async function beginningAnew(
  world: RestartWorld,
  { name, end, call, replay }: EndedDomain,
  choice: RestartChoice & { choice: "fresh" },
): Promise<Renewal> {
  const ended = call === undefined ? replay : await world.replayTo(name, end.seq);
  const input = Object.hasOwn(choice, "input") ? choice.input : ended.beginning?.input;
  return ended.run.anew(input);
}

/** What the domain spent after the record before the failing outcome. */
async function costBetween(world: RestartWorld, { name, end, replay }: EndedDomain): Promise<Spent> {
  const before = replay.run.account.spent;
  const { spent, reserved } = (await world.replayTo(name, end.seq)).run.account;
  const cost = (kind: keyof typeof spent): number => Math.max(0, spent[kind] + reserved[kind] - before[kind]);
  return [cost("calls"), cost("tokens"), cost("money"), cost("ms"), cost("fuel")];
}

/** The outcome that stands in for the failing one. @throws {NotReplaceableError} */
function replacement(world: RestartWorld, { name, at, call }: EndedDomain, value: unknown): DurableRecord {
  if (call === undefined) throw new NotReplaceableError(name, at, "no call came to an outcome there");
  const refusal = world.refusalOf(call, value);
  if (refusal !== undefined) throw new NotReplaceableError(name, at, refusal);
  const { path, op, argsHash } = call;
  return { kind: KIND.resume, path, op, argsHash, outcome: { failed: false, value } };
}
