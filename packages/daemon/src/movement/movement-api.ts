/** The part of a node's operations that is about where agents run and whether they run. */
import type { AgentView } from "../node-views.ts";
import type { AgentFileApi } from "./file-api.ts";
import type { MoveApi } from "./move-api.ts";

/** A part of `NodeApi`. */
export interface MovementApi extends AgentFileApi, MoveApi {
  /**
   * Let an agent stand still at its next blocking call; it takes messages up to its mailbox, also where it moves. @throws
   * `cells.illegal-transition` unless it runs and does not move, `cells.no-yield`.
   */
  pause(agent: string): Promise<AgentView>;
  /** Let a suspended agent go on. @throws `cells.illegal-transition` unless it is suspended. */
  resume(agent: string): Promise<AgentView>;
}
