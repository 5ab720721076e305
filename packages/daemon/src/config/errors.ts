/** Refusals of a configuration. */
import { DaemonError } from "@glia-os/abi/errors/daemon";
import { type Problem, problemLine } from "./check-shape.ts";

/** A configuration with something wrong in it; `details.problems` has each with its path. */
export class ConfigInvalidError extends DaemonError<"daemon.config-invalid"> {
  constructor(from: string, problems: readonly Problem[]) {
    const lines = problems.map(problemLine);
    const count = lines.length === 1 ? "1 problem" : `${lines.length} problems`;
    super("daemon.config-invalid", `${from} has ${count}: ${lines.join("; ")}`, {
      details: { from, problems },
    });
  }
}
