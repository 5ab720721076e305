/** The refusals of accounts. */
import { KernelError } from "@glia-os/abi/errors/kernel";
import type { AmountKind } from "./amounts.ts";

/** An account has not enough left for what a call may cost. */
export class AccountExhaustedError extends KernelError<"kernel.account-exhausted"> {
  constructor(account: string, kind: AmountKind, asked: number, left: number) {
    super(
      "kernel.account-exhausted",
      `the account ${account} has ${left} ${kind} left, and ${asked} were asked for`,
      {
        details: { account, kind, asked, left },
      },
    );
  }
}

/** An account whose task ended, or that was closed, takes no more calls. */
export class AccountClosedError extends KernelError<"kernel.account-closed"> {
  constructor(account: string) {
    super("kernel.account-closed", `the account ${account} is closed`, { details: { account } });
  }
}
