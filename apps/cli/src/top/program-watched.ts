/** A program that `glia run` runs, as `glia top` sees it. */
import { formatState } from "@glia-os/host";
import { RunNotFoundError } from "../errors.ts";
import { formatBytes, formatMs } from "../terminal/amount.ts";
import type { StateClient } from "./state-client.ts";
import type { StateView } from "./state-view.ts";
import type { Look, Watched } from "./watched.ts";

/** Tasks shown where nothing cuts the list. */
const TASKS_PRINTED = 200;

/** Look at a program over its socket. */
export function programWatched(client: StateClient): Watched {
  return {
    endNote: `process ${client.pid} has ended`,
    ended: client.ended,
    close: () => client.close(),
    look: async (): Promise<Look | undefined> => {
      try {
        const view = await client.ask();
        return { record: view, lines: () => linesOf(view) };
      } catch (error) {
        // A question that fails because the program ended is no failure.
        if (error instanceof RunNotFoundError) return undefined;
        throw error;
      }
    },
  };
}

function linesOf({ pid, file, uptimeMs, rssBytes, state }: StateView): string[] {
  const head = `glia top  ${file}  process ${pid}  up ${formatMs(uptimeMs)}  memory ${formatBytes(rssBytes)}`;
  return [head, ...formatState(state, { tasks: TASKS_PRINTED })];
}
