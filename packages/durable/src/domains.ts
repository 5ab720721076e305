/**
 * Durable domains of one process on one journal: programs that survive it.
 *
 * DS1. A name is one domain for ever: it is started once, recovered after its process ended, and remembered when it ended itself.
 * DS2. A recovered domain writes under an epoch of its own, so that whoever had it before is refused.
 */

import { MalformedError } from "@glia-os/abi/errors";
import type {
  Blobs,
  Clock,
  DomainHead,
  Journal,
  Logger,
  Meter,
  Random,
  SegmentInfo,
  Timers,
} from "@glia-os/abi/ports";
import type { RestartAnswer } from "@glia-os/kernel/supervision";
import type { AmbientGuard } from "./ambient-guard.ts";
import type { Exchanging, NewCode } from "./code-exchange.ts";
import { collectValues } from "./collect-values.ts";
import type { Sha256 } from "./derived-random.ts";
import { Domain } from "./domain.ts";
import { DomainRun } from "./domain-run.ts";
import type { DomainSetup } from "./domain-setup.ts";
import { keyOf } from "./durable-call.ts";
import type { DurableDomain } from "./durable-domain.ts";
import {
  DivergedError,
  DomainEndedError,
  DomainExistsError,
  DomainMovedError,
  DomainUnknownError,
  OutcomeUnknownError,
  ProgramUnknownError,
} from "./errors.ts";
import { portionsOf } from "./head-portions.ts";
import { LargeValues } from "./large-values.ts";
import type { MakeLedger } from "./ledger.ts";
import { type LiveReplayOptions, replayLive } from "./live-replay.ts";
import { LogGate } from "./log-gate.ts";
import { type Delivery, faultOf, type Receipt } from "./mailbox-delivery.ts";
import type { PostOffice } from "./mailbox-post.ts";
import { releaseDomain } from "./moved-domain.ts";
import { OfferedServices } from "./offered-services.ts";
import { feedOn, feedRest, loadBefore, type PreparedReplay } from "./prepared-replay.ts";
import { checkProgram, type DurableProgram, type DurableService } from "./program.ts";
import { type Beginning, type DurableRecord, encodeRecord, KIND, reread } from "./record.ts";
import { Recovery, type RestartEvent } from "./recovery/recovery.ts";
import { NotFailedError } from "./recovery/recovery-errors.ts";
import { recoveryPlanOf } from "./recovery/recovery-plan.ts";
import type { RecoveryReport } from "./recovery-report.ts";
import { Replay } from "./replay.ts";
import { Secrets, type SecretValue } from "./secrets.ts";

/** What durable domains are made with. */
export interface DomainsOptions {
  readonly journal: Journal;
  /** Where values of more than 64 KiB are kept, for these domains alone. Without it a value takes at most 1 MiB. */
  readonly blobs?: Blobs;
  /**
   * Bytes of a domain's journal from which on a checkpoint removes what is before it: 0 or more, `Infinity` keeps everything. Default 1 MiB.
   */
  readonly historyBytes?: number;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly digests: Sha256;
  /** Where the seed of each new domain comes from. */
  readonly random: Random;
  /** Every program a domain may be started or recovered with. */
  readonly programs: readonly DurableProgram[];
  /** What programs use, by the names they use. */
  readonly services?: Readonly<Record<string, DurableService>>;
  /** Values that programs use by handles (`secret`), and that no journal holds. */
  readonly secrets?: Readonly<Record<string, SecretValue>>;
  /**
   * Strict mode: refuses time, randomness, timers and network besides syscalls while tasks run, with the place in the source
   * (`durable.ambient-use`). For development and tests: it costs some microseconds a turn. `createAmbientGuard` of `@glia-os/hal` is one.
   */
  readonly guard?: AmbientGuard;
  /** Carries messages to these domains; offer its `service` as `mail` to let them send some. */
  readonly post?: PostOffice;
  /** Makes the facts that are kept beside each domain and travel in its checkpoints. */
  readonly ledger?: MakeLedger;
  /** Gets what tasks log, except what they log again while they are replayed. */
  readonly logger?: Logger;
  /** Hears at once of every syscall that was refused to a task of a domain, except of those that are repeated in a replay. Must not throw. */
  readonly onRefused?: (domain: string, path: string, op: number) => void;
  /** Hears what was decided about a failure, before it is recorded; what it throws keeps the domain as it is. */
  readonly onRestart?: (event: RestartEvent) => Promise<void> | void;
  /** Counts restarts (docs/spec/metrics.md). */
  readonly meter?: Meter;
}

const [LISTED_AT_ONCE, SEED_BYTES, HISTORY_BYTES] = [10_000, 16, 1_048_576] as const;

/** The durable domains of this process. */
export class Domains {
  readonly #options: DomainsOptions;
  /** Those that domains go on with now. */
  readonly #programs: Map<string, DurableProgram>;
  readonly #services: OfferedServices;
  readonly #setup: DomainSetup;
  readonly #recovery: Recovery;
  readonly #domains = new Map<string, Domain>();
  /** Names whose start is under way. */
  readonly #starting = new Set<string>();
  readonly #prepared = new Map<string, PreparedReplay>();

  constructor(options: DomainsOptions) {
    for (const program of options.programs) checkProgram(program);
    this.#options = options;
    this.#programs = new Map(options.programs.map((program) => [program.name, program]));
    this.#services = new OfferedServices(options.services);
    const { clock, journal, timers, historyBytes = HISTORY_BYTES } = options;
    const [startWall, startMonotonic] = [clock.wallMs(), clock.monotonicMs()];
    this.#setup = {
      journal,
      secrets: new Secrets(options.secrets ?? {}),
      historyBytes,
      timers,
      // A wall clock that is set back does not make timers late: within a process the monotonic clock counts.
      nowMs: () => Math.floor(startWall + clock.monotonicMs() - startMonotonic),
      serviceOf: (name) => this.#services.get(name),
    };
    this.#recovery = this.#recoveryOf(options);
    options.post?.attach(this);
  }

  /**
   * Start a program under a name; resolves when the start is durable. @throws {DomainExistsError} {ProgramUnknownError}
   * {NotRecordableError} for the input, what `run` throws, and what the journal refuses
   */
  async start<Input>(name: string, program: DurableProgram<Input>, input: Input): Promise<DurableDomain> {
    this.#checkKnown(name, program as DurableProgram);
    if (this.#domains.has(name) || this.#starting.has(name)) throw new DomainExistsError(name);
    this.#starting.add(name);
    try {
      if ((await this.#options.journal.head(name)) !== undefined) throw new DomainExistsError(name);
      // From here to the flush nothing is awaited: a collector of blobs sees either nothing of this domain or its record.
      const values = this.#valuesOf(name);
      const begun = this.#beginning(name, program as DurableProgram, input, values);
      const { beginning } = begun;
      const run = new DomainRun({
        domain: name,
        beginning,
        digests: this.#options.digests,
        program: program as DurableProgram,
        logger: this.#options.logger,
        guard: this.#options.guard,
        ledger: this.#options.ledger,
        onRefused: (path, op) => this.#options.onRefused?.(name, path, op),
      });
      const domain = new Domain(this.#setup, run, { nextSeq: 1, epoch: 1, values });
      this.#domains.set(name, domain);
      await domain.begin(begun);
      this.#recovery.watch(domain, program.name);
      return this.get(name) ?? domain;
    } finally {
      this.#starting.delete(name);
    }
  }

  /** Resume every domain of the journal that does not run here yet and whose program is known. Refusals are in the report. */
  async recover(): Promise<RecoveryReport> {
    const report: MutableReport = { resumed: [], ended: [], refused: [] };
    for (let after = ""; ; ) {
      const heads = await this.#options.journal.domains(after, LISTED_AT_ONCE);
      // While one portion is flushed, the next one is read.
      let before: Promise<unknown> = Promise.resolve();
      for (const some of portionsOf(heads)) {
        const now = Promise.all(some.map((head) => this.#recoverOne(head, report)));
        await before;
        before = now;
      }
      await before;
      const last = heads.at(-1);
      if (last === undefined) return report;
      after = last.domain;
    }
  }

  /**
   * Resume one domain of the journal, or learn how it ended; undefined when the journal has none of the name. @throws what stops it:
   * {DivergedError} {ProgramUnknownError} {BadJournalError} {NotDurableError}
   */
  async resume(name: string): Promise<DurableDomain | undefined> {
    return await this.#resumeOne(name, false);
  }

  async #resumeOne(name: string, adopted: boolean): Promise<DurableDomain | undefined> {
    const known = this.get(name);
    if (known !== undefined) return known;
    const head = await this.#options.journal.head(name);
    if (head === undefined) return undefined;
    const report: MutableReport = { resumed: [], ended: [], refused: [] };
    await this.#recoverOne(head, report, adopted);
    const [refusal] = report.refused;
    if (refusal !== undefined) throw refusal.error;
    return this.get(name);
  }

  /**
   * Let a domain go on that failed, or begin afresh one that ended, however often that was done before; resolves when it goes on. Asking
   * again as the same `by` (text) changes nothing. With `escalate`, and where it was asked for before, the domain as it is.
   * @throws {DomainUnknownError} {NotFailedError} {NotReplaceableError} `kernel.bad-restart-choice` and what stops a recovery
   */
  async restart(name: string, answer: RestartAnswer, by = ""): Promise<DurableDomain | undefined> {
    const known = this.get(name);
    // A policy may be about to decide.
    if (known?.state === "ended") await known.result.catch(() => {});
    if (known !== undefined && known.state !== "ended") throw new NotFailedError(name, "has not ended");
    if (await this.#recovery.restart(name, answer, by)) {
      await this.#recovery.leave(name);
      await this.#reopen(name);
    }
    return await this.resume(name);
  }

  /** What a domain failed with, and where; undefined when it ended otherwise. O(its records). @throws {DomainUnknownError} {NotFailedError} */
  async failure(name: string): ReturnType<Recovery["failure"]> {
    return await this.#recovery.failure(name);
  }

  /**
   * Replay what the journal has of a domain that does not run here, so that {@link adopt} or {@link resume} has only the rest to do. May be
   * repeated as more of its journal arrives; what was replayed before is not replayed again. Gives the number of the first record that was not
   * replayed. @throws what stops a recovery
   */
  async prepare(name: string): Promise<number> {
    if (this.#domains.has(name) || this.#starting.has(name)) throw new DomainExistsError(name);
    const known = this.#prepared.get(name);
    if (known !== undefined) {
      await feedOn(this.#options.journal, name, known);
      return known.replay.nextSeq;
    }
    const head = await this.#options.journal.head(name);
    if (head === undefined) throw new DomainUnknownError(name);
    const prepared = await this.#replayedAnew(head, true);
    this.#prepared.set(name, prepared);
    return prepared.replay.nextSeq;
  }

  /** How many calls of a domain are out that may have happened and may not be made again: stopped now, their outcome would be unknown. */
  unrepeatable(name: string): number {
    const calls = this.#domains.get(name)?.waiting ?? [];
    return calls.filter((call) => call.intentAt > 0 && !this.#services.mayRepeat(call)).length;
  }

  /**
   * Other code for a domain that runs here, from its next checkpoint on, or now if nothing came in since the last. From then on its program is that
   * of the code for every domain of the name here. @throws {DomainUnknownError} {ProgramUnknownError} for a service, {BadProgramError}
   */
  exchange(name: string, code: NewCode): Exchanging {
    const domain = this.#domains.get(name);
    if (domain === undefined) throw new DomainUnknownError(name);
    const { program } = code;
    const exchanging = domain.exchange(code, this.#usesOf(name, program as DurableProgram));
    exchanging.done.then(
      () => this.#programs.set(program.name, program as DurableProgram),
      () => {},
    );
    return exchanging;
  }

  /** Forget what was prepared. Idempotent. */
  unprepare(name: string): void {
    this.#prepared.delete(name);
  }

  /** Stop one domain here, where nothing is lost and nothing ends: `resume` goes on with it. */
  async stop(name: string): Promise<void> {
    const domain = this.#domains.get(name);
    if (domain === undefined || domain.state === "ended") return;
    await this.#recovery.leave(name);
    await domain.stop();
    this.#domains.delete(name);
  }

  /**
   * Give a domain away: stop it here, say so in its journal under an epoch of its own, so that whoever had it is refused, and close its
   * last segment. From then on `recover` refuses it (`durable.domain-moved`). Its segments are taken over with `carryDomain`, and it is
   * gone on with by `adopt` there. May be repeated. `to` is for people: 1 to 128 characters.
   * @throws {DomainUnknownError} {DomainEndedError} and what the journal refuses
   */
  async release(name: string, to: string): Promise<readonly SegmentInfo[]> {
    const domain = this.#domains.get(name);
    if (domain?.state === "ended") throw new DomainEndedError(name);
    await this.#recovery.leave(name);
    await domain?.stop();
    this.#domains.delete(name);
    return await releaseDomain(this.#options.journal, name, to);
  }

  /** As {@link resume}, of a domain that was given away, here or elsewhere: who calls knows that nobody else goes on with it. */
  async adopt(name: string): Promise<DurableDomain | undefined> {
    return await this.#resumeOne(name, true);
  }

  /**
   * Put messages of another domain into an inbox here; resolves when what became of them is durable. For carriers: tasks send by the
   * service `mail`. @throws `abi.malformed`, and what makes it unknown whether they were accepted: deliver them again then
   */
  async deliver(delivery: Delivery): Promise<Receipt> {
    const fault = faultOf(delivery);
    if (fault !== undefined) throw new MalformedError("delivery", fault);
    const { to, token } = delivery;
    const domain = this.#domains.get(to);
    const isRestarting = domain?.state === "ended" && this.get(to)?.state !== "ended";
    if (domain !== undefined && !isRestarting) return await domain.deliver(delivery);
    const isKnown = this.#starting.has(to) || (await this.#options.journal.head(to)) !== undefined;
    if (isKnown) return { accepted: 0, state: "resting", token };
    return { accepted: 0, state: "ok", token, refusal: new DomainUnknownError(to) };
  }

  /** A sender has the outcome of its messages up to this number on its disk. For carriers. */
  settled(from: string, to: string, number: number): void {
    this.#domains.get(to)?.mailbox.links.settle(from, number);
  }

  /** A domain that was started or recovered here. */
  get(name: string): DurableDomain | undefined {
    return this.#recovery.watched(name) ?? this.#domains.get(name);
  }

  /** Every domain that was started or recovered here. */
  list(): readonly DurableDomain[] {
    return [...this.#domains].map(([name, domain]) => this.#recovery.watched(name) ?? domain);
  }

  /** Forget a domain that has ended, also in the journal. @throws {DomainUnknownError} for one that has not ended or is not known here */
  async forget(name: string): Promise<void> {
    if (this.get(name)?.state !== "ended") throw new DomainUnknownError(name);
    await this.#recovery.leave(name);
    await this.#options.journal.remove(name);
    this.#domains.delete(name);
  }

  /**
   * Remove the blobs that no record of the journal names any more, and that no domain here is about to name. They have to hold values of
   * this journal's domains only; other processes must not start or run domains on them meanwhile. Returns how many were removed.
   * O(all journals).
   */
  async collectValues(): Promise<number> {
    const { blobs, journal } = this.#options;
    if (blobs === undefined) return 0;
    return await collectValues(journal, blobs, () => this.#settled());
  }

  /** Resolves when everything that was recorded until now is durable. */
  async #settled(): Promise<void> {
    await Promise.all([...this.#domains.values()].map((domain) => domain.settled()));
  }

  /** Stop every domain here; nothing is lost and nothing ends. Resolves when what was taken in is durable. The journal stays open. */
  async close(): Promise<void> {
    this.#options.post?.detach(this);
    await this.#recovery.stop();
    await Promise.all([...this.#domains.values()].map((domain) => domain.stop()));
  }

  #valuesOf(name: string): LargeValues | undefined {
    const { blobs, digests } = this.#options;
    return blobs === undefined ? undefined : new LargeValues(name, blobs, digests);
  }

  #checkKnown(name: string, program: DurableProgram): void {
    checkProgram(program);
    if (this.#programs.get(program.name) !== program)
      throw new ProgramUnknownError(name, `program ${program.name}`);
  }

  #beginning(name: string, program: DurableProgram, input: unknown, values: LargeValues | undefined): Spawn {
    const { version } = program;
    const uses = this.#usesOf(name, program);
    const seed = this.#options.random.bytes(new Uint8Array(SEED_BYTES));
    const spawn: Spawn = {
      kind: KIND.spawn,
      beginning: { program: program.name, input, uses, seed, version },
    };
    return reread(spawn, encodeRecord(1, spawn, values), values);
  }

  #usesOf(name: string, { uses = [] }: DurableProgram): Beginning["uses"] {
    return uses.map((use) => [use, this.#services.get(use, name).kind] as const);
  }

  #recoveryOf({ journal, timers, random, meter, onRestart }: DomainsOptions): Recovery {
    return new Recovery({
      journal,
      timers,
      meter,
      nowMs: this.#setup.nowMs,
      draw: () => random.uint32(),
      planOf: (program) => recoveryPlanOf(program, this.#programs.get(program)?.recovery),
      versionOf: (program) => this.#programs.get(program)?.version ?? "",
      valuesOf: (name) => this.#valuesOf(name),
      replayTo: async (name, until) => {
        const head = await journal.head(name);
        if (head === undefined) throw new DomainUnknownError(name);
        return await this.#replayed(head, this.#valuesOf(name), { until });
      },
      mayTryAgain: (call) => this.#services.mayTryAgain(call),
      refusalOf: (call, result) => this.#services.refusalOf(call, result),
      reopen: (name) => this.#reopen(name),
      ...(onRestart === undefined ? {} : { onRestart }),
    });
  }

  /** Take a domain up again that was restarted. */
  async #reopen(name: string): Promise<Domain> {
    const head = await this.#options.journal.head(name);
    if (head === undefined) throw new DomainUnknownError(name);
    this.#domains.delete(name);
    const report: MutableReport = { resumed: [], ended: [], refused: [] };
    await this.#recoverOne(head, report, false, true);
    if (report.refused[0] !== undefined) throw report.refused[0].error;
    return this.#domains.get(name) as Domain;
  }

  async #recoverOne(
    head: DomainHead,
    report: MutableReport,
    adopted = false,
    reopened = false,
  ): Promise<void> {
    const name = head.domain;
    if (this.#domains.has(name) || this.#starting.has(name)) return;
    // Its restart is under way.
    if (!reopened && this.#recovery.watched(name) !== undefined) return;
    this.#starting.add(name);
    try {
      const { values, replay } = await this.#replayedOrPrepared(head);
      if (replay.movedTo !== undefined && !adopted) throw new DomainMovedError(name, replay.movedTo);
      const domain = new Domain(this.#setup, replay.run, {
        nextSeq: replay.nextSeq,
        epoch: head.epoch + 1,
        values,
        bytes: head.bytes,
      });
      this.#domains.set(name, domain);
      if (replay.ended === undefined) {
        await this.#resume(domain);
        this.#recovery.watch(domain, replay.beginning?.program ?? "");
      }
      const isUndecided = this.#recovery.watchEnded(domain, replay);
      (replay.ended === undefined || isUndecided ? report.resumed : report.ended).push(name);
    } catch (error) {
      this.#domains.delete(name);
      report.refused.push({ domain: name, error });
    } finally {
      this.#starting.delete(name);
    }
  }

  async #replayedOrPrepared(head: DomainHead): Promise<PreparedReplay> {
    const prepared = this.#prepared.get(head.domain);
    if (prepared === undefined) return await this.#replayedAnew(head);
    this.#prepared.delete(head.domain);
    await feedRest(this.#options.journal, prepared, head);
    return prepared;
  }

  async #replayedAnew(head: DomainHead, goesOn = false): Promise<PreparedReplay> {
    const values = this.#valuesOf(head.domain);
    return { values, replay: await this.#replayed(head, values, { goesOn }) };
  }

  /** Replay a journal, and when it diverges once more to say where in the source. */
  async #replayed(head: DomainHead, values: LargeValues | undefined, span: ReplaySpan): Promise<Replay> {
    try {
      return await this.#replay(head, values, false, span);
    } catch (error) {
      if (!(error instanceof DivergedError)) throw error;
      return await this.#replay(head, values, true, span);
    }
  }

  async #replay(
    { domain: name, firstSeq }: DomainHead,
    values: LargeValues | undefined,
    keepPositions: boolean,
    span: ReplaySpan,
  ): Promise<Replay> {
    const { journal, digests, logger, guard, ledger } = this.#options;
    const gate = new LogGate(logger);
    const make = (): Replay =>
      new Replay({
        domain: name,
        programOf: (each) => this.#programs.get(each),
        digests,
        logger: gate,
        keepPositions,
        values,
        guard,
        ledger,
        onRefused: (path, op) => {
          if (gate.isOpen) this.#options.onRefused?.(name, path, op);
        },
      });
    const replay = await replayLive(journal, name, make, { before: loadBefore(values), firstSeq, ...span });
    gate.open();
    if (!replay.isOffered) return replay;
    for (const [use] of replay.run.uses) this.#services.get(use, name);
    return replay;
  }

  #resume(domain: Domain): Promise<void> {
    return domain.resume(
      (call) => this.#services.mayRepeat(call),
      (call) => new OutcomeUnknownError(call.service, keyOf(domain.name, call)),
    );
  }
}

type ReplaySpan = Pick<LiveReplayOptions, "until" | "goesOn">;
type Spawn = DurableRecord & { readonly kind: typeof KIND.spawn };

interface MutableReport {
  readonly resumed: string[];
  readonly ended: string[];
  readonly refused: { domain: string; error: unknown }[];
}
