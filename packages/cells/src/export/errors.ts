/** Refusals of agent files, one class each. */
import { CellsError } from "@glia-os/abi/errors/cells";
import type { AgentId, ClusterId, NodeId } from "@glia-os/abi/ids";

/** The agent of a file has ended, or was never known here. */
export class FileAgentEndedError extends CellsError<"cells.file-agent-ended"> {
  constructor(agent: AgentId, why: string) {
    super("cells.file-agent-ended", `Agent ${agent} cannot go on from a file: ${why}`, {
      details: { agent },
    });
  }
}

/** A file was changed after it was written, or is cut off. */
export class FileCorruptError extends CellsError<"cells.file-corrupt"> {
  constructor(why: string) {
    super("cells.file-corrupt", `The agent file is damaged: ${why}`);
  }
}

/** Something else than an agent file. */
export class NotAgentFileError extends CellsError<"cells.file-not-one"> {
  constructor() {
    super("cells.file-not-one", "This is not an agent file");
  }
}

/** A file of another cluster. */
export class FileOtherClusterError extends CellsError<"cells.file-other-cluster"> {
  constructor(cluster: ClusterId) {
    super("cells.file-other-cluster", `The agent file was written in another cluster, ${cluster}`, {
      details: { cluster },
    });
  }
}

/** The agent of a file runs, or may run, elsewhere. */
export class FileOwnerLivesError extends CellsError<"cells.file-owner-lives"> {
  constructor(agent: AgentId, owner: NodeId) {
    super("cells.file-owner-lives", `Agent ${agent} lives on node ${owner}`, { details: { agent, owner } });
  }
}

/** A file signed by a node that is no member. */
export class FileUntrustedError extends CellsError<"cells.file-untrusted"> {
  constructor(signer: NodeId) {
    super("cells.file-untrusted", `The agent file was signed by ${signer}, which is no member known here`, {
      details: { signer },
    });
  }
}

/** A file of a version that this build does not read. */
export class FileVersionError extends CellsError<"cells.file-version"> {
  constructor(version: number, known: number) {
    super("cells.file-version", `The agent file has version ${version}; this build reads ${known}`, {
      details: { version },
    });
  }
}

/** A key that does not open the file. */
export class FileWrongKeyError extends CellsError<"cells.file-wrong-key"> {
  constructor(what: string) {
    super("cells.file-wrong-key", `The agent file does not open with this ${what}`);
  }
}
