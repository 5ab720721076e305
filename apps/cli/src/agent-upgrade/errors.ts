/** Refusals of upgrades on the command line, one class each. */
import { CliError } from "@glia-os/abi/errors/cli";

/** How an upgrade of several agents ended that was not done. */
export interface StoppedUpgrade {
  readonly outcome: "rolled-back" | "stopped";
  /** The agent that it ended with, and why. */
  readonly failed: { readonly agent: string; readonly name: string; readonly why: string };
  /** Agents that run the new code now, and those that went back. */
  readonly upgraded: readonly string[];
  readonly undone: readonly string[];
  /** Agents that could not go back, and why. */
  readonly stuck: readonly { readonly name: string; readonly why: string }[];
}

/** An upgrade of several agents ended with the first failure. */
export class UpgradeStoppedError extends CliError<"cli.upgrade-stopped"> {
  constructor(of: number, { outcome, failed, upgraded, undone, stuck }: StoppedUpgrade) {
    const back =
      outcome === "stopped"
        ? `${upgraded.length} of ${of} agents were upgraded and stay so`
        : `${undone.length} of ${of} agents were upgraded and went back`;
    const left = stuck.map(({ name, why }) => `; ${name} could not go back: ${why}`).join("");
    super("cli.upgrade-stopped", `The upgrade ended with ${failed.name}: ${failed.why}. ${back}${left}`, {
      details: { of, outcome, failed, upgraded: [...upgraded], undone: [...undone], stuck: [...stuck] },
    });
  }
}
