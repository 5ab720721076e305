/** Refusals of configuration files. */
import { CliError } from "@glia-os/abi/errors/cli";

/** A configuration file cannot be read, or running it failed. */
export class ConfigUnreadableError extends CliError<"cli.config-unreadable"> {
  constructor(file: string, why: string, cause?: unknown) {
    super("cli.config-unreadable", `The configuration ${file} cannot be read: ${why}`, {
      cause,
      details: { file },
    });
  }
}

/** A folder holds several configurations. */
export class ConfigAmbiguousError extends CliError<"cli.config-ambiguous"> {
  constructor(folder: string, files: readonly string[]) {
    super("cli.config-ambiguous", `${folder} holds several configurations: ${files.join(", ")}`, {
      details: { folder, files },
    });
  }
}

/** A file would be replaced. */
export class ConfigExistsError extends CliError<"cli.config-exists"> {
  constructor(file: string) {
    super("cli.config-exists", `There is a file ${file} already`, { details: { file } });
  }
}
