/**
 * One durable cell: its domain, the messages on their way into the journal, and its journal on its way elsewhere.
 *
 * DC1. Messages go into the journal in the order they came; at most {@link IN_FLIGHT_MAX} are on their way, the others wait here.
 * DC2. A message that is not in the journal when the cell stops is given back: its sender has no acknowledgement.
 * DC3. A cell that ended is over when what it sent was accepted, or after a minute: until then whoever takes it up sends that again.
 */
import { type AgentId, fromHex, toHex } from "@glia-os/abi/ids";
import type { SegmentInfo } from "@glia-os/abi/ports";
import {
  Domains,
  type DurableDomain,
  type DurableProgram,
  type Exchanging,
  type NewCode,
} from "@glia-os/durable";
import type { AgentManifest } from "../agent-manifest.ts";
import { NotHereError } from "../errors.ts";
import type { KeptMail } from "../kept-cells.ts";
import type { RestNote } from "./cell-act.ts";
import { CellLedger, type CellLedgerParts } from "./cell-ledger.ts";
import { type CellMessage, messageOf, noteOf } from "./cell-message.ts";
import { CELL_SERVICE, cellService } from "./cell-service.ts";
import { CellTalk } from "./cell-talk.ts";
import { AGENTS_GRANT, type DomainRunnerOptions, type DomainService } from "./domain-options.ts";
import { SegmentReader, SegmentSource } from "./segment-stream.ts";
import { textOf } from "./utf8.ts";

/** Messages on their way into the journal: fewer than the room an inbox has when it says that it is under pressure. */
const IN_FLIGHT_MAX = 128;
/** How soon a full inbox is looked at again, in milliseconds. */
const LOOK_AGAIN_MS = 2;

/** Bytes of an agent's id, and of that of a link. */
const ID_BYTES = 16;

interface Waiting {
  readonly message: CellMessage;
  readonly kept: PromiseWithResolvers<void>;
}

/** What a cell runs. */
export interface CellCode {
  readonly manifest: AgentManifest;
  /** Its version is the hash of its bundle. */
  readonly program: DurableProgram<unknown>;
  /** Those that its grants name. */
  readonly services: readonly DomainService[];
}

/** Why a domain has no result here: it was stopped. */
export type DomainEnd = (
  how: { readonly failed: false } | { readonly failed: true; readonly error: unknown },
) => void;

/** A cell. */
export class DomainCell {
  readonly agent: AgentId;
  /** Its talk with others, beside its askers. */
  readonly talk: CellTalk;
  readonly #domains: Domains;
  #manifest!: AgentManifest;
  #program!: DurableProgram<unknown>;
  #immovable: readonly string[] = [];
  readonly #o: DomainRunnerOptions;
  readonly #onEnd: DomainEnd;
  #ledger: CellLedger;
  #domain: DurableDomain | undefined;
  #starting: Promise<void> | undefined;
  #queue: Waiting[] = [];
  #inFlight = 0;
  #source: SegmentSource | undefined;
  #reader: SegmentReader | undefined;
  #taking: Promise<void> = Promise.resolve();
  /** Of the journal that arrives: the number of the first record that did not, and of the first that was not replayed. */
  #arrivedSeq = 0;
  #replayedSeq = 0;

  constructor(agent: AgentId, code: CellCode, options: DomainRunnerOptions, onEnd: DomainEnd) {
    this.agent = agent;
    this.became(code);
    this.#o = options;
    this.#onEnd = onEnd;
    this.#ledger = new CellLedger(this.#facts);
    this.talk = new CellTalk({
      agent,
      desks: code.manifest.grants.includes(AGENTS_GRANT) ? options.desks : undefined,
      timers: options.timers,
      ledger: () => this.#ledger,
      tell: (note, serial) => this.#keep(noteOf(note, serial)),
    });
    this.#domains = this.#makeDomains();
  }

  readonly #facts: CellLedgerParts = {
    linkOf: (number) => this.#linkOf(number),
    step: (serial, effects) => this.talk.step(serial, effects),
  };

  /** The id of its nth link to another: no other agent has it, and a replay finds the same. */
  #linkOf(number: number): string {
    const bytes = new Uint8Array(2 * ID_BYTES);
    bytes.set(fromHex(this.agent));
    new DataView(bytes.buffer).setFloat64(ID_BYTES, number);
    return toHex(this.#o.digests.sha256(bytes).subarray(0, ID_BYTES));
  }

  #makeDomains(): Domains {
    const {
      journal,
      clock,
      timers,
      digests,
      random,
      logger,
      gate,
      guard,
      historyBytes,
      services = [],
    } = this.#o;
    const cell = cellService({
      replied: (asker, payload) => gate.replied(this.agent, asker, payload.slice()),
      after: (run) => this.talk.after(run),
      act: (acts, settle, call) => this.talk.act(acts, settle, call),
    });
    // What its program may use of them is checked against its grants before it runs.
    const offered = Object.fromEntries(services.map((service) => [service.name, service]));
    return new Domains({
      journal,
      clock,
      timers,
      digests,
      random,
      logger: logger.child({ agent: this.agent, name: this.#manifest.name }),
      programs: [this.#program],
      services: { ...offered, [CELL_SERVICE]: cell },
      ledger: (form) => {
        this.#ledger = new CellLedger(this.#facts, form);
        return this.#ledger;
      },
      ...(guard === undefined ? {} : { guard }),
      ...(historyBytes === undefined ? {} : { historyBytes }),
    });
  }

  /** Whether it runs. */
  get running(): boolean {
    return this.#domain !== undefined || this.#starting !== undefined;
  }

  /** Messages that came in its life, and those that wait to be kept. */
  get received(): number {
    return this.#ledger.received;
  }

  get waiting(): number {
    return this.#queue.length + this.#inFlight;
  }

  /** The link table of what is kept. */
  links(): Uint8Array {
    return this.#ledger.serialize();
  }

  /** Begin its domain, with this word of its node if there is one, or go on with the one that the journal has. Messages are taken in at once. */
  run(begin?: Uint8Array): Promise<void> {
    this.#starting ??= this.#run(begin).finally(() => {
      this.#starting = undefined;
    });
    return this.#starting;
  }

  async #run(begin: Uint8Array | undefined): Promise<void> {
    await this.#taking.catch(() => undefined);
    this.#source = undefined;
    const { agent } = this;
    const { name } = this.#manifest;
    const input = { agent, name, ...(begin === undefined ? {} : { begin: textOf(begin) }) };
    const domain =
      (await this.#domains.resume(agent)) ?? (await this.#domains.start(agent, this.#program, input));
    this.#domain = domain;
    this.talk.begin();
    // An upgrade was under way when its process ended.
    if (this.#ledger.rests) this.rest("go").catch(() => undefined);
    domain.result.then(
      () => this.#ended(domain, { failed: false }),
      (error: unknown) => this.#ended(domain, { failed: true, error }),
    );
    this.#pump();
  }

  /** DC3. */
  async #ended(domain: DurableDomain, how: Parameters<DomainEnd>[0]): Promise<void> {
    if (this.#domain !== domain) return;
    if (!how.failed) await this.talk.drained();
    if (this.#domain !== domain) return;
    this.#domain = undefined;
    this.#giveBack();
    this.#onEnd(how);
  }

  // Its code

  get manifest(): AgentManifest {
    return this.#manifest;
  }

  get program(): DurableProgram<unknown> {
    return this.#program;
  }

  /** Services it uses that cannot move. */
  get immovable(): readonly string[] {
    return this.#immovable;
  }

  /** It runs this from now on. */
  became({ manifest, program, services }: CellCode): void {
    this.#manifest = manifest;
    this.#program = program;
    this.#immovable = services.filter(({ capability }) => capability === "immovable").map(({ name }) => name);
  }

  /** Other code for its domain, from its next checkpoint on. @throws {NotHereError} */
  exchange(code: NewCode): Exchanging {
    if (this.#domain === undefined) throw new NotHereError(this.agent);
    return this.#domains.exchange(this.agent, code);
  }

  /** Have the program of an agent come to a checkpoint, or go on without; resolves when it was told. */
  rest(what: RestNote["note"]): Promise<void> {
    return this.#keep(noteOf({ note: what }, 0));
  }

  /** Put a message into the journal (DC1). */
  accept(item: KeptMail): Promise<void> {
    return this.#keep(messageOf(item));
  }

  #keep(message: CellMessage): Promise<void> {
    if (!this.running) return Promise.reject(new NotHereError(this.agent));
    const kept = Promise.withResolvers<void>();
    this.#queue.push({ message, kept });
    this.#pump();
    return kept.promise;
  }

  #pump(): void {
    const domain = this.#domain;
    while (domain !== undefined && this.#queue.length > 0 && this.#inFlight < IN_FLIGHT_MAX) {
      if (domain.pressured) {
        if (this.#inFlight === 0) this.#o.timers.schedule(LOOK_AGAIN_MS, () => this.#pump());
        return;
      }
      const { message, kept } = this.#queue.shift() as Waiting;
      this.#inFlight += 1;
      const over = (settle: () => void): void => {
        this.#inFlight -= 1;
        settle();
        this.#pump();
      };
      domain.tell(message).then(
        () => over(kept.resolve),
        (error: unknown) => over(() => kept.reject(error)),
      );
    }
  }

  /** DC2. */
  #giveBack(): void {
    for (const { kept } of this.#queue.splice(0)) kept.reject(new NotHereError(this.agent));
  }

  /** Whether a call is out that may happen once only and whose outcome is not known. */
  get busy(): boolean {
    if (this.#domain === undefined) return false;
    return this.talk.busy || this.#domains.unrepeatable(this.agent) > 0;
  }

  /** Stop; what was kept stays. */
  async stop(): Promise<void> {
    await this.#starting?.catch(() => undefined);
    this.talk.end();
    this.#domain = undefined;
    this.#giveBack();
    await this.#domains.stop(this.agent);
  }

  // The journal on its way

  /** A chunk of the journal while the cell runs, and one while it stands still. */
  readAhead(): Promise<Uint8Array | undefined> {
    this.#source ??= new SegmentSource(this.#o.journal, this.agent);
    return this.#source.ahead();
  }

  async readRest(): Promise<Uint8Array | undefined> {
    this.#source ??= new SegmentSource(this.#o.journal, this.agent);
    const chunk = await this.#source.rest();
    if (chunk === undefined) this.#source = undefined;
    return chunk;
  }

  stopAhead(): void {
    this.#source = undefined;
  }

  /** Prepare to take a journal in. */
  async expect(): Promise<void> {
    await this.#o.journal.remove(this.agent);
    this.#reader = new SegmentReader();
  }

  /** Take in a chunk: what it completes is flushed and replayed, so that the source stops the cell only when little is left to do here. */
  take(chunk: Uint8Array): Promise<void> {
    if (this.#reader === undefined) return Promise.reject(new NotHereError(this.agent));
    this.#taking = this.#take(this.#reader, chunk);
    return this.#taking;
  }

  async #take(reader: SegmentReader, chunk: Uint8Array): Promise<void> {
    const accepted: Promise<SegmentInfo>[] = [];
    for (const part of reader.push(chunk)) {
      if (part === "anew") {
        await this.#arrived(accepted.splice(0));
        this.#domains.unprepare(this.agent);
        this.#replayedSeq = 0;
        await this.#o.journal.remove(this.agent);
      } else {
        // One flush for all segments of a chunk. A refusal is told below.
        const one = this.#o.journal.acceptSegment(part);
        one.catch(() => undefined);
        accepted.push(one);
      }
    }
    if (accepted.length === 0) return;
    // What is replayed while it is flushed has no effect before the cell runs.
    const replaying = this.#replayedSeq > 0 ? this.#replay() : undefined;
    await this.#arrived(accepted);
    await (replaying ?? this.#replay());
  }

  async #arrived(accepted: readonly Promise<SegmentInfo>[]): Promise<void> {
    for (const { lastSeq } of await Promise.all(accepted)) this.#arrivedSeq = lastSeq + 1;
  }

  #replay(): Promise<void> {
    const replaying = this.#domains.prepare(this.agent).then((nextSeq) => {
      this.#replayedSeq = nextSeq;
    });
    replaying.catch(() => undefined);
    return replaying;
  }

  /** All of the journal is there: check that it can be gone on with. */
  async complete(): Promise<void> {
    this.#reader?.end();
    this.#reader = undefined;
    await this.#taking;
    // A journal need not perform in order what was asked of it at once.
    if (this.#replayedSeq === 0 || this.#replayedSeq < this.#arrivedSeq) await this.#replay();
  }

  /** Remove it from the disk. It does not run any more. */
  async remove(): Promise<void> {
    await this.stop();
    await this.#taking.catch(() => undefined);
    this.#domains.unprepare(this.agent);
    await this.#o.journal.remove(this.agent);
  }
}
