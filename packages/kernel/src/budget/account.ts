/**
 * Accounts: what a task and its descendants may spend in all on the world outside. A call reserves the most it may cost before it starts and
 * is settled with what it did cost; the difference is free again. (Processor time per period is `fair-share/budget.ts`.)
 *
 * AC1. Spent and reserved together never exceed a limit, as long as no call costs more than it reserved. What one costs beyond its
 *      reservation happened and is booked as spent, is counted as `excess`, and may leave the account overdrawn: it then reserves nothing.
 * AC2. Nothing is lost: each reservation is settled once or released once, and every settled amount stands in the account and in every
 *      account above it.
 * AC3. A reservation is made in all accounts on its way up or in none. A refusal names the account that had too little.
 * AC4. A child is a cap on what its parent has (`shared`), or has its limits set aside in the parent when it is made (`carved`): what a
 *      carved child did not spend goes back when it is closed and its last call is settled.
 * AC5. A closed account reserves nothing; calls that are out are settled still.
 */
import { BadOptionError } from "../errors.ts";
import {
  AMOUNT_KINDS,
  type AmountKind,
  type Amounts,
  add,
  amountsOf,
  type Cost,
  exceeds,
  nothing,
  type Tally,
  UNLIMITED,
} from "./amounts.ts";
import { AccountClosedError, AccountExhaustedError } from "./errors.ts";

/** Accounts above one another, at most. */
const DEPTH_MOST = 16;
const NAME_LIMIT = 128;

/** How an account is made: its limits by kind, unlimited where left out. */
export interface AccountOptions extends Cost {
  /** For people, in refusals: 1 to 128 characters. Default: `account`. */
  readonly name?: string;
  /** Set the limits aside in the parent (AC4). Default false: a cap. */
  readonly carved?: boolean;
  /** What was spent from it before, for an account that goes on after a restart. Default: nothing. It is not booked in the parent. */
  readonly spent?: Cost;
}

/** An account as plain data. */
export interface AccountDump {
  readonly name: string;
  /** The name of the account above; undefined at the top. */
  readonly parent: string | undefined;
  readonly carved: boolean;
  readonly closed: boolean;
  /** By kind; Infinity where there is no limit. */
  readonly limits: Amounts;
  readonly spent: Amounts;
  readonly reserved: Amounts;
  readonly left: Amounts;
  /** What calls cost beyond their reservations (AC1). */
  readonly excess: Amounts;
  /** Reservations that are neither settled nor released. */
  readonly open: number;
  /** Reservations refused for want of an amount in this account. */
  readonly refused: number;
}

/** An amount set aside; settle or release it once. */
export class Reservation {
  readonly amounts: Amounts;
  readonly #account: Account;
  #over = false;

  constructor(account: Account, amounts: Amounts) {
    this.#account = account;
    this.amounts = amounts;
  }

  /** Book what it did cost, and free the rest. False when that happened before. */
  settle(cost: Amounts): boolean {
    if (this.#over) return false;
    this.#over = true;
    this.#account.book(this.amounts, cost);
    return true;
  }

  /** Free all of it. False when it was settled or released before. */
  release(): boolean {
    return this.settle(NOTHING);
  }
}

const NOTHING: Amounts = Object.freeze(nothing());

/** What may be spent, and what was. */
export class Account {
  readonly name: string;
  readonly parent: Account | null;
  readonly carved: boolean;
  readonly #limits: Amounts;
  readonly #spent: Tally;
  readonly #reserved: Tally = nothing();
  readonly #excess: Tally = nothing();
  /** Kinds that are set aside in the parent. */
  readonly #held: readonly AmountKind[];
  readonly #hold: Reservation | null = null;
  readonly #depth: number;
  #open = 0;
  #refused = 0;
  #users = 0;
  #closed = false;

  /** @throws {BadOptionError}, and for a carved account what `parent.reserve` throws */
  constructor(options: AccountOptions = {}, parent: Account | null = null) {
    const { name = "account", carved = false, spent = NOTHING } = options;
    this.#spent = { ...amountsOf("account spent", spent) };
    this.#limits = amountsOf("account", options, UNLIMITED);
    if (typeof name !== "string" || name === "" || name.length > NAME_LIMIT)
      throw new BadOptionError("account name", name, `text of 1 to ${NAME_LIMIT} characters`);
    this.#depth = parent === null ? 1 : parent.#depth + 1;
    if (this.#depth > DEPTH_MOST)
      throw new BadOptionError("accounts", this.#depth, `at most ${DEPTH_MOST} deep`);
    this.name = name;
    this.parent = parent;
    this.carved = carved && parent !== null;
    this.#held = this.carved ? AMOUNT_KINDS.filter((kind) => this.#limits[kind] !== UNLIMITED) : [];
    if (this.carved && parent !== null) this.#hold = parent.reserve(picked(this.#limits, this.#held));
  }

  /** Set `amounts` aside here and above. @throws {AccountExhaustedError} {AccountClosedError} and changes nothing (AC3) */
  reserve(amounts: Amounts): Reservation {
    this.#check(amounts);
    this.#reserve(amounts);
    return new Reservation(this, amounts);
  }

  /** Free a reservation and book a cost. For {@link Reservation}, which sees that it happens once. */
  book(reserved: Amounts, cost: Amounts): void {
    add(this.#reserved, reserved, -1);
    this.#bookCost(reserved, cost);
    this.#open--;
    this.parent?.book(this.#above(reserved), this.#above(cost));
    this.#giveBack();
  }

  /** Whether {@link reserve} would set `amounts` aside. */
  affords(amounts: Amounts): boolean {
    if (this.#closed) return false;
    const { calls, tokens, money, ms, fuel } = amounts;
    const [spent, reserved, limits] = [this.#spent, this.#reserved, this.#limits];
    const fits =
      (calls === 0 || spent.calls + reserved.calls + calls <= limits.calls) &&
      (tokens === 0 || spent.tokens + reserved.tokens + tokens <= limits.tokens) &&
      (money === 0 || spent.money + reserved.money + money <= limits.money) &&
      (ms === 0 || spent.ms + reserved.ms + ms <= limits.ms) &&
      (fuel === 0 || spent.fuel + reserved.fuel + fuel <= limits.fuel);
    return fits && (this.parent === null || this.parent.affords(this.#above(amounts)));
  }

  /** Book what a call did cost that would have reserved `most`: the sums are those of {@link reserve} and {@link Reservation.settle}. */
  spend(most: Amounts, cost: Amounts): void {
    this.#bookCost(most, cost);
    if (this.parent !== null) this.parent.spend(this.#above(most), this.#above(cost));
  }

  /** Spent by kind. */
  get spent(): Amounts {
    return { ...this.#spent };
  }

  /** What this account has left for a kind by its own limit, not below 0; Infinity without a limit. */
  left(kind: AmountKind): number {
    const limit = this.#limits[kind];
    if (limit === UNLIMITED) return Number.POSITIVE_INFINITY;
    return Math.max(0, limit - this.#spent[kind] - this.#reserved[kind]);
  }

  /** Take no more reservations (AC5). What a carved account has left goes back once nothing is out. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#giveBack();
  }

  /** A task spends from it from now on. */
  join(): void {
    this.#users++;
  }

  /** A task that spent from it ended; the last one closes it. */
  leave(): void {
    if (--this.#users === 0) this.close();
  }

  /** It as plain data. */
  dump(): AccountDump {
    const { name, carved } = this;
    const limits = nothing();
    const left = nothing();
    for (const kind of AMOUNT_KINDS) {
      limits[kind] = this.#limits[kind] === UNLIMITED ? Number.POSITIVE_INFINITY : this.#limits[kind];
      left[kind] = this.left(kind);
    }
    return {
      name,
      parent: this.parent?.name,
      carved,
      closed: this.#closed,
      limits,
      spent: this.spent,
      reserved: { ...this.#reserved },
      left,
      excess: { ...this.#excess },
      open: this.#open,
      refused: this.#refused,
    };
  }

  #check(amounts: Amounts): void {
    if (this.#closed) throw new AccountClosedError(this.name);
    const { calls, tokens, money, ms, fuel } = amounts;
    if (calls !== 0) this.#room("calls", calls);
    if (tokens !== 0) this.#room("tokens", tokens);
    if (money !== 0) this.#room("money", money);
    if (ms !== 0) this.#room("ms", ms);
    if (fuel !== 0) this.#room("fuel", fuel);
    if (this.parent !== null) this.parent.#check(this.#above(amounts));
  }

  #bookCost(reserved: Amounts, cost: Amounts): void {
    add(this.#spent, cost, 1);
    if (exceeds(cost, reserved))
      for (const kind of AMOUNT_KINDS) this.#excess[kind] += Math.max(0, cost[kind] - reserved[kind]);
  }

  #room(kind: AmountKind, asked: number): void {
    if (this.#spent[kind] + this.#reserved[kind] + asked <= this.#limits[kind]) return;
    this.#refused++;
    throw new AccountExhaustedError(this.name, kind, asked, this.left(kind));
  }

  #reserve(amounts: Amounts): void {
    add(this.#reserved, amounts, 1);
    this.#open++;
    if (this.parent !== null) this.parent.#reserve(this.#above(amounts));
  }

  /** What of `amounts` the parent has not set aside already. */
  #above(amounts: Amounts): Amounts {
    if (this.#held.length === 0) return amounts;
    const rest: Tally = { ...amounts };
    for (const kind of this.#held) rest[kind] = 0;
    return rest;
  }

  #giveBack(): void {
    if (this.#closed && this.#open === 0) this.#hold?.settle(picked(this.#spent, this.#held));
  }
}

function picked(amounts: Amounts, kinds: readonly AmountKind[]): Amounts {
  const tally = nothing();
  for (const kind of kinds) tally[kind] = amounts[kind];
  return tally;
}
