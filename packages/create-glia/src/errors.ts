/** Why a project was not made. */
import { CliError } from "@glia-os/abi/errors/cli";

/** The folder's last part cannot be the name of an agent. */
export class ProjectNameError extends CliError<"cli.project-name"> {
  constructor(name: string) {
    super(
      "cli.project-name",
      `${JSON.stringify(name.slice(0, 80))} cannot be the name of a project and its agent`,
    );
  }
}

/** The folder holds something. */
export class FolderInUseError extends CliError<"cli.folder-in-use"> {
  constructor(path: string) {
    super("cli.folder-in-use", `The folder ${path} is not empty`, { details: { path } });
  }
}

/** The folder cannot be made, read or written. */
export class FolderUnwritableError extends CliError<"cli.folder-unwritable"> {
  constructor(path: string, cause: unknown) {
    const why = cause instanceof Error ? cause.message : String(cause);
    super("cli.folder-unwritable", `${path} cannot be written: ${why}`, { cause, details: { path } });
  }
}
