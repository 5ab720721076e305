/** The refusal of a client of jobs. */
import { DaemonError } from "@glia-os/abi/errors/daemon";

/** Nobody answers there, or somebody who does not know the token or the protocol. */
export class JobFaceError extends DaemonError<"daemon.job-face"> {
  constructor(url: string, why: string, cause?: unknown) {
    super("daemon.job-face", `The jobs at ${url} were not reached: ${why}`, { cause, details: { url } });
  }
}
