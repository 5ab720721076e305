/**
 * The `meter` stage of a call of a service: reserve before it starts, settle when it is over. One {@link Bill} per call.
 *
 * MS1. A call in line that is given up costs nothing; one that was out costs what it reserved, because nobody knows what it did.
 */
import type { Clock } from "@glia-os/abi/ports";
import type { Settle, Start } from "../effect.ts";
import type { KernelService, ServiceCall } from "../services/service.ts";
import type { Account, Reservation } from "./account.ts";
import { type Amounts, amountsOf, type Cost } from "./amounts.ts";
import { costOfFailure, type ServiceMeter } from "./service-meter.ts";

/** What most calls reserve: themselves, and a millisecond so that an account without time takes none. */
const ONE_CALL: Amounts = Object.freeze({ calls: 1, tokens: 0, money: 0, ms: 1, fuel: 0 });

/** What a call cost that took no time. */
const ONE_QUICK_CALL: Amounts = Object.freeze({ ...ONE_CALL, ms: 0 });

/** Reserve the most a call may cost. @throws what the account and the meter throw */
export function billFor(account: Account, meter: ServiceMeter, clock: Clock, request: unknown): Bill {
  const reserved = account.reserve(withCall(meter.most(request), 1));
  return new Bill(reserved, meter, clock, request);
}

/** What a call has to reserve; undefined when its meter refuses it. */
export function mostFor(meter: ServiceMeter, request: unknown): Amounts | undefined {
  try {
    return withCall(meter.most(request), 1);
  } catch {
    return undefined;
  }
}

/** What a call did cost by its answer, after it was out for a time; `most` when nobody can tell (SM1). */
export function costOf(
  meter: ServiceMeter,
  request: unknown,
  answer: unknown,
  most: Amounts,
  outMs: number,
): Amounts {
  return paid(statedCost(meter, request, answer), most, outMs);
}

/** A call's cost on its way: stands between a service and the task that waits. */
export class Bill implements Settle<unknown> {
  readonly #reserved: Reservation;
  readonly #meter: ServiceMeter;
  readonly #clock: Clock;
  readonly #request: unknown;
  readonly #sinceMs: number;
  #settle: Settle<unknown> | null = null;

  constructor(reserved: Reservation, meter: ServiceMeter, clock: Clock, request: unknown) {
    this.#reserved = reserved;
    this.#meter = meter;
    this.#clock = clock;
    this.#request = request;
    this.#sinceMs = clock.monotonicMs();
  }

  /** The call as an effect that pays. */
  start(service: KernelService, call: ServiceCall): Start<unknown> {
    return (settle) => {
      this.#settle = settle;
      const giveUp = service.enter(this, this.#request, call);
      return () => {
        let out = true;
        try {
          out = giveUp();
        } finally {
          if (out) this.#pay(undefined);
          else this.#reserved.release();
        }
      };
    };
  }

  ok(value: unknown): boolean {
    this.#pay(statedCost(this.#meter, this.#request, value));
    return this.#settle?.ok(value) === true;
  }

  fail(error: unknown): boolean {
    this.#pay(costOfFailure(error));
    return this.#settle?.fail(error) === true;
  }

  #pay(cost: Cost | undefined): void {
    this.#reserved.settle(paid(cost, this.#reserved.amounts, this.#clock.monotonicMs() - this.#sinceMs));
  }
}

function statedCost(meter: ServiceMeter, request: unknown, answer: unknown): Cost | undefined {
  try {
    return meter.cost(request, answer);
  } catch {
    return undefined; // A meter that cannot read an answer knows no cost.
  }
}

function paid(cost: Cost | undefined, reserved: Amounts, outMs: number): Amounts {
  const ms = Math.max(0, Math.ceil(outMs));
  return cost === undefined ? { ...reserved, ms } : withCall(cost, ms);
}

function withCall(cost: Cost, ms: number): Amounts {
  const { calls, tokens, money, fuel } = cost;
  if (
    calls === undefined &&
    tokens === undefined &&
    money === undefined &&
    fuel === undefined &&
    cost.ms === undefined
  )
    return ms === 1 ? ONE_CALL : ms === 0 ? ONE_QUICK_CALL : { ...ONE_CALL, ms };
  return amountsOf("a service's cost", { ...cost, calls: calls ?? 1, ms: cost.ms ?? ms });
}
