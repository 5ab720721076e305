/** Refusals of the commands about agents in files, one class each. */
import { CliError } from "@glia-os/abi/errors/cli";

/** A file is there already. */
export class FileExistsError extends CliError<"cli.file-exists"> {
  constructor(path: string) {
    super("cli.file-exists", `${path} is there already`, { details: { path } });
  }
}

/** A file cannot be written. */
export class FileUnwritableError extends CliError<"cli.file-unwritable"> {
  constructor(path: string, why: string, cause?: unknown) {
    super("cli.file-unwritable", `${path} cannot be written: ${why}`, { cause, details: { path } });
  }
}

/** No passphrase was given, or an empty one. */
export class PassphraseMissingError extends CliError<"cli.passphrase-missing"> {
  constructor(why: string) {
    super("cli.passphrase-missing", `The file needs a passphrase: ${why}`);
  }
}

/** No member has this name or id. */
export class NodeUnknownError extends CliError<"cli.node-unknown"> {
  constructor(text: string) {
    super("cli.node-unknown", `There is no node ${text.slice(0, 80)} in the mesh`);
  }
}

/** Agents that a drain could not move. */
export class AgentsStuckError extends CliError<"cli.agents-stuck"> {
  constructor(node: string, stuck: readonly { readonly name: string; readonly why: string }[]) {
    const names = stuck.map(({ name }) => name).join(", ");
    const count = stuck.length === 1 ? "1 agent" : `${stuck.length} agents`;
    super("cli.agents-stuck", `${count} could not be moved away: ${names.slice(0, 300)}`, {
      details: { node, stuck: stuck.map(({ name, why }) => ({ name, why })) },
    });
  }
}
