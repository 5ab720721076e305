/** A node that goes serves the pages of agents that left it first: until they have them they need it (docs/spec/postcopy.md). */
import type { Logger } from "@glia-os/abi/ports";
import type { Mesh } from "@glia-os/mesh-core";

/** How long a drain waits for it, in milliseconds. */
export const PAGES_MS = 60_000;
/** How long a node that stops waits, in milliseconds: its threads are ended after five seconds. */
export const STOP_PAGES_MS = 3500;

/** Whether every agent that left has its pages, at once or within a time. */
export async function pagesServed(mesh: Mesh, timeoutMs: number): Promise<boolean> {
  return mesh.parts().includes("moves") ? mesh.part("moves").settled(timeoutMs) : true;
}

/** Wait for it before the node stops, and say when it was in vain. */
export async function servePagesFirst(mesh: Mesh, logger: Logger): Promise<void> {
  if (await pagesServed(mesh, STOP_PAGES_MS)) return;
  logger.log("warn", "the node stops before agents that left it have all their pages", {
    agents: mesh.part("moves").owed,
  });
}
