/**
 * A durable cell's talk with others while it runs: between the records of its journal and the desk that its node keeps for it.
 *
 * TK1. What follows from a record leaves when that record is durable, in the order of the records.
 * TK2. Whenever the cell begins to run, its desk is told everything that is on its way; until then no act is taken and no note.
 * TK3. A call with acts waits up to {@link PATIENCE_MS} while {@link PRESSURE} messages or more are not acknowledged: so senders are slowed
 *      down and two cells that wait for each other go on all the same.
 * TK4. What was acknowledged is recorded with the next call that has acts, and not by itself.
 */
import type { AgentId } from "@glia-os/abi/ids";
import type { TimerHandle, Timers } from "@glia-os/abi/ports";
import type { DurableCall } from "@glia-os/durable";
import type { Settle } from "@glia-os/kernel";
import type { LinkId } from "@glia-os/mesh-core";
import { decodeEnvelope } from "../agent/envelope-codec.ts";
import { NotInDomainError } from "../errors.ts";
import type { Acted, CellAct, CellEffect, CellNote } from "./cell-act.ts";
import type { CellLedger } from "./cell-ledger.ts";
import { textOf } from "./utf8.ts";

/** Messages that are not acknowledged, from which on a cell is slowed down. */
export const PRESSURE = 512;
/** Longest wait for room. */
export const PATIENCE_MS = 100;
/** How long the last messages of a cell that ended are waited for. */
export const LAST_WORDS_MS = 60_000;

/** The desk that a node keeps for each of its durable cells; on another thread. */
export interface CellDesks {
  /** A cell begins to run: forget what was there, and do all of this. */
  begin(agent: AgentId, effects: readonly CellEffect[]): void;
  /** Do this as well. */
  post(agent: AgentId, effects: readonly CellEffect[]): void;
}

/** What it works with. */
export interface CellTalkParts {
  readonly agent: AgentId;
  /** Undefined for a cell that talks to nobody. */
  readonly desks: CellDesks | undefined;
  readonly timers: Timers;
  ledger(): CellLedger;
  /** Keep a note; resolves when it is durable. */
  tell(note: CellNote, serial: number): Promise<void>;
}

/** One cell's. */
export class CellTalk {
  readonly #parts: CellTalkParts;
  readonly #acknowledged = new Map<LinkId, number>();
  readonly #fresh = new Set<LinkId>();
  #serial = 0;
  #open = false;
  #waiting: (() => void)[] = [];
  #steps: { readonly serial: number; readonly effects: readonly CellEffect[] }[] = [];
  /** Settles when what was asked for so far has left; undefined when it has. */
  #leaving: Promise<void> | undefined;
  #life = 0;
  /** The program has ended; messages that it left behind have nobody. */
  #leaves = false;
  #lost = 0;

  constructor(parts: CellTalkParts) {
    this.#parts = parts;
  }

  /** The cell runs (TK2). */
  begin(): void {
    const { agent, desks, ledger } = this.#parts;
    if (desks === undefined) return;
    this.#acknowledged.clear();
    this.#fresh.clear();
    this.#leaving = undefined;
    this.#leaves = false;
    this.#lost = 0;
    this.#steps = [];
    desks.begin(agent, ledger().outbox.everything());
    this.#open = true;
    this.#wake();
  }

  /** A record leads to this (TK1). What a replay finds is known already. */
  step(serial: number, effects: readonly CellEffect[]): void {
    if (this.#open && effects.length > 0) this.#steps.push({ serial, effects });
  }

  /** The cell stands still. */
  end(): void {
    this.#open = false;
    this.#life += 1;
  }

  /** Whether its node makes a child of it: another node would not know that it did. */
  get busy(): boolean {
    return this.#parts.ledger().outbox.spawns;
  }

  /** As `CellServiceParts.act`. */
  act(acts: readonly CellAct[], settle: Settle<Acted>, call: DurableCall): (() => void) | undefined {
    const { desks, timers } = this.#parts;
    if (desks === undefined) throw new NotInDomainError("acts: its grants do not name service/agents");
    let timer: TimerHandle | undefined;
    let over = false;
    let patient = true;
    const go = (): void => {
      if (over) return;
      if (!this.#open || (patient && this.#held().messages >= PRESSURE)) {
        this.#waiting.push(go);
        timer ??= timers.schedule(PATIENCE_MS, () => {
          patient = false;
          this.#wake();
        });
        return;
      }
      over = true;
      timer?.cancel();
      this.#take(acts, settle, call);
    };
    go();
    return () => {
      over = true;
      timer?.cancel();
    };
  }

  /** Call when all that was asked for has left. */
  after(run: () => void): void {
    if (this.#leaving === undefined) run();
    else this.#leaving.then(run, () => undefined);
  }

  /** Its node tells up to which number a link was acknowledged. */
  settled(link: LinkId, upTo: number): void {
    if (upTo <= (this.#acknowledged.get(link) ?? 0)) return;
    this.#acknowledged.set(link, upTo);
    this.#fresh.add(link);
    this.#wake();
  }

  /** Its node tells it something else. */
  noted(note: CellNote): void {
    if (!this.#open) return; // What it answers is asked again when the cell goes on.
    const known = this.#withLost(note);
    if (known === undefined) return;
    if (this.#leaves) {
      this.#losesLast(known);
      return;
    }
    const serial = ++this.#serial;
    const life = this.#life;
    this.#parts.tell(known, serial).then(
      () => life === this.#life && this.#release(serial),
      () => undefined,
    );
  }

  /** Resolves when nothing is on its way any more, or nobody took it in {@link LAST_WORDS_MS}. */
  async drained(): Promise<void> {
    if (this.#parts.desks === undefined) return;
    await this.#leaving?.catch(() => undefined);
    const life = this.#life;
    this.#leaves = true;
    const over = Promise.withResolvers<void>();
    const timer = this.#parts.timers.schedule(LAST_WORDS_MS, over.resolve);
    const look = (): void => {
      if (life !== this.#life || this.#held().messages <= this.#lost) over.resolve();
      else this.#waiting.push(look);
    };
    look();
    await over.promise;
    timer.cancel();
  }

  #take(acts: readonly CellAct[], settle: Settle<Acted>, call: DurableCall): void {
    const serial = ++this.#serial;
    const life = this.#life;
    const settled = [...this.#fresh].map((link) => [link, this.#acknowledged.get(link) ?? 0] as const);
    this.#fresh.clear();
    const leaving = call.recorded().then(() => {
      if (life === this.#life) this.#release(serial);
      if (this.#leaving === leaving) this.#leaving = undefined;
    });
    this.#leaving = leaving;
    leaving.catch(() => undefined);
    const { messages, bytes } = this.#held();
    const more = acts.flatMap((act) => ("payload" in act ? [act.payload.length] : []));
    const held = { messages: messages + more.length, bytes: more.reduce((sum, one) => sum + one, bytes) };
    settle.ok({ acts, settled, serial, held });
  }

  /** TK1. */
  #release(upTo: number): void {
    const { agent, desks } = this.#parts;
    const done = this.#steps.findIndex(({ serial }) => serial > upTo);
    const steps = this.#steps.splice(0, done < 0 ? this.#steps.length : done);
    const effects = steps.flatMap((step) => step.effects);
    if (effects.length > 0) desks?.post(agent, effects);
  }

  #held(): { readonly messages: number; readonly bytes: number } {
    return this.#parts.ledger().outbox.held(this.#acknowledged);
  }

  /** Nothing is recorded any more: what has no receiver is not waited for. */
  #losesLast(note: CellNote): void {
    if (note.note === "broken") this.#acknowledged.set(note.link, note.upTo);
    else if (note.note === "named" && note.agent === null) this.#lost += note.count;
    this.#wake();
  }

  #wake(): void {
    for (const go of this.#waiting.splice(0)) go();
  }

  /** A note that says what is lost, with the asks among that; undefined for one that says nothing any more. */
  #withLost(note: CellNote): CellNote | undefined {
    const { outbox } = this.#parts.ledger();
    if (note.note === "named" && note.agent === null) {
      const waiting = outbox.waitingFor(note.name);
      return { ...note, count: waiting.length, lost: asksIn(waiting) };
    }
    if (note.note !== "broken") return note;
    const line = outbox.heldOn(note.link);
    if (line === undefined) return undefined;
    const { to, upTo, held } = line;
    const arrived = (this.#acknowledged.get(note.link) ?? 0) - (upTo - held.length);
    return { ...note, to, upTo, lost: asksIn(arrived > 0 ? held.slice(arrived) : held) };
  }
}

/** The numbers of the asks among messages. */
function asksIn(payloads: readonly Uint8Array[]): readonly number[] {
  return payloads.flatMap((payload) => {
    try {
      const { kind, correlation } = decodeEnvelope(textOf(payload));
      return kind === "ask" ? [correlation] : [];
    } catch {
      return []; // No envelope: nobody waits for an answer to it.
    }
  });
}
