/** Every refusal of building and running agents, one class each. Codes, what changed and what to do: `guest.*` of `@glia-os/abi/errors`. */
import { GuestAgentError } from "@glia-os/abi/errors/guest";

/** The agent's program failed while its module was built. `details.log` has what it logged. */
export class AgentFailedError extends GuestAgentError<"guest.agent-failed"> {
  readonly #problem: string;
  readonly #log: readonly string[];

  constructor(problem: string, log: readonly string[], cause?: unknown) {
    super("guest.agent-failed", `the agent failed when it was started: ${problem}`, {
      details: { log: [...log] },
      ...(cause === undefined ? {} : { cause }),
    });
    this.#problem = problem;
    this.#log = log;
  }

  /** The same failure with its texts rewritten. */
  mapped(rewrite: (text: string) => string): AgentFailedError {
    return new AgentFailedError(rewrite(this.#problem), this.#log.map(rewrite), this.cause);
  }
}

/** More code than an agent may have. */
export class AgentTooBigError extends GuestAgentError<"guest.agent-too-big"> {
  constructor(bytes: number, limit: number) {
    super("guest.agent-too-big", `the agent's code is ${bytes} bytes and the limit is ${limit}`);
  }
}

/** The top of the program did not come to an end within the limit. */
export class BuildLimitError extends GuestAgentError<"guest.build-limit"> {
  constructor(slices: number) {
    super(
      "guest.build-limit",
      `the top of the program was still running after ${slices} slices of its interpreter`,
      { details: { slices } },
    );
  }
}

/** The bundler refused the source. */
export class BundleFailedError extends GuestAgentError<"guest.bundle-failed"> {
  constructor(problems: readonly string[], cause: unknown) {
    super("guest.bundle-failed", `the agent could not be bundled:\n${problems.join("\n")}`, {
      details: { problems },
      cause,
    });
  }
}

/** A module that does not start an agent as the engine of this package does. */
export class EngineMismatchError extends GuestAgentError<"guest.engine-mismatch"> {
  constructor(problem: string) {
    super("guest.engine-mismatch", `the module is not the engine of this version: ${problem}`);
  }
}

/** The engine that belongs to the package is not there. */
export class EngineMissingError extends GuestAgentError<"guest.engine-missing"> {
  constructor(path: string, cause: unknown) {
    super("guest.engine-missing", `there is no engine at ${path}`, { cause });
  }
}

/** The optional peer `esbuild` is not installed. */
export class EsbuildMissingError extends GuestAgentError<"guest.esbuild-missing"> {
  constructor(cause: unknown) {
    super("guest.esbuild-missing", "bundling an agent needs the package esbuild, which is not installed", {
      cause,
    });
  }
}

/** An agent that does not come to a first wait. */
export class NoGoldenStateError extends GuestAgentError<"guest.no-golden-state"> {
  constructor(problem: string) {
    super("guest.no-golden-state", `the agent ${problem} before it first waited for anything`);
  }
}

/** A call that the run's state does not allow. */
export class RunStateError extends GuestAgentError<"guest.run-state"> {
  constructor(call: string, state: string) {
    super("guest.run-state", `cannot ${call}: the agent ${state}`);
  }
}
