/** One class per refusal of the simulator. What each changed and what to do about it stands in the code table of `abi`. */
import { SimError } from "@glia-os/abi/errors/sim";

/** An option is out of range. */
export class BadOptionError extends SimError<"sim.bad-option"> {
  constructor(option: string, value: unknown, range: string) {
    super("sim.bad-option", `${option} is ${String(value)}; it must be ${range}`, { details: { option } });
  }
}

/** A fault to inject has not the form of one. */
export class BadFaultError extends SimError<"sim.bad-fault"> {
  constructor(index: number, why: string) {
    super("sim.bad-fault", `fault ${index} was refused: ${why}`, { details: { index } });
  }
}

/** What should be simulated is neither a program nor a function that sets a world up. */
export class BadScenarioError extends SimError<"sim.bad-scenario"> {
  constructor(value: unknown) {
    super("sim.bad-scenario", `a ${typeof value} cannot be simulated`);
  }
}
