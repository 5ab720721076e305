/** Refusals of moves by post-copy, one class each. */
import { CellsError } from "@glia-os/abi/errors/cells";
import type { AgentId } from "@glia-os/abi/ids";

/** The agent, or this node, cannot run it before its memory is there. */
export class NoPostCopyError extends CellsError<"cells.no-post-copy"> {
  constructor(agent: AgentId, why: string, cause?: unknown) {
    super("cells.no-post-copy", `Agent ${agent} cannot move by post-copy: ${why}`, {
      cause,
      details: { agent, why },
    });
  }
}

/** Nobody's pages are served here under the id of this move. */
export class PagesReleasedError extends CellsError<"cells.pages-released"> {
  constructor(move: string) {
    super("cells.pages-released", `The pages of move ${move} are not here any more`, { details: { move } });
  }
}

/** The rest of an agent that was moved did not come. */
export class LostOnTheWayError extends CellsError<"cells.lost-on-the-way"> {
  constructor(agent: AgentId, why: string, cause?: unknown) {
    super("cells.lost-on-the-way", `Agent ${agent} ran here before it was whole, and never will be: ${why}`, {
      cause,
      details: { agent, why },
    });
  }
}
