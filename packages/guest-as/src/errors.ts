/** What can go wrong when a guest is compiled. */
import { GuestAgentError } from "@glia-os/abi/errors/guest";

/** The compiler refused a guest; the message is what it said. */
export class CompileFailedError extends GuestAgentError<"guest.compile-failed"> {
  constructor(path: string, said: string) {
    super("guest.compile-failed", `asc could not compile ${path}:\n${said.trim()}`);
  }
}

/** The optional peer `assemblyscript` is not installed. */
export class CompilerMissingError extends GuestAgentError<"guest.compiler-missing"> {
  constructor(cause: unknown) {
    super("guest.compiler-missing", "the package assemblyscript is not there", { cause });
  }
}
