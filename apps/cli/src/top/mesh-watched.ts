/** The mesh as a node of this machine sees it, as `glia top` shows it. */
import type { ControlConnection, MeshSurvey } from "@glia-os/daemon";
import { isNodeEnd } from "../node/choose-node.ts";
import { type AgentOrder, meshLines, SORT_KEYS } from "./mesh-view.ts";
import type { Look, Watched } from "./watched.ts";

/** Look at the mesh over a node's control socket. */
export function meshWatched(node: ControlConnection): Watched {
  let before: MeshSurvey | undefined;
  let order: AgentOrder = "rate";
  const closed = Promise.withResolvers<void>();
  void node.failed.then(() => closed.resolve());
  return {
    endNote: "the node has ended",
    ended: closed.promise,
    close: () => void node.close(),
    key(key) {
      const wanted = SORT_KEYS[key as keyof typeof SORT_KEYS];
      if (wanted === undefined) return false;
      order = wanted;
      return true;
    },
    async look(): Promise<Look | undefined> {
      try {
        const pair = { now: await node.survey(), before };
        before = pair.now;
        return { record: pair.now, lines: () => meshLines(pair, order) };
      } catch (error) {
        if (!isNodeEnd(error)) throw error;
        closed.resolve();
        return undefined;
      }
    },
  };
}
