/**
 * Other code for a domain that lives, from its next boundary on (docs/spec/upgrade.md, "Durable agents").
 *
 * XC1. A boundary is a checkpoint, or a beginning since which nothing came in (`DomainRun.isFresh`). There the domain is a state and messages, and no
 *      task is in the middle of anything.
 * XC2. What makes the state that of the new code runs before anything is recorded. When it throws, or gives what cannot be recorded, the domain has
 *      the checkpoint that it would have had, with the code it has.
 * XC3. One record (kind 16) has the new state and the messages that wait. With it the new code goes on; without it the old does.
 * XC4. It can be withdrawn until the boundary, and not after it.
 */
import { DomainEndedError, ExchangeReplacedError } from "./errors.ts";
import { checkEdition, checkProgram, type DurableProgram, rootOf } from "./program.ts";
import type { Beginning, Renewal } from "./record.ts";

/** The code that a domain goes on with. */
export interface NewCode {
  readonly program: DurableProgram<unknown>;
  /** Told apart by whoever gives it, where the version does not: `domainEdition` says it from this record on. 1 to 128 characters. */
  readonly edition?: string;
  /** The state as the new program takes it, from what the last checkpoint was given, or the input before the first. What it throws refuses (XC2). */
  change(state: unknown): unknown;
}

/** An exchange that is recorded. */
export interface Exchanged {
  /** The number of its record, and the bytes of it. */
  readonly seq: number;
  readonly bytes: number;
}

/** An exchange under way. */
export interface Exchanging {
  /** Resolves when it is durable. Rejects with what `change` or `run` threw, `durable.not-recordable`, `durable.domain-ended`, `durable.domain-lost` or `durable.exchange-replaced`. */
  readonly done: Promise<Exchanged>;
  /** Give it up. Returns false after the boundary: then `done` says what came of it (XC4). */
  withdraw(): boolean;
}

/** One exchange, as its domain has it. */
export class CodeExchange implements Exchanging {
  readonly program: DurableProgram;
  readonly #code: NewCode;
  readonly #uses: Beginning["uses"];
  readonly #done: PromiseWithResolvers<Exchanged> = Promise.withResolvers<Exchanged>();
  readonly #withdraw: (exchange: CodeExchange) => boolean;

  /** @throws {BadProgramError} */
  constructor(code: NewCode, uses: Beginning["uses"], withdraw: (exchange: CodeExchange) => boolean) {
    checkProgram(code.program as DurableProgram);
    checkEdition(code.program.name, code.edition);
    this.program = code.program as DurableProgram;
    this.#code = code;
    this.#uses = uses;
    this.#withdraw = withdraw;
    this.#done.promise.catch(() => {});
  }

  get done(): Promise<Exchanged> {
    return this.#done.promise;
  }

  withdraw(): boolean {
    return this.#withdraw(this);
  }

  /** The renewal of the old code as the new begins with it (XC2). @throws what `change` and `run` throw */
  renewalOf({ beginning, ...rest }: Renewal): Renewal {
    const { name, version } = this.program;
    const { edition } = this.#code;
    const input = this.#code.change(beginning.input);
    rootOf(this.program, input);
    return { beginning: { ...beginning, program: name, version, edition, uses: this.#uses, input }, ...rest };
  }

  /** Who hears that its record is durable, or that the journal refused it. */
  acknowledgement(seq: number, bytes: number): { resolve(): void; reject(error: unknown): void } {
    const { resolve, reject } = this.#done;
    return { resolve: () => resolve({ seq, bytes }), reject };
  }

  refuse(why: unknown): void {
    this.#done.reject(why);
  }
}

/** The exchange of one domain, if it has one. */
export class ExchangeDesk {
  readonly #domain: string;
  #waiting: CodeExchange | undefined;

  constructor(domain: string) {
    this.#domain = domain;
  }

  /** Take one, in the place of one that waits. @throws {BadProgramError} */
  put(code: NewCode, uses: Beginning["uses"]): CodeExchange {
    const exchange = new CodeExchange(code, uses, (each) => {
      if (this.#waiting !== each) return false;
      this.#waiting = undefined;
      return true;
    });
    this.#waiting?.refuse(new ExchangeReplacedError(this.#domain));
    this.#waiting = exchange;
    return exchange;
  }

  /** The one that waits, at a boundary. */
  take(): CodeExchange | undefined {
    const exchange = this.#waiting;
    this.#waiting = undefined;
    return exchange;
  }

  /** No boundary comes any more. */
  end(why: unknown = new DomainEndedError(this.#domain)): void {
    this.take()?.refuse(why);
  }
}
