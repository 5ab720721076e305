/** Refusals of the agent SDK, one class each. */
import { CellsError } from "@glia-os/abi/errors/cells";
import type { AgentId } from "@glia-os/abi/ids";

/** The agent runs on this node already. */
export class AlreadyHereError extends CellsError<"cells.already-here"> {
  constructor(agent: AgentId) {
    super("cells.already-here", `Agent ${agent} is on this node already`, { details: { agent } });
  }
}

/** Bytes that should be a frozen agent are not. */
export class BadImageError extends CellsError<"cells.bad-image"> {
  constructor(why: string) {
    super("cells.bad-image", `The frozen agent cannot be read: ${why}`);
  }
}

/** An agent's manifest breaks a rule. */
export class BadManifestError extends CellsError<"cells.bad-manifest"> {
  constructor(field: string, why: string) {
    super("cells.bad-manifest", `The agent's ${field} is refused: ${why}`, { details: { field } });
  }
}

/** The program of an agent failed. */
export class GuestFailedError extends CellsError<"cells.guest-failed"> {
  constructor(agent: AgentId, why: string, cause?: unknown) {
    super("cells.guest-failed", `Agent ${agent} failed: ${why}`, { cause, details: { agent } });
  }
}

/** The agent holds something that cannot be where it would move. */
export class ImmovableCapabilityError extends CellsError<"cells.immovable-capability"> {
  constructor(agent: AgentId, names: readonly string[]) {
    super("cells.immovable-capability", `Agent ${agent} holds what cannot move: ${names.join(", ")}`, {
      details: { agent, names: [...names] },
    });
  }
}

/** The lifecycle table has no such step. */
export class IllegalTransitionError extends CellsError<"cells.illegal-transition"> {
  constructor(agent: AgentId, from: string, to: string) {
    super("cells.illegal-transition", `Agent ${agent} is ${from} and cannot become ${to}`, {
      details: { agent, from, to },
    });
  }
}

/** The agent reached no blocking call within the time a freeze may take. */
export class NoYieldError extends CellsError<"cells.no-yield"> {
  constructor(agent: AgentId, waitedMs: number) {
    super("cells.no-yield", `Agent ${agent} made no blocking call for ${waitedMs} ms`, {
      details: { agent, waitedMs },
    });
  }
}

/** The agent is not on this node. */
export class NotHereError extends CellsError<"cells.not-here"> {
  constructor(agent: AgentId) {
    super("cells.not-here", `Agent ${agent} is not on this node`, { details: { agent } });
  }
}

/** This node runs no programs outside the sandbox, or not this one. */
export class ProgramsRefusedError extends CellsError<"cells.programs-refused"> {
  constructor(hash?: string) {
    const what = hash === undefined ? "no programs outside the sandbox" : `no program ${hash}`;
    super("cells.programs-refused", `This node runs ${what}`, {
      ...(hash === undefined ? {} : { details: { hash } }),
    });
  }
}

/** What a durable cell's program replied with is no reply. */
export class BadReplyError extends CellsError<"cells.bad-reply"> {
  constructor(why: string) {
    super("cells.bad-reply", `The reply is refused: ${why}`);
  }
}

/** What an agent does not have as a durable program. */
export class NotInDomainError extends CellsError<"cells.not-in-domain"> {
  constructor(what: string) {
    super("cells.not-in-domain", `A durable agent does not do this: ${what}`, { details: { what } });
  }
}

/** The bundle of a program is not one that runs as a durable domain. */
export class BadBundleError extends CellsError<"cells.bad-bundle"> {
  constructor(why: string, cause?: unknown) {
    super("cells.bad-bundle", `The program is refused: ${why}`, { cause });
  }
}

/** An agent asks for a service that this node does not have. */
export class ServiceMissingError extends CellsError<"cells.service-missing"> {
  constructor(name: string, there: readonly string[]) {
    const has = there.length === 0 ? "it has none" : `it has ${there.join(", ")}`;
    super("cells.service-missing", `This node has no service ${name}; ${has}`, { details: { name } });
  }
}

/** This node takes no new agents now. */
export class TakesNoneError extends CellsError<"cells.takes-none"> {
  constructor(why: string) {
    super("cells.takes-none", `This node takes no new agents: ${why}`, { details: { why } });
  }
}

/** This node hosts as many agents as it may. */
export class TooManyCellsError extends CellsError<"cells.too-many"> {
  constructor(limit: number) {
    super("cells.too-many", `This node hosts ${limit} agents, its limit`, { details: { limit } });
  }
}
