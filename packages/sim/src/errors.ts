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

/** A call of a simulated disk fails, as a real one's may. */
export class DiskFailureError extends SimError<"sim.disk-failure"> {
  /** As on a real machine: EIO, ENOSPC, ENOENT or EEXIST. */
  readonly errno: string;

  constructor(call: string, errno: string) {
    super("sim.disk-failure", `${errno}: ${call} failed on a simulated disk`, { details: { call, errno } });
    this.errno = errno;
  }
}

/** No scenario has this name. */
export class UnknownScenarioError extends SimError<"sim.unknown-scenario"> {
  constructor(name: string, known: readonly string[]) {
    super(
      "sim.unknown-scenario",
      `there is no scenario ${JSON.stringify(name)}; there are ${known.join(", ")}`,
      {
        details: { name },
      },
    );
  }
}
