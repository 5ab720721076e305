/**
 * The agent: it reserves the legs of a trip, pays, and sends a confirmation.
 *
 * BK1. Reserving and confirming may be asked again: the other side knows the reference and answers as it did before.
 * BK2. Paying may not: the bank takes the money each time it is asked. When the process ended in the middle of a payment, nobody knows whether it
 *      happened; the agent then looks into the account before it pays again.
 */
import { errorCodeOf } from "@glia-os/abi/errors";
import type { DurableProgram } from "@glia-os/durable";
import type { Handle, Routine, Sys } from "@glia-os/kernel";

/** What is to be booked. */
export interface Trip {
  readonly id: string;
  readonly legs: readonly string[];
  readonly cents: number;
}

/** What came of it. */
export interface Booked {
  readonly reservations: readonly string[];
  readonly receipt: string;
}

/** A pause between reserving and paying, in which a person might change their mind. */
const PAUSE_MS = 20;

export const booking: DurableProgram<Trip> = {
  name: "booking",
  uses: ["reserve", "pay", "payments", "confirm"],
  run: ({ id, legs, cents }) =>
    function* (sys, _inbox, reserve, pay, payments, confirm): Routine<Booked> {
      const reservations: string[] = [];
      for (const leg of legs)
        reservations.push(yield* sys.exec<string>(reserve as Handle, { reference: `${id}/${leg}` }));
      yield* sys.sleep(PAUSE_MS);
      const receipt = yield* payOnce(sys, pay as Handle, payments as Handle, { reference: id, cents });
      yield* sys.exec(confirm as Handle, { reference: `${id}/mail` });
      return { reservations, receipt };
    },
};

/** (BK2) */
function* payOnce(
  sys: Sys,
  pay: Handle,
  payments: Handle,
  what: { readonly reference: string; readonly cents: number },
): Routine<string> {
  for (;;) {
    try {
      return yield* sys.exec<string>(pay, what);
    } catch (error) {
      if (errorCodeOf(error) !== "durable.outcome-unknown") throw error;
      const receipt = yield* sys.exec<string | null>(payments, what.reference);
      if (receipt !== null) return receipt;
    }
  }
}
