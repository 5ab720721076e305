/** What of the runner of WebAssembly cells moves by post-copy; durable cells are refused by name. */
import type { AgentId } from "@glia-os/abi/ids";
import { NoPostCopyError, type PagesRunnerPort } from "@glia-os/cells";
import type { ThreadLink } from "../thread-call.ts";

const WHY = "a durable agent's state is its journal, which crosses while it runs";

/** Those methods and no others. */
export function pagesRunner(
  runner: PagesRunnerPort,
  isDurable: (agent: AgentId) => boolean,
): PagesRunnerPort {
  return {
    beginPages: async (agent, move, rounds) => {
      if (isDurable(agent)) throw new NoPostCopyError(agent, WHY);
      return runner.beginPages(agent, move, rounds);
    },
    servePages: (move, said) => runner.servePages(move, said),
    releasePages: (move) => runner.releasePages(move),
    stagePages: async (agent) => {
      if (isDurable(agent)) throw new NoPostCopyError(agent, WHY);
      return runner.stagePages(agent);
    },
    takePages: (agent, bytes) => runner.takePages(agent, bytes),
    losePages: (agent, why) => runner.losePages(agent, why),
  };
}

/** The same seen from the mesh thread. */
export function pagesOverThread({ remote, tell }: ThreadLink<PagesRunnerPort>): PagesRunnerPort {
  return {
    beginPages: (agent, move, rounds) => remote.beginPages(agent, move, rounds),
    servePages: (move, said) => remote.servePages(move, said),
    releasePages: (move) => remote.releasePages(move),
    stagePages: (agent) => remote.stagePages(agent),
    takePages: (agent, bytes) => remote.takePages(agent, bytes),
    losePages: (agent, why) => tell.losePages(agent, why),
  };
}
