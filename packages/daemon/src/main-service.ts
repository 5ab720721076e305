/** What the threads of a node tell the main thread. One-way. */
import type { ErrorRecord } from "@glia-os/abi/errors";
import type { LogFields, LogLevel } from "@glia-os/abi/ports";
import type { Membership } from "./data-folder.ts";
import type { LogPage, LogQuestion } from "./logs/log-ring.ts";
import type { NodeEvent } from "./node-event.ts";

/** Served by the main thread. */
export interface MainService {
  log(level: LogLevel, message: string, fields: LogFields): void;
  event(event: NodeEvent): void;
  /** The newest lines and events of this node. */
  logsHere(question: LogQuestion): Promise<LogPage>;
  /** What the node needs to come back to its cluster changed: keep it. Whether it is on disk; what failed is in the log. */
  keepMembership(membership: Membership): boolean;
  /** The node cannot go on. */
  fatal(error: ErrorRecord): void;
}
